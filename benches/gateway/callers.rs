//! Callers' requests as bytes: freshly signed, no two the same, and made before anything is measured.

use weighbridge::{
    auth::{Credential, Stamps},
    crypto::Secret,
    dialect::Invocation,
    providers::provider,
    wire::{Call, Params},
};

/// How many servers and groups the resource map has.
pub(crate) const SERVERS: usize = 1000;
pub(crate) const GROUPS: usize = 64;

/// Whose add it is, and how it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    AliyunV1,
    AliyunAcs3,
    Ucloud,
}

pub(crate) const DIALECTS: [Dialect; 3] = [Dialect::AliyunV1, Dialect::AliyunAcs3, Dialect::Ucloud];

impl Dialect {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AliyunV1 => "Alibaba V1",
            Self::AliyunAcs3 => "Alibaba ACS3",
            Self::Ucloud => "UCloud",
        }
    }

    const fn keys(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::AliyunV1 => ("aliyun", "v1", "bench-aliyun", "bench-aliyun-secret"),
            Self::AliyunAcs3 => ("aliyun", "acs3", "bench-aliyun", "bench-aliyun-secret"),
            Self::Ucloud => ("ucloud", "sha1", "bench-ucloud", "bench-ucloud-secret"),
        }
    }
}

/// Signs adds.
pub(crate) struct Callers {
    stamps: Stamps,
    made: usize,
}

impl Callers {
    pub(crate) fn new() -> Self {
        Self { stamps: Stamps::system().unwrap(), made: 0 }
    }

    /// Adds of `backends` servers each, no two the same: for each connection so many, to a group of its own.
    pub(crate) fn adds(
        &mut self,
        dialect: Dialect,
        backends: usize,
        connections: usize,
        each: usize,
    ) -> Vec<Vec<Vec<u8>>> {
        let of_connection = |group| (0..each).map(move |_| group % GROUPS);
        (0..connections)
            .map(|group| of_connection(group).map(|group| self.add(dialect, backends, group)).collect())
            .collect()
    }

    fn add(&mut self, dialect: Dialect, backends: usize, group: usize) -> Vec<u8> {
        let invocation = match dialect {
            Dialect::AliyunV1 | Dialect::AliyunAcs3 => self.aliyun(backends, group),
            Dialect::Ucloud => self.ucloud(group),
        };
        let (cloud, scheme, key_id, secret) = dialect.keys();
        let schemes = provider(cloud).unwrap().schemes;
        let scheme = schemes.iter().find(|known| known.id() == scheme).unwrap();
        let credential = Credential { key_id: key_id.to_owned(), secret: Secret::new(secret), token: None };
        bytes(&scheme.sign(&invocation, "http://127.0.0.1", &credential, &self.stamps.next()))
    }

    /// The next server and port: no two requests ask for the same.
    fn next(&mut self) -> (usize, usize) {
        self.made += 1;
        (self.made % SERVERS, 1 + self.made / SERVERS % 65_000)
    }

    fn aliyun(&mut self, backends: usize, group: usize) -> Invocation {
        let mut item = || {
            let (server, port) = self.next();
            format!(r#"{{"ServerId":"i-bench{server:014}","Port":"{port}","Weight":"100","Type":"ecs"}}"#)
        };
        let items: Vec<String> = (0..backends).map(|_| item()).collect();
        let mut params = Params::default();
        params.push("RegionId", "cn-hangzhou");
        params.push("VServerGroupId", format!("rsp-bench{group:06}"));
        params.push("BackendServers", format!("[{}]", items.join(",")));
        let action = "AddVServerGroupBackendServers".to_owned();
        Invocation { action, version: Some("2014-05-15".to_owned()), params }
    }

    fn ucloud(&mut self, group: usize) -> Invocation {
        let (server, port) = self.next();
        let query = format!(
            "Region=cn-bj2&ProjectId=org-abc123&ULBId=ulb-bench&VServerId=vserver-bench{group:06}&ResourceType=UHost\
             &ResourceId=uhost-bench{server:06}&Port={port}&Weight=50&Enabled=1&IsBackup=0"
        );
        let params = Params::decode(&query).unwrap();
        Invocation { action: "AllocateBackend".to_owned(), version: None, params }
    }
}

/// The rows of the map that the requests need.
pub(crate) fn resource_map() -> String {
    let groups = (0..GROUPS).map(|group| {
        format!(
            "[[group]]\naliyun = {{ load_balancer = \"lb-bench\", group = \"rsp-bench{group:06}\", region = \"cn-hangzhou\" }}\n\
             ucloud = {{ load_balancer = \"ulb-bench\", group = \"vserver-bench{group:06}\", project = \"org-abc123\", region = \"cn-bj2\" }}\n"
        )
    });
    let servers = (0..SERVERS).map(|server| {
        format!("[[server]]\naliyun = \"i-bench{server:014}\"\nucloud = \"uhost-bench{server:06}\"\n")
    });
    groups.chain(servers).collect()
}

fn bytes(call: &Call) -> Vec<u8> {
    let query = if call.query.is_empty() { String::new() } else { format!("?{}", call.query) };
    let mut text =
        format!("{} {}{query} HTTP/1.1\r\nhost: 127.0.0.1\r\n", call.method, call.path).into_bytes();
    for (name, value) in call.headers.iter().filter(|(name, _)| name.as_str() != "host") {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(format!("content-length: {}\r\n\r\n", call.body.len()).as_bytes());
    text.extend_from_slice(&call.body);
    text
}
