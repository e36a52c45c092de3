//! The members of a JSON object, each value left as the text it was written in.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An object's members in their order, repeated keys included.
#[derive(Debug)]
pub(crate) struct Fields<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Reads `text`, which is to be one JSON object.
    pub(crate) fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The value of `key`; of a repeated one, the last.
    pub(crate) fn last(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    /// The same, with `null` as absent.
    pub(crate) fn given(&self, key: &str) -> Option<&'a RawValue> {
        self.last(key).filter(|value| value.get() != "null")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(Text(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(Fields(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A text, borrowed unless it is written with escapes. Half a surrogate pair, as interpreters write for file names
/// that are no UTF-8, becomes U+FFFD instead of an error.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl<'de> Visitor<'de> for Bytes {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(String::from_utf8_lossy(bytes))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Cow::Owned(String::from_utf8_lossy(bytes).into_owned()))
            }
        }

        deserializer.deserialize_bytes(Bytes).map(Text)
    }
}

/// The value as a text, if it is one.
pub(crate) fn only_text(value: &RawValue) -> Option<String> {
    let Text(text) = value.get().starts_with('"').then(|| serde_json::from_str(value.get()).ok())??;
    Some(text.into_owned())
}

/// A value that should be a text. Anything else is taken as the text it was written in.
pub(crate) fn text(value: &RawValue) -> String {
    only_text(value).unwrap_or_else(|| value.get().to_owned())
}

/// A finite number, or a text that holds one, as shells write them.
pub(crate) fn number(value: &RawValue) -> Option<f64> {
    let parsed: Option<f64> = match only_text(value) {
        Some(text) => text.trim().parse().ok(),
        None => serde_json::from_str(value.get()).ok(),
    };
    parsed.filter(|number| number.is_finite())
}

/// A whole number written as one.
pub(crate) fn integer<T: for<'de> Deserialize<'de>>(value: &RawValue) -> Option<T> {
    serde_json::from_str(value.get()).ok()
}

/// How a value begins, for messages: at most 40 characters of it.
pub(crate) fn shown(value: &RawValue) -> String {
    const MOST: usize = 40;
    let mut text: String =
        value.get().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    if value.get().chars().nth(MOST).is_some() {
        text.push('…');
    }
    text
}
