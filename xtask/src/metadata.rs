//! What cargo knows of the workspace and of everything it is built from.

use crate::command::cargo;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What `cargo metadata` prints; the fields that checks look at.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    /// Which crate is built from which; `None` where only our own were asked for.
    pub(crate) resolve: Option<Resolve>,
}

/// The graph of crates.
#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// A crate in the graph.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<Arrow>,
}

/// From one crate to another.
#[derive(Debug, Deserialize)]
pub(crate) struct Arrow {
    /// The other's id.
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<Kind>,
}

/// What a crate needs another for.
#[derive(Debug, Deserialize)]
pub(crate) struct Kind {
    /// `None` for an ordinary need, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// A crate.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// Names it in the graph.
    #[serde(default)]
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency as its manifest states it.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for an ordinary one, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// Our own crates only.
///
/// # Errors
/// What cargo says.
pub(crate) fn own(root: &Path) -> Result<Metadata, String> {
    read(root, &["metadata", "--format-version=1", "--locked", "--no-deps"])
}

/// Our own and all others that are built on this platform; a crate for another one need not be downloaded.
///
/// # Errors
/// What cargo says.
pub(crate) fn all(root: &Path) -> Result<Metadata, String> {
    let platform = format!("--filter-platform={}-unknown-linux-gnu", std::env::consts::ARCH);
    read(root, &["metadata", "--format-version=1", "--locked", &platform])
}

impl Metadata {
    /// Every crate that `roof` is built from, itself included; what only tests need is left out.
    pub(crate) fn behind(&self, roof: &str) -> Vec<&Package> {
        let nodes = self.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let needs: BTreeMap<&str, &[Arrow]> = nodes.map(|node| (&*node.id, &*node.deps)).collect();
        let mut waiting: Vec<&str> =
            self.packages.iter().filter(|it| it.name == roof).map(|it| &*it.id).collect();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if seen.insert(id) {
                let arrows = needs.get(id).into_iter().flat_map(|arrows| arrows.iter());
                let ships =
                    |arrow: &&Arrow| arrow.dep_kinds.iter().any(|it| it.kind.as_deref() != Some("dev"));
                waiting.extend(arrows.filter(ships).map(|arrow| &*arrow.pkg));
            }
        }
        self.packages.iter().filter(|package| seen.contains(&*package.id)).collect()
    }
}

fn read(root: &Path, arguments: &[&str]) -> Result<Metadata, String> {
    let printed = cargo(root, arguments, &[]);
    // Cargo tells of a wait or a download on lines before the one that is the answer.
    printed
        .text
        .lines()
        .find(|line| line.starts_with('{'))
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or(printed.text)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn what_only_tests_need_does_not_stand_behind_the_roof() {
        let packages = ["roof", "room", "deep", "kit", "other"].map(
            |name| serde_json::json!({"name": name, "id": name, "version": "1.0.0", "dependencies": []}),
        );
        let metadata: Metadata = serde_json::from_value(serde_json::json!({
            "packages": packages,
            "resolve": {"nodes": [
                {"id": "roof", "deps": [
                    {"pkg": "room", "dep_kinds": [{"kind": null}, {"kind": "dev"}]},
                    {"pkg": "kit", "dep_kinds": [{"kind": "dev"}]},
                ]},
                {"id": "room", "deps": [{"pkg": "deep", "dep_kinds": [{"kind": "build"}]}]},
                {"id": "deep", "deps": [{"pkg": "roof", "dep_kinds": [{"kind": null}]}]},
                {"id": "kit", "deps": []},
                {"id": "other", "deps": []},
            ]},
        }))
        .unwrap();
        let names: Vec<&str> = metadata.behind("roof").iter().map(|it| &*it.name).collect();
        assert_eq!(names, ["roof", "room", "deep"]);
    }
}
