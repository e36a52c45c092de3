//! What must never be shown: which keys look secret, and passwords inside URLs.

use std::ops::Range;

/// Stands where a secret stood.
pub(crate) const REDACTED: &str = "<redacted>";

/// Parts of names that promise a secret, wherever they stand in the name.
const SECRET_PARTS: [&str; 9] = [
    "apikey",
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "credential",
    "authorization",
    "private_key",
];

/// Whether the value under a key of this name is to be hidden: `api_key`, `DB_PASSWORD`, `AWS-Secret`, ….
pub(crate) fn looks_secret(key: &str) -> bool {
    let name = key.to_lowercase().replace('-', "_");
    name == "key" || name.ends_with("_key") || SECRET_PARTS.iter().any(|part| name.contains(part))
}

/// Where secrets stand inside a text: passwords of URLs (`scheme://user:password@host`) and values that a
/// secret-looking name is set to (`--api-key=…`, `TOKEN=…`). In order, apart from each other.
pub(crate) fn inside(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, sign) in text.match_indices("://").chain(text.match_indices('=')) {
        let start = at + sign.len();
        // Inside what is hidden already nothing is looked for, which also keeps this linear.
        if found.iter().rev().take(1).any(|last| last.contains(&at)) {
            continue;
        }
        let range = if sign == "=" { assigned(text, at) } else { password(text, start) };
        found.extend(range);
    }
    found.sort_by_key(|range| range.start);
    found.dedup_by(|next, last| {
        let joined = next.start < last.end;
        if joined {
            last.end = last.end.max(next.end);
        }
        joined
    });
    found
}

fn password(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    let end = rest.find(|c: char| c.is_whitespace() || "/\"'<>".contains(c)).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let (colon, sign) = (authority.find(':')?, authority.rfind('@')?);
    (colon < sign).then_some(start + colon + 1..start + sign)
}

fn assigned(text: &str, sign: usize) -> Option<Range<usize>> {
    let name = text.get(..sign)?.rsplit(|c: char| !(c.is_alphanumeric() || "_-".contains(c))).next()?;
    if !looks_secret(name) {
        return None;
    }
    let start = sign + 1;
    let rest = text.get(start..)?;
    let end = rest.find(|c: char| c.is_whitespace() || "\"',]}&".contains(c)).unwrap_or(rest.len());
    Some(start..start + end)
}

/// A text with the secrets inside it hidden.
pub(crate) fn redacted(text: &str) -> String {
    let mut out = text.to_owned();
    for range in inside(text).into_iter().rev() {
        out.replace_range(range, REDACTED);
    }
    out
}

/// What to hide of a text that could not be read as keys and values: the rest of every line after a secret key,
/// and what follows it up to the next line that looks like a key and is no deeper.
pub(crate) fn secret_lines(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut start) = (Vec::new(), 0);
    let mut outer: Option<usize> = None;
    let mut quote: Option<char> = None;
    for line in text.split_inclusive(['\n', '\r']) {
        let content = line.trim_end();
        let indent = content.len() - content.trim_start().len();
        let end = start + content.len();
        let goes_on = |outer: usize| content.is_empty() || indent > outer || !has_key(content);
        if let Some(sign) = quote {
            found.push(start..end);
            quote = if content.contains(sign) { None } else { quote };
        } else if outer.is_some_and(goes_on) {
            found.push(start..end);
        } else {
            let value = first_secret_value(content);
            found.extend(value.map(|value| start + value..end));
            outer = value.map(|_| indent);
            quote = value.and_then(|value| open_quote(content.get(value..)?));
        }
        start += line.len();
    }
    found.retain(|range| !range.is_empty());
    found
}

/// Whether a line begins with something that may be a key.
fn has_key(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| key.contains(char::is_alphanumeric))
}

/// The quote that a value opens and does not close.
fn open_quote(value: &str) -> Option<char> {
    let sign = value.trim_start().chars().next().filter(|c| matches!(c, '"' | '\''))?;
    (!value.matches(sign).count().is_multiple_of(2)).then_some(sign)
}

/// The byte after the colon of the first secret-looking key of a line.
fn first_secret_value(line: &str) -> Option<usize> {
    line.match_indices(':').find_map(|(colon, _)| {
        let before = line.get(..colon)?.trim_end_matches(['"', '\'', ' ', '\t']);
        let name = before.rsplit(|c: char| !(c.is_alphanumeric() || "_-".contains(c))).next()?;
        looks_secret(name).then_some(colon + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_promise_a_secret_are_known_by_their_parts() {
        for name in
            ["api_key", "API-KEY", "db_password", "GITHUB_TOKEN", "clientSecret", "signing_key", "key"]
        {
            assert!(looks_secret(name), "{name}");
        }
        for name in ["name", "keyboard", "monkey", "level", "keys"] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn secrets_inside_texts_are_found_and_ports_are_not() {
        assert_eq!(redacted("postgres://me:pw:x@h:5432/d"), "postgres://me:<redacted>@h:5432/d");
        assert_eq!(redacted("http://h:80/a@b"), "http://h:80/a@b");
        assert_eq!(redacted("a://b:c@d e://f:g@h"), "a://b:<redacted>@d e://f:<redacted>@h");
        assert_eq!(
            redacted("[--api-key=x, TOKEN=y=z, a=b]"),
            "[--api-key=<redacted>, TOKEN=<redacted>, a=b]"
        );
        assert_eq!(redacted("token=a://b:c@d"), "token=<redacted>");
    }

    #[test]
    fn lines_of_a_broken_file_are_hidden_from_a_secret_key_on() {
        let text = "a: 1\n  api_key: |\n    one\ntwo\n  b: 2\n{\"token\": \"x\n y: z\n\" b: 3\nc: 4\n";
        let hidden: Vec<_> = secret_lines(text).into_iter().map(|range| text.get(range).unwrap()).collect();
        assert_eq!(hidden, [" |", "    one", "two", " \"x", " y: z", "\" b: 3"]);
    }
}
