//! Words that promise work for later, and traces of the workshop, stay out of what is handed over.

use crate::tree::Tree;

/// Whole words that say "not done yet". Spelled in two halves: this file is searched too.
const PROMISES: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("todo", "!"),
    concat!("unimple", "mented!"),
];

/// Places and pages that only those who build this have.
const WORKSHOP: &[&str] =
    &[concat!("/work", "/shared"), concat!("..", "/shared"), concat!("DEVEL", "OPERS.md")];

/// A problem for each line with such a word.
pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for file in &tree.files {
        for (at, line) in file.text.lines().enumerate() {
            let mut tell = |what: &str| problems.push(format!("{}:{}: {what}", file.path, at + 1));
            if let Some(word) = PROMISES.iter().find(|word| holds_word(line, word)) {
                tell(&format!("`{word}` promises for later; do it now or leave it out"));
            }
            if let Some(trace) = WORKSHOP.iter().find(|trace| line.contains(*trace)) {
                tell(&format!("`{trace}` means nothing to a reader; say what was meant"));
            }
        }
    }
    problems
}

/// Whether `word` stands in `line` with no letter, digit or underscore on either side.
fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let (before, from) = line.split_at(at);
        let after = from.strip_prefix(word).unwrap_or_default();
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn every_promise_and_every_trace_is_found_in_any_kind_of_file() {
        for word in PROMISES.iter().chain(WORKSHOP) {
            let tree = Tree::from([("docs/a.md", format!("fine\nsee {word} here").as_str())]);
            let found = problems(&tree);
            assert!(found.iter().any(|it| it.starts_with("docs/a.md:2: ")), "{word}: {found:?}");
        }
    }

    #[test]
    fn a_word_inside_another_is_no_promise() {
        for line in ["mkstemp(\"wh-XXXXXX\")", "MASTODON", "todo_list", "not_unimplemented"] {
            assert_eq!(problems(&Tree::from([("a.rs", line)])).len(), 0, "{line}");
        }
    }
}
