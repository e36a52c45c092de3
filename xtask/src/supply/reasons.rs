//! Every dependency of the workspace has a line in `docs/dependencies.md` that says why it is there, and is used.

use crate::metadata::Package;
use std::collections::BTreeSet;

/// A problem for each dependency of the root `manifest` that has no line on the `page` or that none of `ours`
/// uses, for each that one of `ours` has past the root manifest, and for each line about none.
///
/// # Errors
/// What is wrong with the manifest.
pub(super) fn problems(manifest: &str, page: &str, ours: &[Package]) -> Result<Vec<String>, String> {
    let manifest: toml::Table = toml::from_str(manifest).map_err(|error| format!("Cargo.toml: {error}"))?;
    let stated: BTreeSet<&str> = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies")?.as_table())
        .into_iter()
        .flatten()
        .filter(|(_, how)| how.get("path").is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    let explained: BTreeSet<&str> = page.lines().filter_map(explained).collect();
    let without_reason = stated
        .difference(&explained)
        .map(|name| format!("{name} has no line with its reason in docs/dependencies.md"));
    let gone = explained
        .difference(&stated)
        .map(|name| format!("docs/dependencies.md explains {name}, which Cargo.toml does not have"));
    let used: BTreeSet<&str> =
        ours.iter().flat_map(|package| &package.dependencies).map(|it| it.name.as_str()).collect();
    let unused =
        stated.difference(&used).map(|name| format!("Cargo.toml has {name}, but no crate of ours uses it"));
    let own: BTreeSet<&str> = ours.iter().map(|package| package.name.as_str()).collect();
    let unstated = used.difference(&stated).filter(|name| !own.contains(*name)).map(|name| {
        format!("{name} stands in a crate's own Cargo.toml; state it under [workspace.dependencies]")
    });
    Ok(without_reason.chain(gone).chain(unused).chain(unstated).collect())
}

/// The crate that a line of the page is about: `` | `name` | reason | ``.
fn explained(line: &str) -> Option<&str> {
    let (name, reason) = line.strip_prefix("| `")?.split_once("` | ")?;
    let reason = reason.trim_end_matches('|').trim();
    (!reason.is_empty()).then_some(name)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_dependency_without_a_reason_and_a_reason_without_a_dependency_are_problems() {
        let manifest =
            "[workspace.dependencies]\nours = { path = \"x\" }\na = \"1\"\nb = { version = \"2\" }\n";
        let ours: Vec<Package> = serde_json::from_value(serde_json::json!([
            {"name": "x", "version": "0.1.0", "dependencies": [{"name": "a", "kind": null}, {"name": "b", "kind": "dev"}]}
        ]))
        .unwrap();
        let found = |page: &str| problems(manifest, page, &ours).unwrap();
        assert_eq!(found("| `a` | to parse |\n| `b` | to print |"), [""; 0]);
        assert_eq!(
            found("| `a` | |\n| `b` | to print |\n| `c` | gone |"),
            [
                "a has no line with its reason in docs/dependencies.md",
                "docs/dependencies.md explains c, which Cargo.toml does not have"
            ]
        );
        assert_eq!(
            problems(manifest, "| `a` | to parse |\n| `b` | to print |", ours.get(..0).unwrap()).unwrap(),
            [
                "Cargo.toml has a, but no crate of ours uses it",
                "Cargo.toml has b, but no crate of ours uses it"
            ]
        );
        let past: Vec<Package> = serde_json::from_value(serde_json::json!([
            {"name": "x", "version": "0.1.0", "dependencies": [{"name": "c", "kind": null}, {"name": "y", "kind": null}]},
            {"name": "y", "version": "0.1.0", "dependencies": []}
        ]))
        .unwrap();
        assert_eq!(
            problems("", "", &past).unwrap(),
            ["c stands in a crate's own Cargo.toml; state it under [workspace.dependencies]"]
        );
    }
}
