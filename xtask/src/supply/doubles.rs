//! What ships is built from one version of each crate: two would be compiled, shipped and mended twice.

use super::policy::Named;
use crate::metadata::Package;
use std::collections::BTreeMap;

/// A problem for each crate among those that `ship` in several versions, unless `skipped`, and for each skip that
/// nothing needs any more.
pub(super) fn problems(ship: &[&Package], skipped: &[Named]) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in ship {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let mut problems: Vec<String> = versions
        .iter()
        .filter(|(name, _)| !skipped.iter().any(|skip| name_of(skip) == **name))
        .map(|(name, versions)| format!("{name} is built in several versions: {}", versions.join(", ")))
        .collect();
    problems.extend(
        skipped.iter().filter(|skip| !versions.contains_key(name_of(skip))).map(|skip| {
            format!("{} comes only once and needs no skip any more ({})", skip.name, skip.reason)
        }),
    );
    problems
}

/// The crate of `name@version`.
fn name_of(skip: &Named) -> &str {
    skip.name.split_once('@').map_or(&*skip.name, |(name, _)| name)
}

#[cfg(test)]
mod unit {
    use super::*;

    fn found(crates: &[(&str, &str)]) -> Vec<String> {
        let packages: Vec<Package> = crates
            .iter()
            .map(|(name, version)| {
                let text = serde_json::json!({"name": name, "version": version, "dependencies": []});
                serde_json::from_value(text).unwrap()
            })
            .collect();
        let skip = [Named { name: "syn@2".to_owned(), reason: "on its way out".to_owned() }];
        problems(&packages.iter().collect::<Vec<_>>(), &skip)
    }

    #[test]
    fn a_second_version_needs_a_skip_and_a_skip_needs_a_second_version() {
        assert_eq!(found(&[("syn", "2.0.0"), ("syn", "3.0.0"), ("a", "1.0.0")]), [""; 0]);
        assert_eq!(
            found(&[("syn", "3.0.0"), ("a", "1.0.0"), ("a", "2.0.0")]),
            [
                "a is built in several versions: 1.0.0, 2.0.0",
                "syn@2 comes only once and needs no skip any more (on its way out)"
            ]
        );
    }
}
