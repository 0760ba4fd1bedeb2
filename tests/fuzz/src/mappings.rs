//! Mapping files: a text laid over one either compiles into tables that can be used, or is told what is wrong with it, at a
//! place that it has. The first line of an input is a comment that names the file.

use http::Method;
use weighbridge::{
    mapping::{Diagnostic, SourceText, Sources, Tables},
    model::{Fault, FaultKind},
    providers::PROVIDERS,
    wire::Call,
};

use super::{checks, clouds};

const LAYER: &str = "layer.toml";

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let first = text.lines().next().unwrap_or_default();
    let mut sources = Sources::embedded();
    if sources.lay(first.trim_start_matches('#').trim(), SourceText::new(LAYER, text)).is_err() {
        return;
    }
    match Tables::compile(&sources) {
        Ok(tables) => can_be_used(&tables),
        Err(problems) => {
            assert!(!problems.is_empty(), "it is refused, and nothing is wrong");
            for problem in problems {
                has_a_place(&problem, text);
            }
        }
    }
}

/// Every fault can be told by them, and a usual request be read or refused.
fn can_be_used(tables: &Tables) {
    for provider in PROVIDERS {
        let cloud = tables.cloud(provider.id).expect("a layer takes no cloud away");
        let call = Call::new(Method::GET, "", "/", provider.showcase.request.trim().to_owned());
        let arrival = provider.ingress.unpack(call.clone()).expect("the showcase can be unpacked");
        let mut envelope = provider.ingress.envelope(&call, &clouds::stamp(), cloud);
        provider.ingress.complete(&mut envelope, &arrival, cloud);
        let refused = provider.ingress.read(&arrival, cloud).err();
        let faults = FaultKind::ALL.iter().map(|kind| Fault::of_field(*kind, "Port", "it is `<&>`"));
        for fault in faults.chain(refused) {
            checks::refusal(provider, cloud, &envelope, &fault);
        }
    }
}

/// A layer may lack what the file below it needs and gets from no layer: then the place is in that one.
fn has_a_place(problem: &Diagnostic, text: &str) {
    let Diagnostic { file, line, column, message, severity: _ } = problem;
    assert!(!message.is_empty(), "{problem:?}");
    assert!(*line > 0 && *column > 0, "{problem}");
    if &**file != LAYER {
        return;
    }
    let found = text.split('\n').nth(line - 1).unwrap_or_else(|| panic!("there is no such line: {problem}"));
    assert!(*column <= found.chars().count() + 1, "there is no such column: {problem}");
}
