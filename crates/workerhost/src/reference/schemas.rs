//! The schemas of what `--json` prints, in `schemas/cli`: all there, and in the page.

use super::repository;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const SCHEMAS: &str = "schemas/cli";
/// Kept in files of the data directory, and never printed.
const KEPT: [&str; 1] = ["map-definition"];

/// Every schema: the name of its file, and what it says.
fn all() -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = fs::read_dir(repository(SCHEMAS))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let schema = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            (path.file_name().unwrap().to_string_lossy().into_owned(), schema)
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// The part of the page about JSON.
pub(super) fn section(page: &mut String) {
    page.push_str(
        "\n## JSON\n\nEvery object names its schema and version in `schema`. Within a version members are only ever \
         added, so ignore\nthose that you do not know.\n\n| `schema` | |\n|---|---|\n",
    );
    for (file, schema) in all() {
        let (title, words) = (text(&schema, "title"), text(&schema, "description"));
        writeln!(page, "| [`{title}`](../{SCHEMAS}/{file}) | {words} |").unwrap();
    }
}

fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema[key].as_str().unwrap_or_else(|| panic!("a schema has no {key}: {schema}"))
}

/// Names of schemas in the source.
fn named(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named(&path, names);
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for part in source.split(concat!("\"work", "erhost.")).skip(1) {
            let Some((name, version)) = part.split('"').next().and_then(|name| name.split_once('/')) else {
                continue;
            };
            if version.starts_with('v') && !KEPT.contains(&name) {
                names.insert(name.to_owned());
            }
        }
    }
}

#[test]
fn whatever_is_printed_as_json_has_a_schema_that_bears_its_name() {
    let mut printed = BTreeSet::new();
    named(&repository("crates/workerhost/src/commands"), &mut printed);
    named(&repository("crates/workerhost/src/json"), &mut printed);
    let mut described = BTreeSet::new();
    for (file, schema) in all() {
        let name = file.strip_suffix(".schema.json").unwrap_or_else(|| panic!("{file} is no schema"));
        assert_eq!(text(&schema, "title"), format!("workerhost.{name}/v1"), "{file}");
        assert_eq!(schema["properties"]["schema"]["const"], schema["title"], "{file}");
        assert_eq!(text(&schema, "$id"), format!("urn:workerhost:cli:1:{name}"), "{file}");
        described.insert(name.to_owned());
    }
    assert_eq!(
        described, printed,
        "write schemas/cli/NAME.schema.json for what is new, delete what is no more"
    );
}
