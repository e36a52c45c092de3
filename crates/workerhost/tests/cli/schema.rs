//! What `--json` prints, held against `schemas/cli`: every member that is printed is described, and every one that is
//! promised is printed. Knows as much of JSON Schema as those schemas use.

use serde_json::{Map, Value};
use std::path::Path;

/// Keywords that say nothing about validity, or that are looked at elsewhere.
const NOTES: [&str; 8] =
    ["$schema", "$id", "$defs", "title", "description", "format", "properties", "additionalProperties"];

/// Checks an object of the command line.
pub(crate) fn check(object: &Value) {
    let schema = object["schema"].as_str().unwrap_or_else(|| panic!("it names no schema: {object}"));
    let name = schema.strip_prefix("workerhost.").and_then(|name| name.strip_suffix("/v1")).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../schemas/cli/{name}.schema.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema: Value = serde_json::from_str(&text).unwrap();
    if let Err(why) = (Checker { root: &schema }).check(&schema, object, "$") {
        panic!("{why}\n{object}");
    }
}

struct Checker<'a> {
    root: &'a Value,
}

impl Checker<'_> {
    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let keywords = schema.as_object().unwrap_or_else(|| panic!("not a schema: {schema}"));
        keywords.iter().try_for_each(|(keyword, wanted)| self.keyword(keyword, wanted, value, at))?;
        let Some(members) = value.as_object() else { return Ok(()) };
        let none = Map::new();
        let known = keywords.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let is_open = known.is_empty() || keywords.get("additionalProperties") == Some(&Value::Bool(true));
        members.iter().try_for_each(|(name, value)| match known.get(name) {
            Some(schema) => self.check(schema, value, &format!("{at}.{name}")),
            None if is_open => Ok(()),
            None => Err(format!("{at}.{name} is printed and not described")),
        })
    }

    fn keyword(&self, keyword: &str, wanted: &Value, value: &Value, at: &str) -> Result<(), String> {
        let holds = match keyword {
            note if NOTES.contains(&note) => true,
            "$ref" => {
                let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                return self.check(self.root.pointer(pointer).unwrap(), value, at);
            }
            "items" => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                return items
                    .iter()
                    .enumerate()
                    .try_for_each(|(index, value)| self.check(wanted, value, &format!("{at}[{index}]")));
            }
            "required" => {
                wanted.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "const" => wanted == value,
            "enum" => wanted.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "type" => match wanted {
                Value::Array(names) => names.iter().any(|name| is_of_type(value, name.as_str().unwrap())),
                _ => is_of_type(value, wanted.as_str().unwrap()),
            },
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

#[test]
fn an_object_that_is_not_as_described_is_found() {
    let refused = |object: Value| std::panic::catch_unwind(|| check(&object)).is_err();
    let fine = serde_json::json!({"schema": "workerhost.exit-code/v1", "code": 0, "meaning": "done"});
    assert!(!refused(fine.clone()));
    for (key, value) in [("code", Value::from("0")), ("code", Value::from(-1)), ("other", Value::from(1))] {
        let mut object = fine.clone();
        object[key] = value;
        assert!(refused(object), "{key}");
    }
    let mut object = fine;
    object.as_object_mut().unwrap().remove("meaning");
    assert!(refused(object.clone()));
    object["schema"] = Value::from("workerhost.no-such/v1");
    assert!(refused(object));
}
