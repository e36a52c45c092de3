//! A worker's metadata as a JSON object.

use crate::tree::{Node, Scalar, What};
use crate::value::{Block, Value};
use serde_json::Number;

/// The worker's metadata, with its description; `None` when there is nothing.
pub(crate) fn of(worker: &Block) -> Option<Box<str>> {
    let mut pairs: Vec<_> = match worker.get("metadata").map(|setting| &setting.value) {
        Some(Value::Object(Node { what: What::Map(entries), .. })) => {
            entries.iter().map(|entry| (entry.key.text.as_str(), json(&entry.value))).collect()
        }
        _ => Vec::new(),
    };
    if let Some(description) = worker.text("description")
        && !pairs.iter().any(|(key, _)| *key == "description")
    {
        pairs.push(("description", string(&description.text)));
    }
    (!pairs.is_empty()).then(|| object(&pairs).into_boxed_str())
}

/// A text as JSON where it is a word or a number of JSON, exactly as it was written.
pub(crate) fn bare(text: &Scalar) -> Option<&str> {
    if text.is_null() {
        return Some("null");
    }
    if !text.plain || text.substituted {
        return None;
    }
    match text.text.as_str() {
        "true" | "True" | "TRUE" => Some("true"),
        "false" | "False" | "FALSE" => Some("false"),
        number => number.parse::<Number>().is_ok().then_some(number),
    }
}

/// A tree as JSON. Numbers keep their digits: a version `1.20` is not `1.2`.
fn json(node: &Node) -> String {
    match &node.what {
        What::Scalar(text) => bare(text).map_or_else(|| string(&text.text), str::to_owned),
        What::List(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(",")),
        What::Map(entries) => {
            let pairs: Vec<_> =
                entries.iter().map(|entry| (entry.key.text.as_str(), json(&entry.value))).collect();
            object(&pairs)
        }
        What::Broken => "null".to_owned(),
    }
}

fn object(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{}:{value}", string(key))).collect();
    format!("{{{}}}", pairs.join(","))
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
