//! The code is laid out by rustfmt.

use crate::check::Report;
use crate::command::cargo;
use std::path::Path;

/// Fails where rustfmt would change a file; names the files, since one command mends them all.
pub(crate) fn check(root: &Path) -> Report {
    let printed = cargo(root, &["fmt", "--all", "--", "--check", "-l"], &[]);
    if printed.ok { Report::passed("") } else { Report::failed(printed.text, "run `cargo fmt --all`") }
}
