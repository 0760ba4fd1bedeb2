//! What requests say of their signers: no signature is ever printed, and what a scheme signs it finds signed.

use weighbridge::{
    auth::Credential,
    crypto::Secret,
    dialect::{Arrival, Claim, Invocation, Provider, Scheme},
    mapping::Cloud,
    wire::{Params, encode_strict},
};

use super::{clouds, message::read_call};

pub fn run(input: &[u8]) {
    let Some(call) = read_call(input) else { return };
    for (provider, cloud) in clouds::all() {
        let Ok(arrival) = provider.ingress.unpack(call.clone()) else { continue };
        for scheme in provider.schemes {
            claimed(*scheme, &arrival);
            let invocation = provider.ingress.invocation(&arrival);
            if can_be_signed(&invocation, cloud) {
                signed(provider, *scheme, &invocation);
            }
        }
    }
}

fn claimed(scheme: &dyn Scheme, arrival: &Arrival) {
    assert_eq!(scheme.string_to_sign(arrival), scheme.string_to_sign(arrival), "one string to sign");
    let Some(Ok(claim)) = scheme.claim(arrival) else { return };
    assert_eq!(scheme.key_id(arrival), Some(claim.key_id), "the key id is the claim's");
    let Some(Ok(again)) = scheme.claim(arrival) else { panic!("it was claimed, and is no longer") };
    assert_eq!(claim, again, "it claims the same twice");
    // Not by looking for the signature in the text: a short one may stand in a key id by chance.
    let unsigned = Claim { signature: Vec::new(), ..claim.clone() };
    assert_eq!(
        format!("{claim:?}"),
        format!("{unsigned:?}"),
        "what is printed does not hang on the signature"
    );
}

/// What is left of a request when its authentication is taken away can be signed and is found to be.
fn signed(provider: &Provider, scheme: &dyn Scheme, invocation: &Invocation) {
    let credential = Credential { key_id: "key".to_owned(), secret: Secret::new("secret"), token: None };
    let call = scheme.sign(invocation, "https://cloud.example", &credential, &clouds::stamp());
    let arrival = provider.ingress.unpack(call).expect("what was signed can be unpacked");
    let claim = scheme.claim(&arrival).expect("it is signed by this scheme").expect("its signature is whole");
    let signature = scheme.signature(&scheme.string_to_sign(&arrival), &credential.secret);
    assert_eq!((claim.key_id, claim.signature), ("key", signature), "it is the key's");
    let Invocation { action, version, params } = provider.ingress.invocation(&arrival);
    assert_eq!(
        (&action, own(params)),
        (&invocation.action, own(invocation.params.clone())),
        "it asks for the same"
    );
    assert_eq!(version.filter(|version| !version.is_empty()), invocation.version, "of the same version");
}

/// What is asked for, but for the format of the reply: a scheme asks for one where the request does not.
fn own(mut params: Params) -> Params {
    params.retain(|name| name != "Format");
    params
}

/// Whether a call has room for it, in a header too: no cloud has other names, and none has less than a version.
fn can_be_signed(invocation: &Invocation, cloud: &Cloud) -> bool {
    let Invocation { action, version, params } = invocation;
    let plain = |word: &str| word.bytes().all(|byte| byte.is_ascii_graphic());
    let short = |name: &str| {
        let mut encoded = String::new();
        encode_strict(name, &mut encoded);
        encoded.len() <= Params::LONGEST_NAME
    };
    plain(action)
        && version.is_some() == cloud.version.is_some()
        && version.as_deref().is_none_or(|version| !version.is_empty() && plain(version))
        && params.len() + 10 <= Params::MOST
        && params.iter().all(|param| short(&param.name))
}
