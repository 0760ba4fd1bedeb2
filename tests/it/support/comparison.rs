//! Compares what was found with what was wanted, and says where they part.

use serde_json::Value;

/// Whether `found` is `wanted`, in which a `*` stands for any text.
pub fn text_fits(wanted: &str, found: &str) -> bool {
    let mut parts = wanted.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Compares two documents. Members of an object may stand in any order, items of a list may not.
///
/// # Errors
/// The first place at which they part.
pub fn document_fits(wanted: &Value, found: &Value) -> Result<(), String> {
    match (wanted, found) {
        (Value::String(wanted), Value::String(found)) if text_fits(wanted, found) => Ok(()),
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            let mut pairs = wanted.iter().zip(found).enumerate();
            pairs.try_for_each(|(at, (wanted, found))| under(&format!("[{at}]"), wanted, found))
        }
        (Value::Object(wanted), Value::Object(found)) if wanted.keys().eq(found.keys()) => {
            wanted.iter().try_for_each(|(name, wanted)| under(&format!(".{name}"), wanted, &found[name]))
        }
        (wanted, found) if wanted == found => Ok(()),
        (wanted, found) => Err(format!(": wanted {wanted}, found {found}")),
    }
}

fn under(place: &str, wanted: &Value, found: &Value) -> Result<(), String> {
    document_fits(wanted, found).map_err(|rest| format!("{place}{rest}"))
}

#[test]
fn a_star_stands_for_any_text() {
    for (wanted, found) in [("a", "a"), ("*", ""), ("*", "a"), ("a*c", "abc"), ("*b*c", "abbc"), ("a*", "a")]
    {
        assert!(text_fits(wanted, found), "{wanted} {found}");
    }
    for (wanted, found) in [("a", "ab"), ("a*c", "abcd"), ("*b*b", "ab"), ("ab*b", "ab"), ("", "a")] {
        assert!(!text_fits(wanted, found), "{wanted} {found}");
    }
}

#[test]
fn a_number_is_no_text_and_a_list_has_an_order() {
    let wanted = serde_json::json!({"List": [{"Port": 80}, {"Port": 81}], "Id": "*"});
    let same = serde_json::json!({"Id": "x", "List": [{"Port": 80}, {"Port": 81}]});
    assert_eq!(document_fits(&wanted, &same), Ok(()));
    let text = serde_json::json!({"Id": "x", "List": [{"Port": 80}, {"Port": "81"}]});
    assert_eq!(document_fits(&wanted, &text), Err(".List[1].Port: wanted 81, found \"81\"".to_owned()));
    let more = serde_json::json!({"Id": "x", "List": [{"Port": 80}, {"Port": 81}], "More": 1});
    assert!(document_fits(&wanted, &more).is_err());
}
