"""Drive a cloud vendor's own SDK against a running gateway: python drive.py CLIENT < job.json

Reads one JSON job, does it with the SDK named CLIENT and prints one JSON result; README.md shows both. A job is an add
of its `backends`, or any `call` with its `params`. With --lines, standard input holds a job a line, and each result is
printed as soon as it is there. What the SDK raises in its own error classes is a result too. Anything else is a crash:
traceback, exit code 1.
Time-outs and retries are whatever the SDK does when it is not told.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ucloud.client import Client
    from ucloud.services.ulb.client import ULBClient

Backend = dict[str, Any]
"""One backend, its fields named as the client's dialect names them on the wire."""


class Job(TypedDict, total=False):
    endpoint: str  # host:port, always plain http
    key_id: str
    secret: str
    region: str
    group: str  # VServerGroupId or VServerId
    backends: list[Backend]
    call: str  # an action by its name on the wire, in place of an add
    params: dict[str, Any]  # of that call, by their names on the wire
    spelling: str  # Alibaba only, see SPELLINGS
    load_balancer: str  # UCloud only
    project: str  # UCloud only


class SdkError(Exception):
    """What an SDK raised, reduced to what its error class offers."""

    def __init__(self, raised: Exception, attributes: dict[str, str]) -> None:
        super().__init__(str(raised))
        absent = {"code": None, "message": str(raised), "status": None, "request_id": None}
        offered = {field: getattr(raised, name) for field, name in attributes.items() if hasattr(raised, name)}
        self.report: dict[str, Any] = {"class": type(raised).__name__, **absent, **offered}


@contextmanager
def reporting(*error_classes: type[Exception], **attributes: str) -> Iterator[None]:
    """Turn these errors into an SdkError; `attributes` says which attribute of theirs holds which field."""
    try:
        yield
    except error_classes as raised:
        raise SdkError(raised, attributes) from raised


def call_of(job: Job) -> tuple[str, dict[str, Any]]:
    """The action of an Alibaba job and its parameters; lists of backends become text."""
    if "call" not in job:
        action = "AddVServerGroupBackendServers"
        return action, {"VServerGroupId": job["group"], "BackendServers": backend_servers_text(job["backends"], job)}
    params = job.get("params", {})
    texts = {name: backend_servers_text(value, job) for name, value in params.items() if isinstance(value, list)}
    return job["call"], {**params, **texts}


def method_for(client: object, action: str) -> Callable[[Any], Any]:
    """The method of a typed client that makes a call; generators disagree on where the underscores go."""
    name = next(name for name in dir(client) if name.replace("_", "") == action.lower())
    method: Callable[[Any], Any] = getattr(client, name)
    return method


def do_with_tea(job: Job, signature_algorithm: str | None = None) -> dict[str, Any]:
    from alibabacloud_slb20140515 import models
    from alibabacloud_slb20140515.client import Client
    from alibabacloud_tea_openapi.models import Config
    from Tea.exceptions import TeaException

    config = Config(job["key_id"], job["secret"], endpoint=job["endpoint"], region_id=job.get("region"))
    config.protocol = "http"
    config.signature_algorithm = signature_algorithm
    action, params = call_of(job)
    request = getattr(models, f"{action}Request")().from_map({"RegionId": job.get("region"), **params})
    client = Client(config)
    with reporting(TeaException, code="code", message="message", status="status_code", request_id="request_id"):
        answer: dict[str, Any] = method_for(client, action)(request).body.to_map()
    return answer


def do_with_classic(job: Job) -> Any:
    from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
    from aliyunsdkcore.client import AcsClient

    action, params = call_of(job)
    request = getattr(import_module(f"aliyunsdkslb.request.v20140515.{action}Request"), f"{action}Request")()
    request.set_endpoint(job["endpoint"])
    for name, value in params.items():
        getattr(request, f"set_{name}")(value)
    client = AcsClient(job["key_id"], job["secret"], job["region"])
    offered = {"code": "error_code", "message": "message", "status": "http_status", "request_id": "request_id"}
    with reporting(ServerException, ClientException, **offered):
        answer = client.do_action_with_exception(request)
    return json.loads(answer)


def add_with_libcloud(job: Job) -> dict[str, Any]:
    """libcloud knows no server groups: its connection, signature and XML parser, with the call spelled out here."""
    from libcloud.common.exceptions import BaseHTTPError
    from libcloud.common.types import LibcloudError
    from libcloud.loadbalancer.drivers.slb import SLBConnection

    host, port = job["endpoint"].rsplit(":", 1)
    connection = SLBConnection(job["key_id"], job["secret"], secure=False, host=host, port=int(port))
    action, params = call_of(job)
    with reporting(BaseHTTPError, LibcloudError, message="message", status="code"):
        answer = connection.request("/", {"Action": action, **params}).object
    return added_servers(answer)


def added_servers(answer: Element) -> dict[str, Any]:
    """The XML answer in the shape of the JSON one; every value stays text."""
    servers = answer.iterfind("BackendServers/BackendServer")
    return {
        "RequestId": answer.findtext("RequestId"),
        "VServerGroupId": answer.findtext("VServerGroupId"),
        "BackendServers": {"BackendServer": [{field.tag: field.text or "" for field in server} for server in servers]},
    }


SPELLINGS: dict[str, Callable[[list[Backend]], str]] = {
    "json": partial(json.dumps, ensure_ascii=False),
    "single-quoted": str,  # a Python list printed as text, as footmark and Ansible send it
}


def backend_servers_text(backends: list[Backend], job: Job) -> str:
    return SPELLINGS[job.get("spelling", "json")](backends)


def do_with_ucloud(job: Job) -> Any:
    """The call; or one AllocateBackend per backend, stopping at the first that fails."""
    if "call" in job:
        return call_with_ucloud(job["call"], job)
    with ucloud_ulb(job) as ulb:
        return [ulb.allocate_backend({**ucloud_group(job), **backend}) for backend in job["backends"]]


def call_with_ucloud(action: str, job: Job) -> Any:
    """By the client of its product, which knows its fields and their types; by the plain client if it has no such call."""
    with ucloud_client(job) as client:
        try:
            call = method_for(client.ulb(), action)
        except StopIteration:
            call = partial(client.invoke, action)
        return call(job.get("params", {}))


def add_with_ucloud_batch(job: Job) -> list[dict[str, Any]]:
    """One AllocateBackendBatch for all backends."""
    items = [batch_item(backend) for backend in job["backends"]]
    with ucloud_ulb(job) as ulb:
        return [ulb.allocate_backend_batch({**ucloud_group(job), "ApiVersion": 3, "Backends": items})]


@contextmanager
def ucloud_ulb(job: Job) -> Iterator[ULBClient]:
    with ucloud_client(job) as client:
        yield client.ulb()


@contextmanager
def ucloud_client(job: Job) -> Iterator[Client]:
    from ucloud.client import Client
    from ucloud.core.exc import UCloudException

    config = {
        "base_url": f"http://{job['endpoint']}/",
        "public_key": job["key_id"],
        "private_key": job["secret"],
        "region": job.get("region"),
        "project_id": job.get("project"),
    }
    with reporting(UCloudException, code="code", message="message", status="status_code", request_id="request_uuid"):
        yield Client(config)


def ucloud_group(job: Job) -> dict[str, str]:
    return {"ULBId": job["load_balancer"], "VServerId": job["group"]}


BATCH_FIELDS = ("ResourceId", "ResourceType", "Port", "Enabled", "ResourceIP", "IsBackup")


def batch_item(backend: Backend) -> str:
    """The pipe-separated form of a backend: an absent field is left empty, any other has no place."""
    unplaced = backend.keys() - set(BATCH_FIELDS)
    if unplaced:
        raise ValueError(f"AllocateBackendBatch has no place for {', '.join(sorted(unplaced))}")
    return "|".join(str(backend.get(field, "")) for field in BATCH_FIELDS)


CLIENTS: dict[str, Callable[[Job], Any]] = {
    "tea": do_with_tea,
    "tea-v1": partial(do_with_tea, signature_algorithm="v2"),  # the vendor's name for signature 1.0
    "classic": do_with_classic,
    "libcloud": add_with_libcloud,
    "ucloud": do_with_ucloud,
    "ucloud-batch": add_with_ucloud_batch,
}


def forget_proxies() -> None:
    """Both Alibaba SDKs take HTTP_PROXY without looking at NO_PROXY, so setting the latter is not enough."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ["NO_PROXY"] = "*"


def drive(client: str, job: Job) -> dict[str, Any]:
    try:
        return {"ok": True, "answer": CLIENTS[client](job)}
    except SdkError as error:
        return {"ok": False, "error": error.report}


def main() -> None:
    arguments = argparse.ArgumentParser(description="Drive a cloud vendor's own SDK against a running gateway.")
    arguments.add_argument("client", choices=CLIENTS, help="the SDK to use; the job is read from standard input")
    arguments.add_argument("--lines", action="store_true", help="read a job a line instead of one")
    given = arguments.parse_args()
    forget_proxies()
    for job in sys.stdin.buffer if given.lines else [sys.stdin.buffer.read()]:
        print(json.dumps(drive(given.client, json.loads(job))), flush=True)


if __name__ == "__main__":
    main()
