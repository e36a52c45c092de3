//! The values of a configuration that are not to be printed, for those who print what they were made of.

use crate::config::Config;
use crate::tree::{Node, Scalar, What};
use crate::value::{Block, Value};

/// Shorter ones stand in too many words that have nothing to do with them.
const SHORTEST: usize = 4;

impl Config {
    /// All values that came out of `${…}`, and those of keys that look secret, the longest first.
    pub fn hidden_values(&self) -> Vec<String> {
        let mut found = Vec::new();
        block(&self.effective, &mut found);
        found.retain(|value: &String| value.len() >= SHORTEST);
        found.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        found.dedup();
        found
    }
}

fn block(from: &Block, found: &mut Vec<String>) {
    for key in from.section.keys {
        match from.get(key.name).map(|setting| &setting.value) {
            Some(Value::Leaf(leaf)) => scalar(&leaf.text, found),
            Some(Value::Texts(texts)) => texts.iter().for_each(|text| scalar(text, found)),
            Some(Value::Map(entries)) => entries.iter().for_each(|(_, leaf)| scalar(&leaf.text, found)),
            Some(Value::Object(inner)) => node(inner, found),
            Some(Value::Block(inner)) => block(inner, found),
            Some(Value::Blocks(blocks)) => blocks.iter().for_each(|inner| block(inner, found)),
            None => {}
        }
    }
}

fn node(from: &Node, found: &mut Vec<String>) {
    match &from.what {
        What::Scalar(text) => scalar(text, found),
        What::List(items) => items.iter().for_each(|item| node(item, found)),
        What::Map(entries) => entries.iter().for_each(|entry| node(&entry.value, found)),
        What::Broken => {}
    }
}

fn scalar(text: &Scalar, found: &mut Vec<String>) {
    if text.is_hidden() {
        found.push(text.text.clone());
    }
}
