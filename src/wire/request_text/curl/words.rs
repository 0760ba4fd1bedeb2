//! A shell command line as words: POSIX quoting, and the `$'…'` that browsers write when they "copy as cURL (bash)".

use std::borrow::Cow;

use super::super::error::RequestTextError;

/// Splits a command line. Nothing is expanded.
pub(super) fn split(line: &str) -> Result<Vec<String>, RequestTextError> {
    let line = without_carriage_returns(line);
    let line = if line.contains("$'") { Cow::Owned(dollar_quotes_as_plain(&line)?) } else { line };
    shell_words::split(&line).map_err(|_| RequestTextError::OpenQuote)
}

/// A word that the shell hands over as it is, whatever it holds.
pub(super) fn quoted(word: &str) -> String {
    // `shell_words::quote` leaves braces and `!` bare, which bash and zsh expand.
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A text from Windows has CR LF at every line's end. Where some ends are LF alone, a CR is part of the data.
fn without_carriage_returns(line: &str) -> Cow<'_, str> {
    if line.matches("\r\n").count() == line.matches('\n').count() {
        Cow::Owned(line.replace("\r\n", "\n"))
    } else {
        Cow::Borrowed(line)
    }
}

/// Writes each `$'…'` as `'…'`. What stands in other quotes is left alone.
fn dollar_quotes_as_plain(line: &str) -> Result<String, RequestTextError> {
    let (mut plain, mut rest) = (String::with_capacity(line.len()), line.chars());
    let mut open = None;
    while let Some(next) = rest.next() {
        if open.is_none() && next == '$' && rest.as_str().starts_with('\'') {
            rest.next();
            plain.push_str(&quoted(&read_dollar_quote(&mut rest)?));
            continue;
        }
        plain.push(next);
        if next == '\\' && open != Some('\'') {
            plain.extend(rest.next());
        } else if open == Some(next) {
            open = None;
        } else if open.is_none() && (next == '\'' || next == '"') {
            open = Some(next);
        }
    }
    Ok(plain)
}

/// Reads up to and with the closing quote.
fn read_dollar_quote(rest: &mut std::str::Chars<'_>) -> Result<String, RequestTextError> {
    let mut text = String::new();
    loop {
        match rest.next() {
            None => return Err(RequestTextError::OpenQuote),
            Some('\'') => return Ok(text),
            Some('\\') => text.push(read_escape(rest)?),
            Some(plain) => text.push(plain),
        }
    }
}

fn read_escape(rest: &mut std::str::Chars<'_>) -> Result<char, RequestTextError> {
    let letter = rest.next().ok_or(RequestTextError::OpenQuote)?;
    match letter {
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        '\\' | '\'' | '"' | '?' => Ok(letter),
        'x' => read_code(letter, 2, rest),
        'u' => read_code(letter, 4, rest),
        'U' => read_code(letter, 8, rest),
        _ => Err(RequestTextError::Escape(format!("\\{letter}"))),
    }
}

/// Reads at most `longest` hexadecimal digits. `\xHH` is a byte, and a byte is a character only in ASCII.
fn read_code(letter: char, longest: usize, rest: &mut std::str::Chars<'_>) -> Result<char, RequestTextError> {
    let digits: String = rest.clone().take(longest).take_while(char::is_ascii_hexdigit).collect();
    rest.by_ref().take(digits.len()).for_each(drop);
    let code = u32::from_str_radix(&digits, 16).ok().filter(|code| letter != 'x' || *code < 0x80);
    code.and_then(char::from_u32).ok_or_else(|| RequestTextError::Escape(format!("\\{letter}{digits}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_browsers_quotes_are_read() {
        let line = r#"-d $'a=\'it\\\'\u0021\n\u540e' 'cost $' "$'x'" $'\x41'b"#;
        assert_eq!(split(line).unwrap(), ["-d", "a='it\\'!\n后", "cost $", "$'x'", "Ab"]);
    }

    #[test]
    fn an_escape_of_no_character_is_refused() {
        for (line, escape) in [("$'\\xff'", "\\xff"), ("$'\\ud800'", "\\ud800"), ("$'\\c'", "\\c")] {
            assert_eq!(split(line).unwrap_err(), RequestTextError::Escape(escape.to_owned()));
        }
    }

    #[test]
    fn an_open_quote_is_refused() {
        for line in ["-d 'it's'", "-d \"a", "$'a\\"] {
            assert_eq!(split(line).unwrap_err(), RequestTextError::OpenQuote);
        }
    }

    #[test]
    fn continued_lines_may_end_as_windows_ends_them() {
        assert_eq!(split("curl \\\r\n  -v \\\r\n h").unwrap(), ["curl", "-v", "h"]);
        assert_eq!(split("curl \\\n -d 'a\r\nb'").unwrap(), ["curl", "-d", "a\r\nb"]);
    }

    proptest! {
        #[test]
        fn a_quoted_word_is_one_word(word in "(?s)[^\r]*") {
            prop_assert_eq!(split(&quoted(&word)).unwrap(), [word]);
        }
    }
}
