//! The view of what is kept. What a store does is seen from outside, in `tests/it/stores.rs`.

use super::*;
use crate::model::{BackendId, Port};

fn group(name: &str) -> GroupKey {
    GroupKey { cloud: "prod".into(), group: name.into() }
}

fn described(name: &str, port: u32, words: &str) -> Keepsake {
    let entry = Entry { group: group(name), server: "i-1".into(), port: Port::new(port).unwrap() };
    let id = BackendId::new(format!("backend-{port}"));
    Keepsake::Backend(entry, Remembered { description: Some(words.to_owned()), id, ..Remembered::default() })
}

#[test]
fn the_view_follows_an_id_from_port_to_port() {
    let kept = Kept::default();
    let Keepsake::Backend(old, remembered) = described("g1", 80, "words") else { unreachable!() };
    let new = Entry { port: Port::new(81).unwrap(), ..old.clone() };
    assert!(kept.keep(&Keepsake::Backend(old.clone(), remembered.clone())));
    assert!(!kept.keep(&Keepsake::Backend(old.clone(), remembered.clone())), "nothing new");
    assert!(kept.keep(&Keepsake::Backend(new.clone(), remembered.clone())));
    assert!(kept.keep(&Keepsake::Backend(old, Remembered::default())));
    assert_eq!(kept.owner(&"prod".into(), &remembered.id.unwrap()), Some(new));
    kept.fill(kept.ask(), Some(&group("g1")), &[]);
    assert_eq!(kept.owner(&"prod".into(), &BackendId::new("backend-80").unwrap()), None);
}

/// Reads look into the store beside each other, and beside a writer who has looked at its own group.
#[test]
fn an_answer_that_comes_late_takes_no_newer_ones_place() {
    let (kept, old, new) = (Kept::default(), described("g1", 80, "old"), described("g1", 80, "new"));
    let other = described("g2", 80, "other");
    let words = |keepsake: &Keepsake| match keepsake {
        Keepsake::Backend(entry, _) => kept.remembered(entry).description,
        Keepsake::Group(..) => unreachable!(),
    };
    let (first, second, third) = (kept.ask(), kept.ask(), kept.ask());
    kept.fill(second, Some(&group("g1")), std::slice::from_ref(&new));
    kept.fill(first, None, &[old.clone(), other.clone()]);
    assert_eq!((words(&old).as_deref(), words(&other).as_deref()), (Some("new"), Some("other")));
    kept.fill(third, None, std::slice::from_ref(&old));
    kept.fill(second, None, &[new.clone(), other.clone()]);
    kept.fill(second, Some(&group("g1")), &[new]);
    assert_eq!((words(&old).as_deref(), words(&other)), (Some("old"), None));
}
