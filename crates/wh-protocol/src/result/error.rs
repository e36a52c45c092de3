//! `error`, read as far as it can be.

use super::report::{Class, ErrorReport};
use super::when::when;
use crate::fields::{Fields, integer, shown, text};
use serde_json::value::RawValue;

pub(super) fn error_report(value: Option<&RawValue>, warnings: &mut Vec<String>) -> ErrorReport {
    let Some(value) = value else {
        warnings.push("`error` is missing beside success: false".to_owned());
        return ErrorReport::default();
    };
    let Ok(fields) = Fields::read(value.get()) else {
        warnings.push("`error` should be an object with type and message".to_owned());
        return ErrorReport { message: text(value), ..ErrorReport::default() };
    };
    // Each optional field is read on its own; one that cannot be is named and left out.
    let mut warn = |name: &str, value: &RawValue, wanted: &str| {
        warnings.push(format!("`error.{name}` must be {wanted}, not {}; it is ignored", shown(value)));
    };
    let word = |name: &str| fields.given(name).map(text);
    let mut report = ErrorReport {
        kind: word("type").unwrap_or_default(),
        message: word("message").unwrap_or_default(),
        traceback: word("traceback"),
        ..ErrorReport::default()
    };
    if let Some(value) = fields.given("retry_possible") {
        report.retry_possible = integer(value);
        if report.retry_possible.is_none() {
            warn("retry_possible", value, "true or false");
        }
    }
    if let Some(value) = fields.given("retry_after") {
        report.retry_after = when(value);
        if report.retry_after.is_none() {
            warn("retry_after", value, "seconds or an RFC 3339 time");
        }
    }
    if let Some(value) = fields.given("class") {
        report.class = Class::parse(&text(value));
        if report.class.is_none() {
            warn("class", value, "transient, resource, logic or quota");
        }
    }
    if let Some(value) = fields.given("status") {
        report.status = integer(value);
        if report.status.is_none() {
            warn("status", value, "an HTTP status");
        }
    }
    report
}
