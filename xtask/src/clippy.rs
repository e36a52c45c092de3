//! The compiler and clippy have nothing to say.

use crate::check::Report;
use crate::command::cargo;
use std::path::Path;

/// Fails on any warning in any target of the workspace.
pub(crate) fn check(root: &Path) -> Report {
    let arguments = ["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    let printed = cargo(root, &arguments, &[]);
    if printed.ok {
        Report::passed("")
    } else {
        Report::failed(
            printed.text,
            "mend what it points at; where it is wrong, say so with #[expect(lint, reason = \"…\")]",
        )
    }
}
