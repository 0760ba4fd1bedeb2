//! What somebody who wrote a word that nobody knows probably meant.

/// What to write instead of `word`.
#[must_use]
pub fn instead(word: &str, known: &[&str]) -> String {
    let list = known.join(", ");
    match nearest(word, known) {
        Some(near) if known.len() > MOST => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? known here: {list}"),
        None => format!("write one of {list}"),
    }
}

/// More words beside the one that was probably meant only hide it.
const MOST: usize = 16;

/// The one that is at most two slips of the finger away, and not more than a third of the word.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let slips = |name: &str| distance(&word.to_lowercase(), &name.to_lowercase());
    let (slips, near) = known.iter().map(|name| (slips(name), *name)).min()?;
    (slips <= 2 && slips * 3 <= near.chars().count()).then_some(near)
}

/// How many letters have to be added, dropped or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut next = vec![line + 1];
        for ((column, other), above) in to.iter().enumerate().zip(row.windows(2)) {
            let [diagonal, above] = above else { continue };
            let changed = diagonal + usize::from(letter != *other);
            let dropped = above + 1;
            let added = next.get(column).map_or(usize::MAX, |left| left + 1);
            next.push(changed.min(dropped).min(added));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        for (from, to, wanted) in
            [("", "abc", 3), ("kitten", "sitting", 3), ("über", "uber", 1), ("x", "x", 0)]
        {
            assert_eq!(distance(from, to), wanted, "{from} {to}");
        }
    }

    #[test]
    fn only_a_near_miss_is_guessed_at() {
        let known = ["listen", "admin", "tls"];
        for (word, wanted) in [("lisen", Some("listen")), ("Listen", Some("listen")), ("port", None)] {
            assert_eq!(nearest(word, &known), wanted, "{word}");
        }
    }
}
