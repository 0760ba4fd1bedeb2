//! Who is measured: the gateway, and those who only hand bytes on.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    callers::resource_map,
    load::connect,
    process::{Process, is_installed},
};

/// Who carries requests to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    /// Nobody: the callers talk to the target.
    Direct,
    /// weighbridge, with what must not be forgotten kept in this way.
    Gateway(&'static str),
    BareHyper,
    Nginx,
    HaProxy,
}

const NGINX: &str = "/usr/sbin/nginx";
const HAPROXY: &str = "/usr/sbin/haproxy";

impl Contender {
    /// All that can be measured here.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Direct, Self::Gateway("sqlite"), Self::Gateway("memory"), Self::BareHyper];
        for (installed, contender, program) in
            [(is_installed(NGINX), Self::Nginx, "nginx"), (is_installed(HAPROXY), Self::HaProxy, "haproxy")]
        {
            if installed {
                all.push(contender);
            } else {
                println!("{program} is not installed, so it is not compared with");
            }
        }
        all
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Direct => "no proxy".to_owned(),
            Self::Gateway(store) => format!("weighbridge, {store}"),
            Self::BareHyper => "bare hyper".to_owned(),
            Self::Nginx => "bare nginx".to_owned(),
            Self::HaProxy => "bare HAProxy".to_owned(),
        }
    }

    /// Starts it before a target.
    pub(crate) fn start(self, target: SocketAddr) -> Running {
        let dir = tempfile::tempdir().unwrap();
        let (process, addr) = match self {
            Self::Direct => (None, target),
            Self::Gateway(store) => {
                let addr = free();
                let config = gateway_config(&dir, addr, target, store);
                (Some(Process::spawn(gateway_command(&config).stderr(log(&dir)))), addr)
            }
            Self::BareHyper => {
                let mut command = Command::new(env::current_exe().unwrap());
                let (process, addr) =
                    Process::that_tells(command.args(["as-bare-hyper", &target.to_string()]));
                (Some(process), addr)
            }
            Self::Nginx => {
                let addr = free();
                let config = file(&dir, "nginx.conf", &nginx_config(&dir, addr, target));
                let mut command = Command::new(NGINX);
                (Some(Process::spawn(command.arg("-c").arg(config).stderr(log(&dir)))), addr)
            }
            Self::HaProxy => {
                let addr = free();
                let config = file(&dir, "haproxy.cfg", &haproxy_config(addr, target));
                let mut command = Command::new(HAPROXY);
                (Some(Process::spawn(command.arg("-db").arg("-f").arg(config).stderr(log(&dir)))), addr)
            }
        };
        await_listener(&self.name(), addr);
        Running { process, addr, dir }
    }
}

/// A contender at work.
pub(crate) struct Running {
    pub(crate) process: Option<Process>,
    pub(crate) addr: SocketAddr,
    /// Its files; gone when this is dropped.
    #[expect(dead_code, reason = "held for as long as it runs")]
    dir: TempDir,
}

/// Starts the target.
pub(crate) fn target(delay: Duration) -> (Process, SocketAddr) {
    let mut command = Command::new(env::current_exe().unwrap());
    Process::that_tells(command.args(["as-target", &delay.as_millis().to_string()]))
}

/// The program that is measured.
pub(crate) fn program() -> PathBuf {
    env::var_os("WEIGHBRIDGE_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_weighbridge").into(), PathBuf::from)
}

pub(crate) fn gateway_command(config: &PathBuf) -> Command {
    let mut command = Command::new(program());
    command.args(["serve", "--config"]).arg(config);
    command
}

/// A config for the gateway; its admin listener is one port on.
pub(crate) fn gateway_config(dir: &TempDir, addr: SocketAddr, target: SocketAddr, store: &str) -> PathBuf {
    file(dir, "resources.toml", &resource_map());
    let store = match store {
        "sqlite" => format!("sqlite:{}", dir.path().join("weighbridge.db").display()),
        other => other.to_owned(),
    };
    let config = format!(
        r#"listen    = "{addr}"
resources = "resources.toml"
store     = "{store}"

[targets.aliyun]
provider    = "aliyun"
endpoint    = "http://{target}"
key_id      = "bench-gateway"
secret      = "bench-gateway-secret"
region      = "cn-hangzhou"

[targets.ucloud]
provider    = "ucloud"
endpoint    = "http://{target}"
key_id      = "bench-gateway"
secret      = "bench-gateway-secret"
project     = "org-abc123"
region      = "cn-bj2"
concurrency = 10

[[clients]]
dialect = "aliyun"
key_id  = "bench-aliyun"
secret  = "bench-aliyun-secret"
target  = "ucloud"

[[clients]]
dialect = "ucloud"
key_id  = "bench-ucloud"
secret  = "bench-ucloud-secret"
target  = "aliyun"

[limits]
max_connections = 12000
"#
    );
    file(dir, "weighbridge.toml", &config)
}

fn nginx_config(dir: &TempDir, addr: SocketAddr, target: SocketAddr) -> String {
    let dir = dir.path().display();
    format!(
        "daemon off; worker_processes auto; pid {dir}/pid; error_log {dir}/error.log;\n\
         events {{ worker_connections 8000; }}\n\
         http {{\n  access_log off; tcp_nodelay on; keepalive_requests 1000000000;\n\
         client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;\n\
         upstream target {{ server {target}; keepalive 64; keepalive_requests 1000000000; }}\n\
         server {{ listen {addr}; location / {{ proxy_pass http://target; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }}\n}}\n"
    )
}

fn haproxy_config(addr: SocketAddr, target: SocketAddr) -> String {
    format!(
        "global\n  maxconn 8000\ndefaults\n  mode http\n  timeout client 60s\n  timeout server 60s\n  timeout connect 5s\n  http-reuse always\n\
         frontend f\n  bind {addr}\n  default_backend b\nbackend b\n  server s {target}\n"
    )
}

fn file(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Its log is written to a file, as a service's is.
fn log(dir: &TempDir) -> Stdio {
    fs::File::create(dir.path().join("log")).unwrap().into()
}

/// A port that was free a moment ago.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn await_listener(name: &str, addr: SocketAddr) {
    let patience = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(addr).is_err() {
        assert!(Instant::now() < patience, "{name} does not listen on {addr}");
        sleep(Duration::from_millis(2));
    }
    drop(connect(addr));
}
