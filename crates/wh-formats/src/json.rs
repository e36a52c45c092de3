//! JSON, and what a JSON Schema says of it.

use crate::flaw::Flaw;
use crate::text::Checking;
use jsonschema::Validator;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// No schema is larger, in bytes.
const MOST_OF_A_SCHEMA: u64 = 4 << 20;
/// So much of what a schema says of a value is told, in characters.
const MOST_TOLD: usize = 4_000;

/// One JSON value, and nothing behind it.
pub(crate) fn well_formed(file: impl Read) -> Result<(), Flaw> {
    let mut text = BufReader::new(Checking::new(file));
    let read: Result<IgnoredAny, _> = serde_json::from_reader(&mut text);
    match (text.get_mut().flaw.take(), read) {
        (Some(flaw), _) => Err(flaw),
        (None, read) => read.map(drop).map_err(flaw),
    }
}

fn flaw(error: serde_json::Error) -> Flaw {
    match error.classify() {
        serde_json::error::Category::Io => Flaw::Unreadable(error.into()),
        serde_json::error::Category::Eof => Flaw::Incomplete(error.to_string()),
        _ => Flaw::format("json", error.to_string()),
    }
}

/// A JSON Schema, ready to be used.
#[derive(Debug)]
pub struct Schema(Validator);

/// Why a file is no schema.
#[derive(Debug, thiserror::Error)]
pub enum BadSchema {
    /// It cannot be read.
    #[error("the schema {} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is something else.
    #[error("{} is no JSON Schema: {why}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl Schema {
    /// Reads a schema from a file. What it refers to has to be in it: nothing is fetched.
    ///
    /// # Errors
    /// [`BadSchema`] with what to look at.
    pub fn read(path: &Path) -> Result<Self, BadSchema> {
        let unreadable = |why: String| BadSchema::Unreadable { path: path.to_owned(), why };
        let wrong = |why: String| BadSchema::Wrong { path: path.to_owned(), why };
        let about = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
        if !about.is_file() || about.len() > MOST_OF_A_SCHEMA {
            return Err(unreadable("it is no file of at most 4 MiB".to_owned()));
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let schema: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        // A `format` that is written there is meant to hold.
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&schema).map(Self).map_err(|error| wrong(short(&error.to_string())))
    }

    /// Holds a value against it.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), Flaw> {
        let value: Value = serde_json::from_slice(bytes).map_err(flaw)?;
        self.0.validate(&value).map_err(|error| {
            let at = error.instance_path().as_str();
            let at = if at.is_empty() { "the value" } else { at };
            Flaw::Schema(format!("{at}: {}", short(&error.to_string())))
        })
    }
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(MOST_TOLD).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_one_value_to_its_end() {
        let said =
            |text: &str| well_formed(text.as_bytes()).err().map(|flaw| flaw.to_string()).unwrap_or_default();
        for good in ["null", " {\"a\": [1, 2.5e3, \"ü\"]}\n"] {
            assert_eq!(said(good), "", "{good}");
        }
        assert_eq!(said(""), "breaks off: EOF while parsing a value at line 1 column 0");
        assert_eq!(said("{\"a\": 1"), "breaks off: EOF while parsing an object at line 1 column 7");
        assert_eq!(said("{} {}"), "is no json: trailing characters at line 1 column 4");
        assert_eq!(said("{'a': 1}"), "is no json: key must be a string at line 1 column 2");
        let latin = well_formed(&b"{\"a\": \"\xf6\"}"[..]).unwrap_err().to_string();
        assert_eq!(latin, "is no UTF-8 text: byte 7 is none");
        assert!(said(&"[".repeat(100_000)).starts_with("breaks off"), "however deep");
    }

    #[test]
    fn a_schema_says_where_a_value_is_not_as_it_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.json");
        let row = serde_json::json!({"minimum": 1});
        let rows = serde_json::json!({"items": {"$ref": "#/$defs/row"}});
        let day = serde_json::json!({"type": "string", "format": "date"});
        let properties = serde_json::json!({"id": {"type": "integer"}, "rows": rows, "day": day});
        let schema = serde_json::json!({"required": ["id"], "properties": properties, "$defs": {"row": row}});
        fs::write(&path, schema.to_string()).unwrap();
        let schema = Schema::read(&path).unwrap();
        let said =
            |text: &str| schema.check(text.as_bytes()).err().map(|flaw| flaw.to_string()).unwrap_or_default();
        assert_eq!(said("{\"id\": 1, \"rows\": [1, 2]}"), "");
        assert_eq!(said("{}"), "is not as its schema says: the value: \"id\" is a required property");
        assert_eq!(
            said("{\"id\": \"x\"}"),
            "is not as its schema says: /id: \"x\" is not of type \"integer\""
        );
        assert!(
            said("{\"id\": 1, \"rows\": [1, 0]}")
                .starts_with("is not as its schema says: /rows/1: 0 is less")
        );
        assert!(said("{\"id\": 1, \"day\": \"someday\"}").contains("/day: \"someday\" is not a \"date\""));
        assert!(said("{\"id\": ").starts_with("breaks off"));
        let long = format!("{{\"id\": \"{}\"}}", "x".repeat(10_000));
        assert!(said(&long).chars().count() < MOST_TOLD + 100);
    }

    #[test]
    fn a_file_that_is_no_schema_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.json");
        let said = || Schema::read(&path).unwrap_err().to_string();
        assert!(said().contains("cannot be read"));
        fs::write(&path, "{").unwrap();
        assert!(said().contains("is no JSON Schema: EOF"));
        fs::write(&path, "{\"type\": \"number of eggs\"}").unwrap();
        assert!(said().contains("is no JSON Schema: "), "{}", said());
        fs::write(&path, "{\"$ref\": \"https://example.org/other.json\"}").unwrap();
        assert!(said().contains("is no JSON Schema: "), "nothing is fetched: {}", said());
    }
}
