//! The view of what is kept. What a store does is seen from outside, in `tests/it/stores.rs`.

use super::*;
use crate::model::{BackendId, Port};

fn group(name: &str) -> GroupKey {
    GroupKey { cloud: "prod".to_owned(), group: name.to_owned() }
}

fn described(name: &str, port: u32, words: &str) -> Keepsake {
    let entry = Entry { group: group(name), server: "i-1".to_owned(), port: Port::new(port).unwrap() };
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
    assert_eq!(kept.owner("prod", &remembered.id.unwrap()), Some(new));
    kept.fill(Some(&group("g1")), &[]);
    assert_eq!(kept.owner("prod", &BackendId::new("backend-80").unwrap()), None);
}
