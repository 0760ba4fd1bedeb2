//! `weighbridge sign`.

use std::io::{self, Write};

use super::{Ending, Usage, embedded::Problems, request_text};
use crate::{
    auth::{Credential, Stamps},
    config::flaw_of_secret,
    crypto::Secret,
    dialect::{Provider, Scheme},
    mapping::{Sources, Tables},
    providers::{PROVIDERS, provider},
    wire::{Call, read_request, to_curl},
};

pub(super) const EXAMPLES: &str = "\
Time and nonce are new. The string to sign goes to standard error, to be compared with what a server says it signed.

Examples:
  weighbridge sign --dialect ucloud --key-id someone@example.com123 --secret-from env:UCLOUD_PRIVATE_KEY 'https://api.ucloud.cn/?Action=DescribeVServer&Region=cn-bj2&ULBId=ulb-abc123'
  weighbridge sign --dialect aliyun --scheme v1 --key-id LTAI5tExample --secret-from file:/run/secrets/aliyun < request.http";

/// Sign a request and print it as a curl command line.
#[derive(Debug, clap::Args)]
pub(super) struct Sign {
    /// The language of the request
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(PROVIDERS.iter().map(|provider| provider.id)))]
    dialect: String,
    /// The signature scheme; without it, the one that the cloud's own SDKs use
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(
        PROVIDERS.iter().flat_map(|provider| provider.schemes).map(|scheme| scheme.id())))]
    scheme: Option<String>,
    /// The key id to sign as
    #[arg(long, value_name = "K", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key_id: String,
    /// Where the secret is: env:NAME or file:PATH
    #[arg(long, value_name = "REFERENCE")]
    secret_from: String,
    /// Where the security token of temporary keys is: env:NAME or file:PATH
    #[arg(long, value_name = "REFERENCE")]
    token_from: Option<String>,
    /// A URL, a curl command line, or a raw HTTP request; without it, standard input
    #[arg(value_name = "REQUEST")]
    request: Option<String>,
}

impl Sign {
    pub(super) fn run(&self) -> Ending {
        let provider = provider(&self.dialect).ok_or("no such dialect")?;
        let tables = Tables::compile(&Sources::embedded()).map_err(Problems)?;
        let cloud = tables.cloud(provider.id).ok_or("no such dialect")?;
        let scheme = self.scheme(provider, &cloud.signature)?;
        let token = self.token_from.as_deref().map(read_secret).transpose()?;
        let credential =
            Credential { key_id: self.key_id.clone(), secret: read_secret(&self.secret_from)?, token };
        let call = read_request(&request_text(self.request.as_deref())?)?;
        let origin = origin(&call)?;
        let unpack = |call| provider.ingress.unpack(call).map_err(|fault| fault.to_string());
        let mut invocation = provider.ingress.invocation(&unpack(call)?);
        if invocation.action.is_empty() {
            return Err("the request names no `Action`; add one".into());
        }
        invocation.version = invocation.version.or_else(|| cloud.version.clone());
        let signed = scheme.sign(&invocation, &origin, &credential, &Stamps::system()?.next());
        let string_to_sign = scheme.string_to_sign(&unpack(signed.clone())?);
        writeln!(io::stderr().lock(), "string to sign:\n{string_to_sign}\n")?;
        writeln!(io::stdout().lock(), "{}", to_curl(&signed))?;
        Ok(true)
    }

    fn scheme(&self, provider: &Provider, default: &str) -> Result<&'static dyn Scheme, Usage> {
        let wanted = self.scheme.as_deref().unwrap_or(default);
        provider.schemes.iter().copied().find(|scheme| scheme.id() == wanted).ok_or_else(|| {
            let known: Vec<&str> = provider.schemes.iter().map(|scheme| scheme.id()).collect();
            Usage(format!("`{}` has no scheme `{wanted}`; write one of {}", provider.id, known.join(", ")))
        })
    }
}

/// The secret that a reference names, read as a config would read it.
fn read_secret(reference: &str) -> Result<Secret, Usage> {
    let text = if let Some(name) = reference.strip_prefix("env:") {
        std::env::var(name)
            .map_err(|_| Usage(format!("the environment variable `{name}` is not set; export it")))?
    } else if let Some(path) = reference.strip_prefix("file:") {
        let unread =
            |error| Usage(format!("`{path}` cannot be read: {error}; write the path of a text file"));
        std::fs::read_to_string(path).map_err(unread)?.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        // A secret on a command line can be read by every user of the machine.
        let what = "a secret is named by env:NAME or file:PATH, never written on the command line";
        return Err(Usage(what.to_owned()));
    };
    match flaw_of_secret(&text) {
        None => Ok(Secret::new(text)),
        Some(flaw) => Err(Usage(format!("what `{reference}` names {flaw}"))),
    }
}

/// Where the request goes: its own origin, or that of its Host header.
fn origin(call: &Call) -> Result<String, String> {
    if !call.origin.is_empty() {
        return Ok(call.origin.clone());
    }
    let host = call.header("host").filter(|host| !host.is_empty());
    host.map(|host| format!("https://{host}"))
        .ok_or_else(|| "the request does not say where it goes; give a whole URL or a Host header".to_owned())
}
