//! `outputs` and `quality`: what a worker says of the files that it has left.

use super::report::ClaimedOutput;
use crate::fields::{Fields, integer, only_text, shown};
use serde_json::value::RawValue;

/// So many files may be named.
const MOST: usize = 1_000;
/// The longest path, in bytes.
const LONGEST: usize = 4_096;
/// The digits of a SHA-256.
const DIGITS: usize = 64;

pub(super) fn outputs(value: &RawValue, warnings: &mut Vec<String>) -> Vec<ClaimedOutput> {
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else {
        warnings.push(format!("`outputs` must be an array, not {}; it is ignored", shown(value)));
        return Vec::new();
    };
    if elements.len() > MOST {
        warnings.push(format!("`outputs` names more than {MOST} files; the rest is ignored"));
    }
    let named = elements.into_iter().take(MOST).enumerate();
    named.filter_map(|(index, value)| output(index, value, warnings)).collect()
}

fn output(index: usize, value: &RawValue, warnings: &mut Vec<String>) -> Option<ClaimedOutput> {
    let fields = Fields::read(value.get()).ok();
    let text = |name: &str| fields.as_ref().and_then(|fields| fields.given(name)).and_then(only_text);
    let sha256 = text("sha256").map(|digits| digits.to_ascii_lowercase());
    let is_digest =
        |digits: &String| digits.len() == DIGITS && digits.bytes().all(|it| it.is_ascii_hexdigit());
    let path = text("path").filter(|path| path.len() <= LONGEST);
    let output = path.zip(sha256.filter(is_digest));
    if output.is_none() {
        let wanted = "an object with path and sha256 (64 hexadecimal digits)";
        warnings.push(format!("`outputs[{index}]` must be {wanted}, not {}; it is ignored", shown(value)));
    }
    output.map(|(path, sha256)| ClaimedOutput { path, sha256 })
}

pub(super) fn quality(value: &RawValue, warnings: &mut Vec<String>) -> Option<u8> {
    let number: Option<f64> = integer(value).filter(|number| (0.0..=100.0).contains(number));
    if number.is_none() {
        warnings
            .push(format!("`quality` must be a number from 0 to 100, not {}; it is ignored", shown(value)));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 100")]
    number.map(|number| number.round() as u8)
}
