//! The documentation builds, and every link in it leads somewhere.

use crate::check::Report;
use crate::command::cargo;
use std::path::Path;

/// Fails on any warning of rustdoc.
pub(crate) fn check(root: &Path) -> Report {
    let printed = cargo(
        root,
        &["doc", "--quiet", "--no-deps", "--workspace", "--locked"],
        &[("RUSTDOCFLAGS", "-Dwarnings")],
    );
    if printed.ok {
        Report::passed("")
    } else {
        Report::failed(printed.text, "mend the comment; `cargo doc --no-deps -p CRATE` shows it alone")
    }
}
