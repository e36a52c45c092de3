//! A configuration as it stands in the file: keys, lists and texts, each with its place.

use crate::secret;
use crate::source::At;

/// A value.
#[derive(Clone)]
pub(crate) struct Node {
    /// The place to point at: all of a scalar or of what stands in brackets, else the first key or item.
    pub(crate) at: At,
    pub(crate) what: What,
}

/// The shapes of a value.
#[derive(Clone)]
pub(crate) enum What {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A problem has been told already; nothing more is to be said about it.
    Broken,
}

/// A key with its value.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: Scalar,
    pub(crate) value: Node,
}

/// A text of the file. No `Debug`: it may hold a secret.
#[derive(Clone)]
pub(crate) struct Scalar {
    pub(crate) at: At,
    /// What it means, after substitution.
    pub(crate) text: String,
    /// What was written, before substitution.
    pub(crate) written: String,
    /// Whether it stood without quotes.
    pub(crate) plain: bool,
    /// Whether part of it came out of `${…}`.
    pub(crate) substituted: bool,
    /// Whether it stands under a key that looks secret.
    pub(crate) secret: bool,
}

/// The most characters of a text that a message repeats.
const MOST_QUOTED: usize = 60;

impl Scalar {
    pub(crate) fn new(text: &str, at: At, plain: bool) -> Self {
        let (text, written) = (text.to_owned(), text.to_owned());
        Self { at, text, written, plain, substituted: false, secret: false }
    }

    /// Whether the value must not be printed.
    pub(crate) fn is_hidden(&self) -> bool {
        self.substituted || self.secret
    }

    /// Whether it says that there is no value.
    pub(crate) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// The text for a message: as it was written, never what came out of it.
    pub(crate) fn quoted(&self) -> String {
        if self.secret {
            return "this value".to_owned();
        }
        quote(&self.written)
    }
}

/// A text in back quotes, cut to a readable length, without the secrets in it.
pub(crate) fn quote(text: &str) -> String {
    let safe = secret::redacted(text);
    let mut short: String = safe.chars().take(MOST_QUOTED).collect();
    if short.len() < safe.len() {
        short.push('…');
    }
    format!("`{short}`")
}

impl Node {
    /// Whether it is a scalar that says "no value".
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.what, What::Scalar(text) if text.is_null())
    }

    /// Marks every text below as secret.
    pub(crate) fn mark_secret(&mut self) {
        match &mut self.what {
            What::Scalar(text) => text.secret = true,
            What::List(items) => items.iter_mut().for_each(Self::mark_secret),
            What::Map(entries) => entries.iter_mut().for_each(|entry| entry.value.mark_secret()),
            What::Broken => {}
        }
    }

    /// Whether it is `${NAME}` and nothing else, which gives nothing away.
    pub(crate) fn is_reference(&self) -> bool {
        let What::Scalar(text) = &self.what else { return false };
        let name = text.written.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
    }
}
