//! Waits and moments.

use super::report::When;
use crate::fields::{number, only_text};
use crate::moment;
use serde_json::value::RawValue;
use std::time::Duration;

/// Seconds as a number or as the text of one, or an RFC 3339 time.
pub(crate) fn when(value: &RawValue) -> Option<When> {
    match number(value) {
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok().map(When::In),
        None => only_text(value).and_then(|text| moment::parse(text.trim())).map(When::At),
    }
}
