//! What we build from: known licences, one registry, no crate that we have reasons against, none without a reason.
//!
//! The same rules stand in `deny.toml` for cargo-deny, which is asked as well where it is installed. It is the
//! better tool, but takes minutes to build; so that a clean machine checks the same, these few rules are also
//! checked here, from the same file.

mod bans;
mod doubles;
mod licences;
mod policy;
mod reasons;

use crate::check::Report;
use crate::command::{cargo, has_cargo};
use crate::metadata;
use policy::{Lock, Policy};
use std::path::Path;

const MEND: &str =
    "choose another crate, or, for good reasons, change deny.toml and docs/dependencies.md and say why there";

/// Fails on a licence, source, crate or second version that `deny.toml` does not allow, and on a dependency
/// without a reason in `docs/dependencies.md`.
pub(crate) fn check(root: &Path) -> Report {
    let problems = match problems(root) {
        Ok(problems) => problems,
        Err(what) => return Report::failed(what, "make the file readable"),
    };
    if !problems.is_empty() {
        return Report::failed(problems.join("\n"), MEND);
    }
    if !has_cargo("deny") {
        return Report::passed("without cargo-deny, which is not installed");
    }
    let printed = cargo(root, &["deny", "--offline", "check", "bans", "licenses", "sources"], &[]);
    if printed.ok { Report::passed("with cargo-deny") } else { Report::failed(printed.text, MEND) }
}

fn problems(root: &Path) -> Result<Vec<String>, String> {
    let read =
        |name: &str| std::fs::read_to_string(root.join(name)).map_err(|error| format!("{name}: {error}"));
    let policy = Policy::parse(&read("deny.toml")?)?;
    let lock = Lock::parse(&read("Cargo.lock")?)?;
    let built = metadata::all(root)?;
    let ours = metadata::own(root)?;
    Ok([
        licences::problems(&built.packages, &policy),
        bans::problems(&lock, &policy),
        doubles::problems(&built.behind("workerhost"), &policy.bans.skip),
        reasons::problems(&read("Cargo.toml")?, &read("docs/dependencies.md")?, &ours.packages)?,
    ]
    .concat())
}
