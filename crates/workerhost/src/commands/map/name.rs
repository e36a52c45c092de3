//! How a map is called: the word under which it is found again.

use std::fmt;

/// The longest name, in bytes: with an index and a digest it is part of every task's id.
const LONGEST: usize = 64;

/// A name that is also a directory's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    /// Takes a name from the command line. The error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_usable = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.is_empty() || !text.bytes().all(is_usable) {
            return Err("a name is made of letters, digits, `.`, `_` and `-`".to_owned());
        }
        if text.starts_with(['.', '-']) {
            return Err("a name begins with a letter, a digit or `_`".to_owned());
        }
        if text.len() > LONGEST {
            return Err(format!("is {} bytes long; at most {LONGEST} are allowed", text.len()));
        }
        Ok(Self(text.to_owned()))
    }

    /// A name that no other map has: the moment, and four characters of chance.
    pub(super) fn fresh() -> Self {
        let moment = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
        let chance: String = std::iter::repeat_with(fastrand::lowercase).take(4).collect();
        Self(format!("{moment}-{chance}"))
    }

    /// The word.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_file_name_that_no_shell_and_no_option_parser_stumbles_over() {
        for good in ["a", "thumbs-2026", "_x.y", &"n".repeat(LONGEST)] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-x", "a/b", "a b", "ä", "a\nb", &"n".repeat(LONGEST + 1)] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_fresh_name_is_a_name_and_no_two_are_alike() {
        let names: Vec<Name> = (0..3).map(|_| Name::fresh()).collect();
        assert!(names.iter().all(|name| Name::parse(name.as_str()).is_ok()), "{names:?}");
        assert!(names[0] != names[1] || names[1] != names[2]);
    }
}
