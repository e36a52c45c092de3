//! Params and results as JSON shows them: values as they are, bytes as text or base64, large ones by their place.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use wh_domain::task::Payload;
use wh_ports::blobs::Stored;

/// A content and how it is written.
#[derive(Debug, Serialize)]
pub(crate) struct Content {
    /// The value, the text, the base64, or the blob's place.
    pub(crate) value: Box<RawValue>,
    /// `json`, `text`, `base64` or `blob`.
    pub(crate) encoding: &'static str,
}

#[derive(Serialize)]
struct Blob<'a> {
    path: &'a str,
    sha256: &'a str,
    size: u64,
    json: bool,
}

impl Content {
    /// As the store keeps it.
    pub(crate) fn of(stored: &Stored) -> Self {
        match stored {
            Stored::Inline(Payload::Json(text)) => match RawValue::from_string(text.to_string()) {
                Ok(value) => Self { value, encoding: "json" },
                Err(_) => Self::text(text),
            },
            Stored::Inline(Payload::Bytes(bytes)) => Self::bytes(bytes),
            Stored::Blob { path, sha256, size, json } => {
                let blob = Blob { path: &path.to_string_lossy(), sha256, size: *size, json: *json };
                Self { value: raw(&blob), encoding: "blob" }
            }
        }
    }

    /// Bytes of a worker without an envelope.
    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::text(text),
            Err(_) => Self { value: raw(&STANDARD.encode(bytes)), encoding: "base64" },
        }
    }

    fn text(text: &str) -> Self {
        Self { value: raw(text), encoding: "text" }
    }
}

fn raw(value: &(impl Serialize + ?Sized)) -> Box<RawValue> {
    // Texts and small structs have no keys that JSON could refuse.
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(payload: Payload) -> (String, &'static str) {
        let content = Content::of(&Stored::Inline(payload));
        (content.value.to_string(), content.encoding)
    }

    #[test]
    fn values_keep_their_spelling_and_bytes_are_text_where_they_can_be() {
        let odd = r#"{"b":1.0,"a":1e2,"b":"\u00e4"}"#;
        assert_eq!(told(Payload::Json(odd.into())), (odd.to_owned(), "json"));
        assert_eq!(told(Payload::Bytes((*b"a\nb").into())), (r#""a\nb""#.to_owned(), "text"));
        assert_eq!(told(Payload::Bytes([0xff, 0].into())), (r#""/wA=""#.to_owned(), "base64"));
    }
}
