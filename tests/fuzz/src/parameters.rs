//! Parameters: what is decoded can be written by either encoding, and decodes to the same again.

use weighbridge::wire::{Params, encode_form, encode_strict};

pub fn run(input: &[u8]) {
    let Ok(raw) = std::str::from_utf8(input) else { return };
    let decoded = Params::decode(raw);
    assert_eq!(decoded, Params::decode(raw), "it reads the same twice");
    let params = match decoded {
        Ok(params) => params,
        Err(error) => return assert!(!error.name.contains('&') && !error.fault.is_empty(), "{error}"),
    };
    assert!(params.len() <= Params::MOST, "{} parameters", params.len());
    if params.iter().all(|param| stays_short(&param.name)) {
        assert_eq!(Params::decode(&params.to_query()).as_ref(), Ok(&params), "as a query");
        assert_eq!(Params::decode(&params.to_form()).as_ref(), Ok(&params), "as a form");
    }
    canonical_form_has_one_order(&params);
    let twice =
        params.iter().find(|param| params.iter().filter(|other| other.name == param.name).count() > 1);
    assert_eq!(params.doubled().is_some(), twice.is_some(), "a name that stands there twice is found");
}

/// Names are bounded as they stand on the wire, and encoded anew one may grow longer than that.
fn stays_short(name: &str) -> bool {
    let (mut strict, mut form) = (String::new(), String::new());
    encode_strict(name, &mut strict);
    encode_form(name, &mut form);
    strict.len().max(form.len()) <= Params::LONGEST_NAME
}

fn canonical_form_has_one_order(params: &Params) {
    let pairs = params.iter().rev().map(|param| (param.name.clone(), param.value.clone()));
    let reversed: Params = pairs.collect();
    assert_eq!(params.to_canonical(""), reversed.to_canonical(""), "the canonical form has one order");
    let without = params.to_canonical("Signature");
    assert!(!without.split('&').any(|pair| pair.starts_with("Signature=")), "{without}");
}
