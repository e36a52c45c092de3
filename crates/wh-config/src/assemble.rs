//! What both formats have in common when they become a tree: depth, keys that stand twice, secrets.

use crate::report::Report;
use crate::secret;
use crate::source::At;
use crate::tree::{Entry, Node, Scalar, What};
use std::collections::HashMap;

/// How deep maps and lists may nest.
pub(crate) const MOST_NESTING: usize = 32;

/// The reading cannot go on; why has been reported.
pub(crate) struct Stopped;

/// Refuses a map or list inside `depth` others when that is too deep.
pub(crate) fn refuse_depth(at: At, depth: usize, report: &mut Report) -> Result<(), Stopped> {
    if depth < MOST_NESTING { Ok(()) } else { Err(too_deep(at, report)) }
}

/// Tells that values nest too deep.
pub(crate) fn too_deep(at: At, report: &mut Report) -> Stopped {
    report.error(
        at,
        format!("values are nested more than {MOST_NESTING} deep"),
        "no configuration needs that; look for a bracket that is never closed",
    );
    Stopped
}

/// A map that is being read.
#[derive(Default)]
pub(crate) struct Entries {
    entries: Vec<Entry>,
    seen: HashMap<String, At>,
}

impl Entries {
    /// Adds a key with its value, which ends at the byte `end`. Of a key that stands twice the first is kept.
    pub(crate) fn add(&mut self, key: Node, mut value: Node, end: usize, report: &mut Report) {
        let at = key.at;
        let key = match key.what {
            What::Scalar(key) if !key.is_null() => key,
            _ => {
                report.is_odd();
                report.error(
                    at,
                    "a key must be a text",
                    "write `key: value`; a value that begins with `{` or `[` needs quotes",
                );
                return;
            }
        };
        if secret::looks_secret(&key.text) {
            value.mark_secret();
            if !value.is_reference() {
                report.hide(Some(after_colon(&key, end, report)..end));
            }
        }
        if let Some(first) = self.seen.get(&key.text) {
            let line = report.line(*first);
            report.error(
                key.at,
                format!("the key {} stands here a second time", key.quoted()),
                format!("take out one of the two; the first is in line {line}"),
            );
            return;
        }
        self.seen.insert(key.text.clone(), key.at);
        self.entries.push(Entry { key, value });
    }

    /// The entries in their order.
    pub(crate) fn finish(self) -> Vec<Entry> {
        self.entries
    }
}

/// Where what follows a key begins: its value, and an anchor or tag before that.
fn after_colon(key: &Scalar, end: usize, report: &Report) -> usize {
    let between = report.slice(At { start: key.at.end, end: end.max(key.at.end), ..key.at });
    let value = between.split_once(':').map_or(between, |(_, value)| value).trim_start();
    key.at.end + between.len() - value.len()
}
