//! Parameters: what is decoded can be written by either encoding, and decodes to the same again.

use weighbridge::wire::{Params, encode_form, encode_strict, to_canonical};

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
    let mut reversed: Vec<(&str, &str)> = params.pairs().collect();
    reversed.reverse();
    let canonical = to_canonical(params.pairs());
    assert_eq!(canonical, to_canonical(reversed.into_iter()), "the canonical form has one order");
    let known: Vec<_> = Params::decode(&canonical).unwrap_or_default().into_iter().collect();
    let mut own: Vec<_> = params.iter().cloned().collect();
    own.sort_unstable_by(|one, other| (&one.name, &one.value).cmp(&(&other.name, &other.value)));
    if own.iter().all(|param| stays_short(&param.name)) {
        assert_eq!(known, own, "and holds what they do");
    }
}
