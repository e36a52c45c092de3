//! The envelope.

use super::bad::{BadResult, bad};
use super::error::error_report;
use super::follow_up::follow_ups;
use super::log::log_entries;
use super::outputs::{outputs, quality};
use super::report::{Report, WorkerResult};
use crate::fields::{Fields, integer, shown};
use serde_json::value::RawValue;

/// Reads the text of a result object, as the sifter or the channel found it.
///
/// # Errors
/// [`BadResult`] where taking it would lose something; optional fields never do.
pub fn read(text: &str) -> Result<WorkerResult, BadResult> {
    let fields = Fields::read(text).map_err(|error| BadResult::NotAnObject(error.to_string()))?;
    from_fields(&fields)
}

pub(crate) fn from_fields(fields: &Fields<'_>) -> Result<WorkerResult, BadResult> {
    let mut warnings = Vec::new();
    let success = match fields.last("success") {
        Some(value) => integer::<bool>(value)
            .ok_or_else(|| bad("success", format!("must be true or false, not {}", shown(value))))?,
        None => return Err(bad("success", "is missing")),
    };
    let report = if success {
        if fields.last("result").is_none() {
            warnings.push("`result` is missing beside success: true; null is kept".to_owned());
        }
        Report::Success(fields.last("result").map_or("null", RawValue::get).into())
    } else {
        Report::Failure(error_report(fields.given("error"), &mut warnings))
    };
    let tasks = match fields.given("tasks") {
        Some(_) if !success => {
            warnings.push("`tasks` beside success: false are not enqueued".to_owned());
            Vec::new()
        }
        Some(value) => follow_ups(value)?,
        None => Vec::new(),
    };
    let logs = fields.given("logs").map_or_else(Vec::new, |value| log_entries(value, &mut warnings));
    let claimed = fields.given("outputs").map_or_else(Vec::new, |value| outputs(value, &mut warnings));
    let quality = fields.given("quality").and_then(|value| quality(value, &mut warnings));
    let partial = fields.given("partial").map(|value| value.get().into());
    Ok(WorkerResult { report, partial, logs, tasks, outputs: claimed, quality, warnings })
}
