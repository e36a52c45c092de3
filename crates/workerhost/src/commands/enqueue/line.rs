//! A line of JSON as a task.

use super::draft::{Draft, Fields, draft};
use super::refusal;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::path::Path;

/// One line. Contents are kept as they are spelled.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    id: Option<String>,
    #[serde(rename = "type")]
    task_type: String,
    /// A null that is written is a value like any other.
    #[serde(borrow, default, deserialize_with = "as_written")]
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

fn as_written<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// Reads a line. The error is a fragment that says what is wrong and where.
pub(super) fn parse(text: &str, base: &Path) -> Result<Draft, String> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| refusal::words(text, &error))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use wh_domain::task::Payload;

    #[test]
    fn a_line_that_is_wrong_is_told_with_the_field_and_the_column() {
        let rows = [
            ("{", "is no JSON: it ends too early, at column 1"),
            (
                r#"{"type":"t","prams":{}}"#,
                "has a field `prams`, which there is not; the fields are type, params, id",
            ),
            (r#"{"params":{}}"#, "has no field `type`, which says what kind of work it is"),
            (r#"{"type":"t","type":"u"}"#, "has the field `type` twice"),
            (
                r#"{"type":"t","priority":"high"}"#,
                "has \"high\" as `priority`; write a whole number, such as 5 or -5",
            ),
            (r#"{"type":"t","max_attempts":-1}"#, "has -1 as `max_attempts`; write a whole number from 1"),
            (r#"{"type":5}"#, "has 5 as `type`; write a text in double quotes"),
            (
                r#"{"type":"t","inputs":"a"}"#,
                "has \"a\" as `inputs`; write a list of texts, such as [\"film.mp4\"]",
            ),
            (r#"{"type":"t","delay":"soon"}"#, "delay is `soon`, which is no duration; write it like 90, 5m"),
            ("[1]", "is a list; each line is an object, such as {\"type\": \"t\"}"),
            ("5", "is a number; each line is"),
        ];
        for (line, expected) in rows {
            let told = parse(line, Path::new("")).unwrap_err();
            assert!(told.starts_with(expected), "{line}: {told}");
        }
    }

    #[test]
    fn params_that_are_not_given_are_an_empty_object_and_a_null_that_is_written_stays() {
        let params = |line: &str| parse(line, Path::new("")).unwrap().task.params;
        assert_eq!(params(r#"{"type":"t"}"#), Payload::Json("{}".into()));
        assert_eq!(params(r#"{"type":"t","params":null}"#), Payload::Json("null".into()));
    }

    #[test]
    fn a_delay_is_seconds_or_words() {
        for delay in ["300", "\"5m\"", "\"5_minutes\""] {
            let draft = parse(&format!(r#"{{"type":"t","delay":{delay}}}"#), Path::new("")).unwrap();
            assert!(draft.task.run_at.is_some(), "{delay}");
        }
    }
}
