//! The JSON Schema for editors, made from the table of keys.

use crate::table::{self, Effect, Fallback, Key, Kind, Means, ROOT, Section, Word};
use serde_json::{Map, Value, json};

/// Any scalar may be a variable instead.
const VARIABLE: &str = r"\$\{";

/// The schema as pretty-printed JSON, as it stands in `schemas/config.schema.json`.
pub fn json_schema() -> String {
    let mut root = section(&ROOT);
    root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".to_owned(), json!("WorkerHost configuration"));
    let inner = table::all_sections().into_iter().filter(|part| !std::ptr::eq(*part, &raw const ROOT));
    let parts: Map<_, _> = inner.map(|part| (part.path.to_owned(), Value::Object(section(part)))).collect();
    root.insert("$defs".to_owned(), Value::Object(parts));
    let mut text = format!("{:#}", Value::Object(root));
    text.push('\n');
    text
}

fn section(section: &Section) -> Map<String, Value> {
    let keys: Map<_, _> = section.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let mut out = Map::new();
    out.insert("type".to_owned(), json!(["object", "null"]));
    out.insert("description".to_owned(), json!(section.doc));
    out.insert("properties".to_owned(), Value::Object(keys));
    out.insert("additionalProperties".to_owned(), json!(false));
    out
}

fn property(key: &Key) -> Value {
    let mut schema = kind(&key.kind);
    let doc = match key.effect {
        Effect::Works if key.example.is_empty() => key.doc.to_owned(),
        Effect::Works => format!("{} Example: {}", key.doc, key.sample()),
        Effect::Alias(target) => format!("Another name of {target}."),
        Effect::Later => format!("{} No effect in this version.", key.doc),
    };
    schema.insert("description".to_owned(), json!(doc));
    if let Fallback::Value(value) = key.fallback {
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        schema.insert("default".to_owned(), value);
    }
    Value::Object(schema)
}

fn kind(of: &Kind) -> Map<String, Value> {
    let schema = match of {
        Kind::Text => json!({"type": ["string", "number", "boolean"]}),
        Kind::Path => json!({"type": "string"}),
        Kind::Bool => or_variable(json!({"type": "boolean"}), "^(?:true|false|yes|no|on|off)$"),
        Kind::Whole(least, most) => {
            or_variable(json!({"type": "integer", "minimum": least, "maximum": most}), "^[0-9_]+$")
        }
        Kind::Time(..) => or_variable(json!({"type": "number", "minimum": 0}), "^[0-9]"),
        Kind::Size(least, most) => {
            or_variable(json!({"type": "integer", "minimum": least, "maximum": most}), "^[0-9]")
        }
        Kind::Percent => json!({"type": "string", "pattern": format!("^ *[0-9]+ *% *$|{VARIABLE}")}),
        Kind::Signal => json!({"type": ["string", "integer"]}),
        Kind::Word(words) => of_words(words),
        Kind::Texts => json!({"type": "array", "items": {"type": ["string", "number", "boolean"]}}),
        Kind::Map(inner) => json!({"type": ["object", "null"], "additionalProperties": kind(inner)}),
        Kind::Object => json!({"type": ["object", "null"]}),
        Kind::Section(section) => reference(section),
        Kind::Sections(section) => json!({"type": ["array", "null"], "items": reference(section)}),
        Kind::Either(kinds) => json!({"anyOf": kinds.iter().map(kind).collect::<Vec<_>>()}),
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn or_variable(schema: Value, pattern: &str) -> Value {
    json!({"anyOf": [schema, {"type": "string", "pattern": format!("{pattern}|{VARIABLE}")}]})
}

fn reference(section: &Section) -> Value {
    // In a JSON pointer inside a URI fragment brackets have to be escaped.
    let path = section.path.replace('[', "%5B").replace(']', "%5D");
    json!({"$ref": format!("#/$defs/{path}")})
}

/// The words themselves for completion, and a pattern that also takes them in capitals.
fn of_words(words: &[Word]) -> Value {
    let known = words.iter().filter(|word| !matches!(word.means, Means::Refused(_)));
    let (mut listed, mut patterns) = (Vec::new(), Vec::new());
    for word in known {
        listed.push(json!(word.text));
        listed.extend(word.text.parse::<f64>().ok().map(|number| json!(number)));
        patterns.push(in_any_case(word.text));
    }
    json!({"anyOf": [
        {"enum": listed},
        {"type": "string", "pattern": format!("^(?:{})$|{VARIABLE}", patterns.join("|"))},
    ]})
}

fn in_any_case(word: &str) -> String {
    let each = |c: char| match c {
        c if c.is_ascii_alphabetic() => format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase()),
        c if c.is_ascii_alphanumeric() || c == '_' || c == '-' => c.to_string(),
        c => format!("\\{c}"),
    };
    word.chars().map(each).collect()
}
