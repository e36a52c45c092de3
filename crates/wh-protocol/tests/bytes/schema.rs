//! The part of JSON Schema that the protocol's schemas use, for tests.

use serde_json::{Map, Value};
use std::path::PathBuf;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Checks `value` against `schemas/protocol/NAME.schema.json`.
pub(crate) fn check(name: &str, value: &Value) -> Result<(), String> {
    let path = root().join(format!("schemas/protocol/{name}.schema.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema: Value = serde_json::from_str(&text).unwrap();
    Checker { root: &schema }.check(&schema, value, "$")
}

/// Keywords that say nothing about validity, or that only formats would check.
const NOTES: [&str; 6] = ["$schema", "$id", "$defs", "title", "description", "format"];

struct Checker<'a> {
    root: &'a Value,
}

impl Checker<'_> {
    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        match schema {
            Value::Bool(true) => Ok(()),
            Value::Object(keywords) => {
                keywords.iter().try_for_each(|(keyword, wanted)| self.keyword(keyword, wanted, value, at))
            }
            _ => panic!("not a schema: {schema}"),
        }
    }

    fn keyword(&self, keyword: &str, wanted: &Value, value: &Value, at: &str) -> Result<(), String> {
        let empty = Map::new();
        let members = value.as_object().unwrap_or(&empty);
        let holds = match keyword {
            note if NOTES.contains(&note) => true,
            "$ref" => {
                let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                return self.check(self.root.pointer(pointer).unwrap(), value, at);
            }
            "anyOf" => {
                let answers: Vec<_> =
                    wanted.as_array().unwrap().iter().map(|schema| self.check(schema, value, at)).collect();
                if answers.iter().any(Result::is_ok) {
                    return Ok(());
                }
                return Err(answers.into_iter().filter_map(Result::err).collect::<Vec<_>>().join(" or "));
            }
            "required" => {
                wanted.as_array().unwrap().iter().all(|name| members.contains_key(name.as_str().unwrap()))
            }
            "properties" => {
                return wanted.as_object().unwrap().iter().try_for_each(|(name, schema)| {
                    members
                        .get(name)
                        .map_or(Ok(()), |value| self.check(schema, value, &format!("{at}.{name}")))
                });
            }
            "items" => {
                return value
                    .as_array()
                    .map_or(&[][..], Vec::as_slice)
                    .iter()
                    .enumerate()
                    .try_for_each(|(index, value)| self.check(wanted, value, &format!("{at}[{index}]")));
            }
            "const" => wanted == value,
            "enum" => wanted.as_array().unwrap().contains(value),
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|name| is_of_type(value, name.as_str().unwrap())),
                _ => is_of_type(value, wanted.as_str().unwrap()),
            },
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= wanted.as_f64().unwrap()),
            "minLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as u64 >= wanted.as_u64().unwrap())
            }
            other => panic!("the checker does not know the keyword {other}"),
        };
        if holds { Ok(()) } else { Err(format!("{at}: {keyword} {wanted} does not hold for {value}")) }
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the checker does not know the type {other}"),
    }
}
