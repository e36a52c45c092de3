//! A line of JSON as a task.

use super::draft::{Draft, Fields, draft};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::Path;

/// One line. Contents are kept as they are spelled.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    id: Option<String>,
    #[serde(rename = "type")]
    task_type: String,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    priority: Option<i32>,
    unique: Option<String>,
    delay: Option<&'a RawValue>,
    #[serde(alias = "run_at")]
    at: Option<String>,
    max_attempts: Option<u32>,
    #[serde(default)]
    inputs: Vec<String>,
    metadata: Option<&'a RawValue>,
    traceparent: Option<String>,
}

/// Reads a line. The error is a fragment that says what is wrong and where.
pub(super) fn parse(text: &str, base: &Path) -> Result<Draft, String> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| told(&error))?;
    let own = |value: &RawValue| value.get().to_owned();
    let fields = Fields {
        id: line.id,
        task_type: line.task_type,
        params: line.params.map(own),
        priority: line.priority,
        unique: line.unique,
        delay: line.delay.map(|value| value.get().trim_matches('"').to_owned()),
        at: line.at,
        max_attempts: line.max_attempts,
        inputs: line.inputs,
        metadata: line.metadata.map(own),
        traceparent: line.traceparent,
    };
    draft(fields, base)
}

/// A line has but one line: only the column is of use.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    format!("{what}, at column {}", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_wrong_is_told_with_the_field_and_the_column() {
        let rows = [
            ("{", "EOF while parsing an object, at column 1"),
            (r#"{"type":"t","prams":{}}"#, "unknown field `prams`, expected one of"),
            (r#"{"params":{}}"#, "missing field `type`"),
            (r#"{"type":"t","type":"u"}"#, "duplicate field `type`"),
            (r#"{"type":"t","priority":"high"}"#, "invalid type: string \"high\", expected i32"),
            (r#"{"type":"t","delay":"soon"}"#, "delay "),
            ("[1]", "invalid type"),
        ];
        for (line, expected) in rows {
            let told = parse(line, Path::new("")).unwrap_err();
            assert!(told.starts_with(expected), "{line}: {told}");
        }
    }

    #[test]
    fn a_delay_is_seconds_or_words() {
        for delay in ["300", "\"5m\"", "\"5_minutes\""] {
            let draft = parse(&format!(r#"{{"type":"t","delay":{delay}}}"#), Path::new("")).unwrap();
            assert!(draft.task.run_at.is_some(), "{delay}");
        }
    }
}
