//! Which crate may know which: the storeys of the house, as a table.
//!
//! Ground knows nobody, the floor knows the ground, a room knows ground and floor but no other room, and the
//! roof, where traits meet their adapters, knows everything.

use crate::check::Report;
use crate::metadata::{Metadata, Package, own};
use std::path::Path;

/// A crate and those of ours that it knows.
struct Row {
    from: &'static str,
    /// In production: exactly these.
    to: &'static [&'static str],
    /// In its tests as well: at most these.
    in_tests: &'static [&'static str],
}

const TESTKIT: &[&str] = &["wh-testkit"];

const TABLE: &[Row] = &[
    // ground
    Row { from: "wh-domain", to: &[], in_tests: &[] },
    Row { from: "wh-protocol", to: &[], in_tests: &[] },
    Row { from: "wh-formats", to: &["wh-domain"], in_tests: &[] },
    // floor
    Row { from: "wh-ports", to: &["wh-domain"], in_tests: &[] },
    Row { from: "wh-testkit", to: &["wh-domain", "wh-ports"], in_tests: &[] },
    // rooms
    Row { from: "wh-config", to: &["wh-domain", "wh-formats"], in_tests: TESTKIT },
    Row { from: "wh-host", to: &["wh-domain", "wh-ports"], in_tests: TESTKIT },
    Row { from: "wh-sqlite", to: &["wh-domain", "wh-ports"], in_tests: TESTKIT },
    Row {
        from: "wh-supervisor",
        to: &["wh-domain", "wh-formats", "wh-ports", "wh-protocol"],
        in_tests: TESTKIT,
    },
    Row { from: "wh-telemetry", to: &["wh-domain", "wh-ports"], in_tests: TESTKIT },
    // roof
    Row {
        from: "workerhost",
        to: &[
            "wh-config",
            "wh-domain",
            "wh-host",
            "wh-ports",
            "wh-protocol",
            "wh-sqlite",
            "wh-supervisor",
            "wh-telemetry",
        ],
        in_tests: TESTKIT,
    },
    // beside the house
    Row { from: "bench", to: &["wh-domain", "wh-ports", "wh-protocol", "wh-sqlite"], in_tests: &[] },
    Row { from: "soak", to: &["wh-domain", "wh-ports", "wh-sqlite", "workerhost"], in_tests: &[] },
    Row { from: "xtask", to: &[], in_tests: &[] },
];

/// Crates that need nothing but the standard library, so that rules stay rules.
const NEED_NOTHING: &[&str] = &["wh-domain"];

const MEND: &str = "drop the arrow, or, if the house shall change, its row in xtask/src/arrows.rs with a word in ARCHITECTURE.md";

/// Fails on an arrow that the table does not have, on one that only the table has, and on a crate without a row.
pub(crate) fn check(root: &Path) -> Report {
    match own(root) {
        Ok(metadata) => of(&metadata, TABLE),
        Err(text) => Report::failed(text, "make `cargo metadata --locked` work; is Cargo.lock up to date?"),
    }
}

fn of(metadata: &Metadata, table: &[Row]) -> Report {
    let ours: Vec<&str> = metadata.packages.iter().map(|it| it.name.as_str()).collect();
    let mut problems: Vec<String> = table
        .iter()
        .filter(|row| !ours.contains(&row.from))
        .map(|row| format!("{} has a row but does not exist", row.from))
        .collect();
    for package in &metadata.packages {
        match table.iter().find(|row| row.from == package.name) {
            Some(row) => problems.extend(differences(package, row, &ours)),
            None => problems.push(format!("{} has no row", package.name)),
        }
    }
    let count: usize = table.iter().map(|row| row.to.len()).sum();
    Report::of(&problems, format!("{} crates, {count} arrows", ours.len()), MEND)
}

fn differences(package: &Package, row: &Row, ours: &[&str]) -> Vec<String> {
    let from = &package.name;
    let is_for_tests = |kind: Option<&str>| kind == Some("dev");
    let mut problems = Vec::new();
    for it in &package.dependencies {
        let (to, tests) = (it.name.as_str(), is_for_tests(it.kind.as_deref()));
        if ours.contains(&to) {
            let allowed = row.to.contains(&to) || (tests && row.in_tests.contains(&to));
            if !allowed {
                let whose = if tests { " in its tests" } else { "" };
                problems.push(format!("{from} → {to}{whose} is not in the table"));
            }
        } else if !tests && NEED_NOTHING.contains(&from.as_str()) {
            problems.push(format!("{from} needs {to}, but it shall need nothing"));
        }
    }
    let known =
        |to: &str| package.dependencies.iter().any(|it| it.name == to && !is_for_tests(it.kind.as_deref()));
    problems.extend(
        row.to.iter().filter(|to| !known(to)).map(|to| format!("{from} → {to} is only in the table")),
    );
    problems
}

#[cfg(test)]
mod unit {
    use super::*;

    const HOUSE: &[Row] = &[
        Row { from: "wh-domain", to: &[], in_tests: &[] },
        Row { from: "room", to: &["wh-domain"], in_tests: &["kit"] },
        Row { from: "kit", to: &[], in_tests: &[] },
    ];

    /// Crates as `name: dependency dependency(dev)`.
    fn output(crates: &[&str]) -> String {
        let packages: Vec<serde_json::Value> = crates
            .iter()
            .map(|line| {
                let (name, needs) = line.split_once(':').unwrap();
                let needs: Vec<serde_json::Value> = needs
                    .split_whitespace()
                    .map(|need| match need.strip_suffix("(dev)") {
                        Some(name) => serde_json::json!({"name": name, "kind": "dev"}),
                        None => serde_json::json!({"name": need, "kind": null}),
                    })
                    .collect();
                serde_json::json!({"name": name, "version": "1.0.0", "dependencies": needs})
            })
            .collect();
        let metadata = serde_json::from_value(serde_json::json!({"packages": packages})).unwrap();
        of(&metadata, HOUSE).trouble.map(|trouble| trouble.output).unwrap_or_default()
    }

    #[test]
    fn every_difference_between_house_and_table_is_named() {
        let good = ["wh-domain:", "room: wh-domain serde kit(dev)", "kit:"];
        assert_eq!(output(&good), "");
        for (at, line, problem) in [
            (0, "wh-domain: serde", "wh-domain needs serde, but it shall need nothing"),
            (0, "wh-domain: kit(dev)", "wh-domain → kit in its tests is not in the table"),
            (1, "room: wh-domain kit", "room → kit is not in the table"),
            (1, "room: wh-domain(dev)", "room → wh-domain is only in the table"),
            (2, "kit: room", "kit → room is not in the table"),
        ] {
            let mut crates = good;
            crates[at] = line;
            assert_eq!(output(&crates), problem);
        }
        assert_eq!(output(&["wh-domain:", "room: wh-domain"]), "kit has a row but does not exist");
        assert_eq!(output(&["wh-domain:", "room: wh-domain", "kit:", "shed:"]), "shed has no row");
    }
}
