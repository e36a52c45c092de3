//! The house's manners: captions, sizes, links, words, tests that wait for facts instead of time, faults with their tests.

mod captions;
mod exceptions;
mod faults;
mod lengths;
mod links;
mod sleeps;
mod words;

use crate::check::Report;
use crate::tree::Tree;
use std::path::Path;

const MEND: &str =
    "STYLE.md says why; a true exception gets a row with its reason in xtask/src/tidy/exceptions.rs";

/// Fails on every breach of manners.
pub(crate) fn check(root: &Path) -> Report {
    match Tree::read(root) {
        Ok(tree) => {
            let problems = [
                captions::problems(&tree),
                lengths::problems(&tree, exceptions::LONG_FUNCTIONS),
                links::problems(&tree),
                words::problems(&tree),
                sleeps::problems(&tree, exceptions::SLEEPS),
                faults::problems(&tree),
            ]
            .concat();
            Report::of(&problems, format!("{} files", tree.files.len()), MEND)
        }
        Err(error) => Report::failed(error.to_string(), "make the repository readable"),
    }
}
