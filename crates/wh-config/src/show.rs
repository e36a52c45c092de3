//! The effective configuration as YAML: every key with what holds, secrets redacted.

use crate::config::Config;
use crate::duration::format_duration;
use crate::metadata;
use crate::secret::{self, REDACTED};
use crate::signal;
use crate::size::format_size;
use crate::table::{Effect, Fallback, Key};
use crate::tree::{Node, Scalar, What};
use crate::value::{Block, Leaf, Origin, Sense, Setting, Value};

/// Prints the effective configuration as YAML that reads back the same, but for secrets and for values that came
/// out of `${…}`, which are `<redacted>`. With `with_origin` a comment says where each value came from.
pub fn show(config: &Config, with_origin: bool) -> String {
    let mut printer = Printer { out: String::new(), with_origin };
    printer.block(&config.effective, 0);
    printer.out
}

impl std::fmt::Debug for Config {
    /// As [`show`] prints it: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&show(self, false))
    }
}

struct Printer {
    out: String,
    with_origin: bool,
}

impl Printer {
    fn block(&mut self, block: &Block, depth: usize) {
        for key in block.section.keys {
            if matches!(key.effect, Effect::Alias(_)) {
                continue;
            }
            match block.get(key.name) {
                Some(setting) => self.setting(key, setting, depth),
                None => self.left_out(key, depth),
            }
        }
    }

    fn setting(&mut self, key: &Key, setting: &Setting, depth: usize) {
        let hidden = secret::looks_secret(key.name);
        match &setting.value {
            Value::Leaf(leaf) => {
                let text = if hidden { REDACTED.to_owned() } else { leaf_text(leaf) };
                self.line(depth, &format!("{}: {text}", key.name), Some(&setting.origin));
            }
            Value::Texts(texts) => {
                let items: Vec<_> = texts.iter().map(scalar_text).collect();
                let line = format!("{}: [{}]", key.name, items.join(", "));
                self.line(depth, &line, Some(&setting.origin));
            }
            Value::Map(entries) => {
                self.line(
                    depth,
                    &format!("{}:{}", key.name, none(entries.is_empty())),
                    Some(&setting.origin),
                );
                for (name, leaf) in entries {
                    let line = format!("{}: {}", quoted(&name.text), leaf_text(leaf));
                    self.line(depth + 1, &line, None);
                }
            }
            Value::Object(node) => {
                let line = format!("{}: {}", key.name, object(node));
                self.line(depth, &line, Some(&setting.origin));
            }
            Value::Block(block) => {
                self.line(depth, &format!("{}:", key.name), None);
                self.block(block, depth + 1);
            }
            Value::Blocks(blocks) => {
                self.line(
                    depth,
                    &format!("{}:{}", key.name, if blocks.is_empty() { " []" } else { "" }),
                    None,
                );
                for block in blocks {
                    let dash = self.out.len() + 2 * (depth + 1);
                    self.block(block, depth + 2);
                    // Every line of the item is indented this far; its first one gets the sign of a list there.
                    self.out.replace_range(dash..=dash, "-");
                }
            }
        }
    }

    /// A key that depends on other things is shown as a comment, so that the output reads back the same.
    fn left_out(&mut self, key: &Key, depth: usize) {
        if let Fallback::Words(words) = key.fallback {
            self.line(depth, &format!("# {}: {words}", key.name), Some(&Origin::Default));
        }
    }

    fn line(&mut self, depth: usize, text: &str, origin: Option<&Origin>) {
        self.out.push_str(&"  ".repeat(depth));
        self.out.push_str(text);
        if let (true, Some(origin)) = (self.with_origin, origin) {
            self.out.push_str("  # ");
            self.out.push_str(&origin.to_string());
        }
        self.out.push('\n');
    }
}

fn none(empty: bool) -> &'static str {
    if empty { " {}" } else { "" }
}

fn leaf_text(leaf: &Leaf) -> String {
    if leaf.text.is_hidden() {
        return REDACTED.to_owned();
    }
    match leaf.sense {
        Sense::Text => scalar_text(&leaf.text),
        Sense::Bool(flag) => flag.to_string(),
        Sense::Whole(number) => number.to_string(),
        Sense::Time(time) => format_duration(time),
        Sense::Size(bytes) => format_size(bytes),
        Sense::Percent(share) => format!("{share}%"),
        Sense::Word(word) => quoted(word),
        Sense::Signal(number) => signal::name(number).to_owned(),
    }
}

fn scalar_text(text: &Scalar) -> String {
    if text.is_hidden() { REDACTED.to_owned() } else { quoted(&secret::redacted(&text.text)) }
}

/// A text as YAML: bare where nothing in it means anything to YAML, else in JSON's quotes, which are also YAML's.
fn quoted(text: &str) -> String {
    let bare = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.' || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c))
        && !is_word_of_yaml(text);
    if bare {
        return text.to_owned();
    }
    serde_json::Value::String(text.replace("${", "$${")).to_string()
}

fn is_word_of_yaml(text: &str) -> bool {
    let words = ["null", "true", "false", "yes", "no", "on", "off", ".nan", ".inf", "y", "n"];
    words.contains(&text.to_lowercase().as_str())
}

/// Anything of the user's own, on one line.
fn object(node: &Node) -> String {
    match &node.what {
        What::Scalar(text) if text.is_hidden() => REDACTED.to_owned(),
        What::Scalar(text) => match metadata::bare(text) {
            Some(bare) => bare.to_owned(),
            None => scalar_text(text),
        },
        What::List(items) => {
            format!("[{}]", items.iter().map(object).collect::<Vec<_>>().join(", "))
        }
        What::Map(entries) => {
            let pairs =
                entries.iter().map(|entry| format!("{}: {}", quoted(&entry.key.text), object(&entry.value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        What::Broken => "null".to_owned(),
    }
}
