//! The first line of every module says in a sentence what the module is.

use crate::tree::Tree;

/// A problem for each Rust file that does not begin with a caption.
pub(super) fn problems(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter(|file| {
            let first = file.text.lines().next().unwrap_or_default();
            first.strip_prefix("//! ").is_none_or(|caption| caption.trim().is_empty())
        })
        .map(|file| format!("{}:1: begin with a caption, `//! What this module is.`", file.path))
        .collect()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_module_without_a_caption_is_a_problem() {
        for (text, problems_expected) in [
            ("//! How it ends.\n\nfn f() {}", 0),
            ("fn f() {}", 1),
            ("//!\nfn f() {}", 1),
            ("\n//! Too late.", 1),
            ("// No caption.", 1),
            ("", 1),
        ] {
            assert_eq!(problems(&Tree::from([("a.rs", text)])).len(), problems_expected, "{text:?}");
        }
    }
}
