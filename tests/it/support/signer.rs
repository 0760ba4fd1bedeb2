//! Signed requests, made by `weighbridge sign`.

use std::process::Command;

use super::{
    program::{Ended, run},
    served::{PATIENCE, weighbridge},
};

/// Who signs a request, and how.
#[derive(Debug, Clone, Copy)]
pub struct Signer {
    /// The language of the request.
    pub dialect: &'static str,
    /// The signature scheme.
    pub scheme: &'static str,
    /// Whose key it is.
    pub key_id: &'static str,
    /// What it is signed with.
    pub secret: &'static str,
}

/// The embedded default's client of Alibaba Cloud, by its newer scheme.
pub const ACS3: Signer =
    Signer { dialect: "aliyun", scheme: "acs3", key_id: "demo-aliyun", secret: "demo-aliyun-secret" };
/// The same by the older one.
pub const V1: Signer = Signer { scheme: "v1", ..ACS3 };
/// The embedded default's client of UCloud.
pub const SHA1: Signer =
    Signer { dialect: "ucloud", scheme: "sha1", key_id: "demo-ucloud", secret: "demo-ucloud-secret" };

impl Signer {
    /// `weighbridge sign` for the request with these parameters to `endpoint`.
    pub fn command(self, endpoint: &str, query: &str) -> Command {
        let Self { dialect, scheme, key_id, secret } = self;
        let request = format!("http://{endpoint}/?{query}");
        let mut command =
            weighbridge(&["sign", "--dialect", dialect, "--scheme", scheme, "--key-id", key_id]);
        command.args(["--secret-from", "env:WEIGHBRIDGE_TEST_SECRET", &request]);
        command.env("WEIGHBRIDGE_TEST_SECRET", secret);
        command
    }

    /// The curl command line that it prints.
    pub fn curl_line(self, endpoint: &str, query: &str) -> String {
        let Ended { code, out, err } = run(&mut self.command(endpoint, query), "", PATIENCE);
        assert_eq!(code, Some(0), "{err}");
        out
    }
}
