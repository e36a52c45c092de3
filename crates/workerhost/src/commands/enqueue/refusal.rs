//! Why a line is no task, in words for whoever wrote it. Only lines that are refused come here.

use crate::malformed;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::error::{Category, Error};
use serde_json::value::{RawValue, Value};
use std::fmt;

/// The fields of a line, and what to write into each; where any value will do, nothing.
const FIELDS: [(&str, Option<&str>); 12] = [
    ("type", Some(TEXT)),
    ("params", None),
    ("id", Some(TEXT)),
    ("priority", Some("a whole number, such as 5 or -5")),
    ("unique", Some(TEXT)),
    ("delay", None),
    ("at", Some(TEXT)),
    ("run_at", Some(TEXT)),
    ("max_attempts", Some("a whole number from 1")),
    ("inputs", Some("a list of texts, such as [\"film.mp4\"]")),
    ("metadata", None),
    ("traceparent", Some(TEXT)),
];
const TEXT: &str = "a text in double quotes";
/// More characters of a wrong value are not shown.
const MOST_SHOWN: usize = 40;

/// Why: a fragment about the line.
pub(super) fn words(text: &str, error: &Error) -> String {
    if error.classify() != Category::Data {
        return malformed::words(text, error);
    }
    let kind = match text.trim_start().chars().next() {
        Some('{') => return of_object(text, error),
        Some('[') => "a list",
        Some('"') => "a text",
        Some('t' | 'f') => "true or false",
        Some('n') => "null",
        _ => "a number",
    };
    format!("is {kind}; each line is an object, such as {{\"type\": \"t\"}}")
}

fn of_object(text: &str, error: &Error) -> String {
    let Ok(Members(members)) = serde_json::from_str(text) else { return error.to_string() };
    for (at, (name, value)) in members.iter().enumerate() {
        let Some((_, wanted)) = FIELDS.iter().find(|(known, _)| known == name) else {
            let names = FIELDS.map(|(name, _)| name).join(", ");
            return format!("has a field `{name}`, which there is not; the fields are {names}");
        };
        if members.iter().take(at).any(|(earlier, _)| earlier == name) {
            return format!("has the field `{name}` twice; take one out");
        }
        if let Some(wanted) = wanted.filter(|_| !fits(name, value.get())) {
            return format!("has {} as `{name}`; write {wanted}", shown(value.get()));
        }
    }
    if members.iter().all(|(name, _)| name != "type") {
        return "has no field `type`, which says what kind of work it is".to_owned();
    }
    error.to_string()
}

/// Whether a field can take the value.
fn fits(name: &str, value: &str) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(value) else { return false };
    match name {
        "type" => value.is_string(),
        "priority" => value.is_null() || value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "max_attempts" => {
            value.is_null() || value.as_u64().is_some_and(|number| u32::try_from(number).is_ok())
        }
        "inputs" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        _ => value.is_null() || value.is_string(),
    }
}

fn shown(value: &str) -> String {
    match value.char_indices().nth(MOST_SHOWN) {
        Some((at, _)) => format!("{}…", value.get(..at).unwrap_or_default()),
        None => value.to_owned(),
    }
}

/// The members of an object in their order, also those that stand there twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        from.deserialize_map(Reading).map(Members)
    }
}
