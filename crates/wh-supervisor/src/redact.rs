//! Takes secrets that the host knows out of what people will read: a worker's log, its last words, its errors.
//!
//! Known are the values of a worker's own variables that came from outside the configuration or have a name that promises a
//! secret. They are found as they are, and as base64, in URLs and in JSON. It is the best that can be done with text that
//! somebody else writes: a worker that wants its secret to be read can spell it in another way.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Stands where a secret stood.
const HIDDEN: &str = "<redacted>";

/// Shorter values stand in too many other words: `true`, `8080`.
const SHORTEST: usize = 6;

/// Of a secret that a cut went through, so many bytes give it away.
const SHORTEST_PART: usize = 4;

/// The secrets of one worker.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    /// `None` where there are none, or too many for one search.
    search: Option<AhoCorasick>,
    patterns: Vec<String>,
}

impl Redactor {
    /// One that hides these.
    pub(crate) fn new(secrets: &[Box<str>]) -> Self {
        let mut patterns = BTreeSet::new();
        for secret in secrets {
            // A log has one line at a time.
            for part in secret.lines().chain([&**secret]).map(str::trim).filter(|part| part.len() >= SHORTEST)
            {
                patterns.insert(part.to_owned());
                patterns.extend(in_base64(part));
                patterns.extend(in_urls(part));
                patterns.extend(in_json(part));
            }
        }
        let patterns: Vec<String> = patterns.into_iter().collect();
        let build = || AhoCorasickBuilder::new().match_kind(MatchKind::LeftmostLongest).build(&patterns).ok();
        let search = if patterns.is_empty() { None } else { build() };
        Self { search, patterns }
    }

    /// A text without them.
    pub(crate) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(search) = &self.search else { return text.into() };
        if !search.is_match(text) {
            return text.into();
        }
        search.replace_all(text, &vec![HIDDEN; self.patterns.len()]).into()
    }

    /// The same for a text whose end was cut off, perhaps in the middle of one.
    pub(crate) fn hide_cut<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let part = |pattern: &String, text: &str| {
            let lengths = (SHORTEST_PART..pattern.len()).rev();
            lengths
                .filter(|length| pattern.is_char_boundary(*length))
                .find(|length| pattern.get(..*length).is_some_and(|part| text.ends_with(part)))
        };
        // What is whole goes first, lest a part of it be taken for the beginning of another.
        let hidden = self.hide(text);
        let cut = self.patterns.iter().filter_map(|pattern| part(pattern, &hidden)).max();
        match cut {
            Some(length) => {
                format!("{}{HIDDEN}", hidden.get(..hidden.len() - length).unwrap_or_default()).into()
            }
            None => hidden,
        }
    }
}

/// As it stands in base64 of something longer, at each of the three places where it may begin: without the characters that
/// depend on what is beside it.
fn in_base64(secret: &str) -> impl Iterator<Item = String> {
    let bytes = secret.as_bytes();
    let at = move |shift: usize| {
        let shifted = [&[0_u8; 2][..shift], bytes].concat();
        let first = [0, 2, 3][shift];
        let last = usize::from(shifted.len() % 3 != 0);
        let clean = move |text: String| text.get(first..text.len() - last).map(str::to_owned);
        [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)].map(clean)
    };
    (0..3).flat_map(at).flatten().filter(|text| text.len() >= SHORTEST)
}

/// As it stands in a URL or a form: by the letter, with slashes left alone, with `+` for a space; in capitals and not.
fn in_urls(secret: &str) -> Vec<String> {
    let encode = |kept: &[u8], space: Option<char>| {
        let mut text = String::new();
        for byte in secret.bytes() {
            match (byte, space) {
                (b' ', Some(space)) => text.push(space),
                _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => text.push(byte.into()),
                // Writing to a string cannot fail.
                _ => drop(write!(text, "%{byte:02X}")),
            }
        }
        text
    };
    let capitals = [encode(b"-_.~", None), encode(b"-_.~/", None), encode(b"-_.*", Some('+'))];
    capitals.into_iter().flat_map(|text| [in_small(&text), text]).collect()
}

/// The same with small letters in what stands for a byte.
fn in_small(encoded: &str) -> String {
    let mut pieces = encoded.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (byte, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        text.extend(["%", &byte.to_lowercase(), rest]);
    }
    text
}

/// As it stands in a JSON string: with what must be escaped, with slashes too, with all that is no ASCII.
fn in_json(secret: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let plain = quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
    let mut ascii = String::new();
    for character in plain.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                write!(ascii, "\\u{unit:04x}").ok();
            }
        }
    }
    let slashes = [plain.replace('/', "\\/"), ascii.replace('/', "\\/")];
    [plain, ascii].into_iter().chain(slashes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "sk-CANARY/\"né+42 =x";

    fn redactor() -> Redactor {
        Redactor::new(&[
            CANARY.into(),
            "short".into(),
            "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----".into(),
        ])
    }

    #[test]
    fn a_secret_is_hidden_in_whichever_form_it_is_written() {
        let redactor = redactor();
        let mut forms = vec![CANARY.to_owned()];
        forms.extend(in_urls(CANARY));
        forms.extend(in_json(CANARY));
        for form in forms {
            assert_eq!(redactor.hide(&format!("before {form} after")), "before <redacted> after", "{form}");
        }
    }

    #[test]
    fn of_base64_nothing_is_left_wherever_the_secret_begins_in_it() {
        let redactor = redactor();
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "z", "zz"] {
                let plain = format!("{before}{CANARY}{after}");
                for text in [STANDARD_NO_PAD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)] {
                    let hidden = redactor.hide(&text).into_owned();
                    assert!(
                        hidden.contains(HIDDEN) && hidden.len() < HIDDEN.len() + 16,
                        "{text} became {hidden}"
                    );
                }
            }
        }
    }

    #[test]
    fn each_line_of_a_secret_is_one() {
        let redactor = redactor();
        assert_eq!(redactor.hide("key: MIIEvQIBADANBg"), "key: <redacted>");
    }

    #[test]
    fn what_is_too_short_and_what_is_no_secret_stays() {
        let redactor = redactor();
        for text in ["short", "a line like any other", "sk-CANAR", ""] {
            assert!(matches!(redactor.hide(text), Cow::Borrowed(same) if same == text));
        }
        assert_eq!(Redactor::default().hide(CANARY), CANARY);
    }

    #[test]
    fn a_secret_that_a_cut_went_through_is_hidden_too() {
        let redactor = redactor();
        assert_eq!(redactor.hide_cut("a long line sk-CANAR"), "a long line <redacted>");
        assert_eq!(redactor.hide_cut("a long line sk-"), "a long line sk-", "that little tells nothing");
        assert_eq!(redactor.hide_cut(&format!("{CANARY} and sk-CANARY/")), "<redacted> and <redacted>");
    }
}
