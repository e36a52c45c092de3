//! `tasks`: what a success brings forth, exactly as written or not at all.

use super::bad::{BadResult, bad};
use super::report::{FollowUp, When};
use super::when::when;
use crate::fields::{Fields, integer, only_text, shown};
use serde_json::value::RawValue;

pub(super) fn follow_ups(value: &RawValue) -> Result<Vec<FollowUp>, BadResult> {
    let elements: Vec<&RawValue> = serde_json::from_str(value.get())
        .map_err(|_| bad("tasks", format!("must be an array, not {}", shown(value))))?;
    elements.into_iter().enumerate().map(|(index, value)| follow_up(index, value)).collect()
}

fn follow_up(index: usize, value: &RawValue) -> Result<FollowUp, BadResult> {
    let at = |name: &str| format!("tasks[{index}].{name}");
    let fields = Fields::read(value.get())
        .map_err(|_| bad(format!("tasks[{index}]"), format!("must be an object, not {}", shown(value))))?;
    let word = |name: &str| match fields.given(name) {
        None => Ok(None),
        Some(value) => match only_text(value) {
            Some(text) if !text.is_empty() => Ok(Some(text)),
            _ => Err(bad(at(name), format!("must be a text that is not empty, not {}", shown(value)))),
        },
    };
    let run_at = match (fields.given("run_at"), fields.given("delay")) {
        (Some(_), Some(_)) => return Err(bad(at("delay"), "and run_at exclude each other")),
        (None, None) => None,
        (Some(value), None) => match when(value) {
            Some(moment @ When::At(_)) => Some(moment),
            _ => return Err(bad(at("run_at"), format!("must be an RFC 3339 time, not {}", shown(value)))),
        },
        (None, Some(value)) => match when(value) {
            Some(wait @ When::In(_)) => Some(wait),
            _ => return Err(bad(at("delay"), format!("must be seconds, not {}", shown(value)))),
        },
    };
    let priority = match fields.given("priority") {
        None => 0,
        Some(value) => integer(value)
            .ok_or_else(|| bad(at("priority"), format!("must be a 32-bit integer, not {}", shown(value))))?,
    };
    Ok(FollowUp {
        id: word("id")?,
        task_type: word("type")?.ok_or_else(|| bad(at("type"), "is missing"))?,
        params: fields.last("params").map_or("{}", RawValue::get).into(),
        priority,
        unique: word("unique")?,
        run_at,
    })
}
