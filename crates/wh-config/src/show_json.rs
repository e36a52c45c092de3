//! The effective configuration as one JSON value, for programs; secrets are redacted as in [`crate::show`].

use crate::config::Config;
use crate::duration::format_duration;
use crate::metadata;
use crate::secret::{self, REDACTED};
use crate::signal;
use crate::size::format_size;
use crate::table::Effect;
use crate::tree::{Node, Scalar, What};
use crate::value::{Block, Leaf, Origin, Sense, Setting, Value};
use serde_json::{Map, Value as Json, json};

/// The effective configuration as JSON that reads back the same, but for secrets and for values that came out of
/// `${…}`, which are `<redacted>`. With `with_origin` every value becomes an object with `value` and `origin`.
pub fn show_json(config: &Config, with_origin: bool) -> Json {
    block(&config.effective, with_origin)
}

fn block(of: &Block, with_origin: bool) -> Json {
    let mut members = Map::new();
    for key in of.section.keys.iter().filter(|key| !matches!(key.effect, Effect::Alias(_))) {
        if let Some(set) = of.get(key.name) {
            members.insert(key.name.to_owned(), setting(key.name, set, with_origin));
        }
    }
    Json::Object(members)
}

fn setting(name: &str, setting: &Setting, with_origin: bool) -> Json {
    let value = match &setting.value {
        Value::Block(inner) => return block(inner, with_origin),
        Value::Blocks(inner) => return inner.iter().map(|inner| block(inner, with_origin)).collect(),
        Value::Leaf(_) if secret::looks_secret(name) => json!(REDACTED),
        Value::Leaf(of) => leaf(of),
        Value::Texts(texts) => texts.iter().map(scalar).collect(),
        Value::Map(entries) => {
            entries.iter().map(|(name, of)| (name.text.clone(), leaf(of))).collect::<Map<_, _>>().into()
        }
        Value::Object(node) => object(node),
    };
    if with_origin { json!({"value": value, "origin": origin(&setting.origin)}) } else { value }
}

fn origin(origin: &Origin) -> Json {
    json!(origin.to_string())
}

fn leaf(leaf: &Leaf) -> Json {
    if leaf.text.is_hidden() {
        return json!(REDACTED);
    }
    match leaf.sense {
        Sense::Text => scalar(&leaf.text),
        Sense::Bool(flag) => json!(flag),
        Sense::Whole(number) => json!(number),
        Sense::Time(time) => json!(format_duration(time)),
        Sense::Size(bytes) => json!(format_size(bytes)),
        Sense::Percent(share) => json!(format!("{share}%")),
        Sense::Word(word) => json!(word),
        Sense::Signal(number) => json!(signal::name(number)),
    }
}

fn scalar(text: &Scalar) -> Json {
    if text.is_hidden() {
        return json!(REDACTED);
    }
    // Two characters that would be filled in when this is read as a configuration again.
    json!(secret::redacted(&text.text).replace("${", "$${"))
}

/// Anything of the user's own.
fn object(node: &Node) -> Json {
    match &node.what {
        What::Scalar(text) if text.is_hidden() => json!(REDACTED),
        What::Scalar(text) => match metadata::bare(text) {
            Some(bare) => exact(bare),
            None => scalar(text),
        },
        What::List(items) => items.iter().map(object).collect(),
        What::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.text.clone(), object(&entry.value)))
            .collect::<Map<_, _>>()
            .into(),
        What::Broken => Json::Null,
    }
}

/// A word or a number of JSON; a number whose digits would not survive stays a text.
fn exact(bare: &str) -> Json {
    let read = serde_json::from_str(bare).unwrap_or(Json::Null);
    let again = read.to_string();
    if again == bare { read } else { json!(bare) }
}
