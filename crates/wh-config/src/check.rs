//! Holds a tree against the table of keys: every value is understood or told about, none is passed over.

use crate::report::Report;
use crate::scalar::{Refusal, understand};
use crate::source::At;
use crate::table::{Effect, Fallback, Key, Kind, Section};
use crate::tree::{Entry, Node, Scalar, What, quote};
use crate::unknown;
use crate::value::{Block, Leaf, Origin, Sense, Setting, Value};

/// Checks a section and fills in what it leaves out.
pub(crate) fn block(section: &'static Section, node: &Node, report: &mut Report) -> Block {
    let mut block = Block::new(section, node.at);
    match &node.what {
        What::Map(entries) => {
            for entry in entries {
                one_key(&mut block, entry, report);
            }
            warn_of_later_keys(section, entries, report);
        }
        What::Broken => block.set_lost(),
        _ if node.is_null() => {}
        What::Scalar(_) | What::List(_) => {
            report.error(
                node.at,
                format!("{} wants keys with values here", section.title),
                format!("write `{}`", section.keys.first().map(Key::sample).unwrap_or_default()),
            );
            block.set_lost();
        }
    }
    fill_in(&mut block, report);
    block
}

fn one_key(block: &mut Block, entry: &Entry, report: &mut Report) {
    let section = block.section;
    let Some(key) = section.key(&entry.key.text) else {
        return unknown::key(section, &entry.key, report);
    };
    let target = match key.effect {
        Effect::Alias(target) => target,
        Effect::Works | Effect::Later => key.name,
    };
    let Some(value) = value(key, &key.kind, entry, report) else {
        return block.set_broken(target);
    };
    let at = entry.value.at;
    if let Some(earlier) = block.get(target) {
        if !agree(&earlier.value, &value) {
            report.error(
                entry.key.at,
                format!("`{}` says something else than `{target}` or its other name above", key.name),
                format!("they are names of the same thing: keep one, best `{target}`"),
            );
        }
        return;
    }
    block.set(target, Setting { value, at, origin: report.origin(at) });
}

/// Whether two names of one thing say the same.
fn agree(one: &Value, other: &Value) -> bool {
    let (Value::Leaf(one), Value::Leaf(other)) = (one, other) else { return false };
    one.sense == other.sense && (one.sense != Sense::Text || one.text.text == other.text.text)
}

fn value(key: &'static Key, kind: &'static Kind, entry: &Entry, report: &mut Report) -> Option<Value> {
    let node = &entry.value;
    match (kind, &node.what) {
        (_, What::Broken) => None,
        (Kind::Either(kinds), what) => {
            let shape = kinds.iter().find(|kind| has_shape(kind, what));
            match (shape, what) {
                (Some(_), What::Scalar(text)) => scalar(key, kind, entry, text, report),
                (Some(shape), _) => value(key, shape, entry, report),
                (None, _) => wrong_shape(key, entry, report),
            }
        }
        (Kind::Section(section), _) => Some(Value::Block(block(section, node, report))),
        (Kind::Sections(section), What::List(items)) => {
            Some(Value::Blocks(items.iter().map(|item| block(section, item, report)).collect()))
        }
        (Kind::Sections(_), _) if node.is_null() => Some(Value::Blocks(Vec::new())),
        (Kind::Texts, What::List(items)) => texts(key, items, report),
        (Kind::Map(inner), What::Map(entries)) => map(key, inner, entries, report),
        (Kind::Map(_), _) if node.is_null() => Some(Value::Map(Vec::new())),
        (Kind::Object, What::Map(_)) => Some(Value::Object(node.clone())),
        (Kind::Object, _) if node.is_null() => {
            Some(Value::Object(Node { at: node.at, what: What::Map(Vec::new()) }))
        }
        (Kind::Texts | Kind::Map(_) | Kind::Object | Kind::Sections(_), _) => wrong_shape(key, entry, report),
        (_, What::Scalar(text)) => scalar(key, kind, entry, text, report),
        (_, What::List(_) | What::Map(_)) => wrong_shape(key, entry, report),
    }
}

/// Whether a kind is written in this shape.
fn has_shape(kind: &Kind, what: &What) -> bool {
    match kind {
        Kind::Texts | Kind::Sections(_) => matches!(what, What::List(_)),
        Kind::Map(_) | Kind::Object | Kind::Section(_) => matches!(what, What::Map(_)),
        _ => matches!(what, What::Scalar(_)),
    }
}

fn scalar(
    key: &'static Key,
    kind: &'static Kind,
    entry: &Entry,
    text: &Scalar,
    report: &mut Report,
) -> Option<Value> {
    if text.is_null() {
        report.error(
            entry.key.at,
            format!("`{}` has no value", key.name),
            format!("write for example `{}`, or take the line out", key.sample()),
        );
        return None;
    }
    leaf(key, kind, text, report).map(Value::Leaf)
}

fn leaf(key: &'static Key, kind: &'static Kind, text: &Scalar, report: &mut Report) -> Option<Leaf> {
    match understand(kind, text) {
        Ok(sense) => Some(Leaf { text: text.clone(), sense }),
        Err(Refusal { why, help, .. }) => {
            let help = match (key.hint, help) {
                ("", Some(help)) => help,
                ("", None) => format!("write for example `{}`", key.sample()),
                (hint, _) => hint.to_owned(),
            };
            report.error(text.at, format!("`{}`: {} {why}", key.name, text.quoted()), help);
            None
        }
    }
}

fn texts(key: &'static Key, items: &[Node], report: &mut Report) -> Option<Value> {
    let mut found = Vec::new();
    let mut whole = true;
    for item in items {
        match &item.what {
            What::Scalar(text) if !text.is_null() => found.push(text.clone()),
            What::Broken => whole = false,
            _ => {
                whole = false;
                report.error(
                    item.at,
                    format!("an item of `{}` is not a text", key.name),
                    format!("write for example `{}`; put quotes around what is none", key.sample()),
                );
            }
        }
    }
    whole.then_some(Value::Texts(found))
}

fn map(key: &'static Key, kind: &'static Kind, entries: &[Entry], report: &mut Report) -> Option<Value> {
    let mut found = Vec::new();
    let mut whole = true;
    for Entry { key: name, value } in entries {
        let leaf = match &value.what {
            What::Scalar(text) => leaf(key, kind, text, report),
            What::Broken => None,
            What::List(_) | What::Map(_) => {
                report.error(
                    value.at,
                    format!("{} under `{}` is not {}", quote(&name.text), key.name, kind.expected()),
                    format!("write for example `{}`", key.sample()),
                );
                None
            }
        };
        match leaf {
            Some(leaf) => found.push((name.clone(), leaf)),
            None => whole = false,
        }
    }
    whole.then_some(Value::Map(found))
}

fn wrong_shape(key: &'static Key, entry: &Entry, report: &mut Report) -> Option<Value> {
    let found = match &entry.value.what {
        What::Scalar(text) if text.is_null() => "nothing",
        What::Scalar(_) => "a single text",
        What::List(_) => "a list",
        What::Map(_) | What::Broken => "keys with values",
    };
    let sample = match (&key.kind, &entry.value.what) {
        (Kind::Texts, What::Scalar(text)) => as_list(key, text),
        _ => key.sample(),
    };
    report.error(
        entry.value.at,
        format!("`{}` is {found}, but has to be {}", key.name, key.kind.expected()),
        format!("write for example `{sample}`"),
    );
    None
}

/// The list that was probably meant by one text; where quotes or secrets make that unsure, the key's sample.
fn as_list(key: &Key, text: &Scalar) -> String {
    let words: Vec<_> = text.written.split_whitespace().map(|word| format!("{word:?}")).collect();
    if text.secret || words.is_empty() || words.len() > 10 || text.written.contains(['"', '\'', '=', '\\']) {
        return key.sample();
    }
    format!("{}: [{}]", key.name, words.join(", "))
}

/// One warning for all keys of a section that do nothing; a section of its own gets one of its own.
fn warn_of_later_keys(section: &'static Section, entries: &[Entry], report: &mut Report) {
    // Inside a section that does nothing as a whole, its key has been warned of.
    if section.keys.iter().all(|key| key.effect == Effect::Later) {
        return;
    }
    let later = |entry: &&Entry| {
        section.key(&entry.key.text).is_some_and(|key| match key.effect {
            Effect::Later => true,
            Effect::Alias(target) => section.key(target).is_some_and(|key| key.effect == Effect::Later),
            Effect::Works => false,
        })
    };
    let is_section =
        |entry: &&Entry| section.key(&entry.key.text).is_some_and(|key| matches!(key.kind, Kind::Section(_)));
    let told = |at: At, names: &str, have: &str, report: &mut Report| {
        report.warn(
            at,
            format!("{names} {have} no effect in this version"),
            "it is read for the sake of older files and may be taken out",
        );
    };
    for entry in entries.iter().filter(later).filter(is_section) {
        told(entry.key.at, &format!("`{}`", entry.key.text), "has", report);
    }
    let single: Vec<_> = entries.iter().filter(later).filter(|entry| !is_section(entry)).collect();
    if let Some(first) = single.first() {
        let names: Vec<_> = single.iter().map(|entry| format!("`{}`", entry.key.text)).collect();
        let have = if names.len() == 1 { "has" } else { "have" };
        told(first.key.at, &names.join(", "), have, report);
    }
}

fn fill_in(block: &mut Block, report: &mut Report) {
    for key in block.section.keys {
        if block.is_broken(key.name) || block.get(key.name).is_some() {
            continue;
        }
        let at = block.at;
        let value = match key.fallback {
            Fallback::None | Fallback::Words(_) | Fallback::Required => continue,
            Fallback::Section => match &key.kind {
                Kind::Section(section) => {
                    let nothing = Node { at, what: What::Map(Vec::new()) };
                    Value::Block(self::block(section, &nothing, report))
                }
                _ => continue,
            },
            Fallback::Value(text) => match leaf(key, &key.kind, &Scalar::new(text, at, true), report) {
                Some(leaf) => Value::Leaf(leaf),
                None => continue,
            },
        };
        block.set(key.name, Setting { value, at, origin: Origin::Default });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overrides;
    use crate::source::Source;
    use crate::table::{ROOT, Word, all_sections};
    use std::collections::HashSet;
    use wh_domain::ending::Meaning;

    #[test]
    fn every_default_is_of_its_kind_and_every_alias_has_its_target() {
        let mut report = Report::new(Source::new("table", ""));
        for section in all_sections() {
            let names: HashSet<_> = section.keys.iter().map(|key| key.name).collect();
            assert_eq!(names.len(), section.keys.len(), "a key stands twice in {}", section.title);
            for key in section.keys {
                if let Effect::Alias(target) = key.effect {
                    let target = section.key(target).unwrap();
                    assert_eq!(target.kind.expected(), key.kind.expected(), "{}", key.name);
                } else {
                    assert!(key.doc.ends_with('.'), "{} of {}", key.name, section.title);
                }
            }
            block(section, &Node { at: At::default(), what: What::Map(Vec::new()) }, &mut report);
        }
        assert!(report.finish().is_empty());
    }

    #[test]
    fn every_override_has_its_key() {
        for (name, path) in overrides::overrides() {
            let mut section = &ROOT;
            for part in path.split('.') {
                let key = section.key(part).unwrap_or_else(|| panic!("{name}"));
                if let Kind::Section(inner) = &key.kind {
                    section = inner;
                }
            }
        }
    }

    #[test]
    fn exit_codes_may_mean_whatever_the_domain_knows() {
        let worker = all_sections().into_iter().find(|section| section.path == "workers[]").unwrap();
        let Kind::Map(Kind::Word(words)) = worker.key("exit_codes").unwrap().kind else { panic!() };
        let words: Vec<_> = words.iter().map(|Word { text, .. }| *text).collect();
        assert_eq!(words, Meaning::ALL.map(Meaning::as_str));
    }
}
