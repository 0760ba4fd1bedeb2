//! Every signature vector, stage by stage: the first stage that differs is the broken one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use weighbridge::{
    auth::{Credential, Stamps},
    crypto::Secret,
    dialect::{Arrival, Invocation, Scheme},
    providers::PROVIDERS,
    wire::{Call, Params},
};

use crate::support::{fixture, message::read_call};

struct Vector {
    folder: PathBuf,
}

impl Vector {
    fn all(scheme: &str) -> Vec<Self> {
        let folders = fs::read_dir(fixture("signatures").join(scheme)).unwrap();
        let mut vectors: Vec<Self> = folders
            .map(|entry| Self { folder: entry.unwrap().path() })
            .filter(|v| v.folder.is_dir())
            .collect();
        vectors.sort_by(|a, b| a.folder.cmp(&b.folder));
        vectors
    }

    fn file(&self, name: &str) -> String {
        let path: &Path = &self.folder.join(name);
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn key(&self, half: &str) -> String {
        let keys = self.file("key.txt");
        let prefix = format!("{half}=");
        keys.lines().find_map(|line| line.strip_prefix(&prefix)).expect("both halves").to_owned()
    }

    fn arrival(&self) -> (&'static dyn Scheme, Arrival) {
        let id = self.folder.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let found = PROVIDERS.iter().find_map(|provider| {
            let scheme = provider.schemes.iter().find(|scheme| scheme.id() == id)?;
            Some((provider, *scheme))
        });
        let (provider, scheme) = found.expect("a scheme of this name");
        let call = read_call(&self.file("request.http"));
        let arrival =
            provider.ingress.unpack(call).unwrap_or_else(|fault| panic!("{}: {fault}", self.name()));
        (scheme, arrival)
    }

    fn name(&self) -> String {
        self.folder.display().to_string()
    }

    /// What of `canonical.txt` the string to sign shows for this scheme.
    fn canonical_is_in(&self, scheme: &str, string_to_sign: &str) -> bool {
        let canonical = self.file("canonical.txt");
        match scheme {
            "v1" => {
                let mut encoded = String::new();
                weighbridge::wire::encode_strict(&canonical, &mut encoded);
                string_to_sign.ends_with(&encoded)
            }
            "acs3" => {
                let digest = weighbridge::crypto::hex(&weighbridge::crypto::sha256(canonical.as_bytes()));
                string_to_sign.ends_with(&digest)
            }
            _ => canonical.lines().map(|line| line.replace('\t', "")).collect::<String>() == string_to_sign,
        }
    }
}

fn check(scheme_id: &str, at_least: usize) {
    let vectors = Vector::all(scheme_id);
    assert!(vectors.len() >= at_least, "only {} vectors of {scheme_id}", vectors.len());
    for vector in vectors {
        let (scheme, arrival) = vector.arrival();
        let string_to_sign = scheme.string_to_sign(&arrival);
        assert!(vector.canonical_is_in(scheme_id, &string_to_sign), "{}: {string_to_sign}", vector.name());
        assert_eq!(string_to_sign, vector.file("string-to-sign.txt"), "{}", vector.name());
        let claim = scheme.claim(&arrival).expect("signed by this scheme");
        let claim = claim.unwrap_or_else(|fault| panic!("{}: {fault}", vector.name()));
        assert_eq!(claim.key_id, vector.key("id"), "{}", vector.name());
        let signature = scheme.signature(&string_to_sign, &Secret::new(vector.key("secret")));
        assert_eq!(signature, claim.signature, "{}", vector.name());
        assert!(!string_to_sign.contains(&vector.key("secret")), "{}", vector.name());
    }
}

/// What the gateway signs itself, it can verify: with and without a token, short and long.
#[test]
fn what_every_scheme_signs_it_verifies() {
    let stamp = Stamps::fixed("2026-01-02T03:04:05Z".parse().unwrap()).next();
    for (provider, scheme) in PROVIDERS.iter().flat_map(|p| p.schemes.iter().map(move |scheme| (p, *scheme)))
    {
        for (token, text) in
            [(None, "a b~c*d+e/测试'".to_owned()), (Some("sts+tok/en=="), "x ".repeat(10_000))]
        {
            let credential = Credential {
                key_id: "testid".to_owned(),
                secret: Secret::new("testsecret"),
                token: token.map(Secret::new),
            };
            let mut params = Params::default();
            params.push("Description", text.as_str());
            let invocation =
                Invocation { action: "Act".to_owned(), version: Some("2014-05-15".to_owned()), params };
            let call = scheme.sign(&invocation, "https://lb.example:8443", &credential, &stamp);
            assert!(call.query.len() < 10_000, "{}: what is long goes into the body", scheme.id());

            let arrival = provider.ingress.unpack(Call { origin: String::new(), ..call }).unwrap();
            let claim = scheme.claim(&arrival).unwrap().unwrap();
            assert_eq!((claim.key_id, claim.token), ("testid", token), "{}", scheme.id());
            let signature = scheme.signature(&scheme.string_to_sign(&arrival), &credential.secret);
            assert_eq!(signature, claim.signature, "{}", scheme.id());
            let read = provider.ingress.invocation(&arrival);
            assert_eq!((read.action.as_str(), read.params.get("Description")), ("Act", Some(text.as_str())));
        }
    }
}

#[test]
fn rpc_signature_1_0_matches_every_vector() {
    check("v1", 10);
}

#[test]
fn acs3_matches_every_vector() {
    check("acs3", 6);
}

#[test]
fn ucloud_sha1_matches_every_vector() {
    check("sha1", 12);
}
