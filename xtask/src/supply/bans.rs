//! Crates come from one registry, and none is on the list of those we have reasons against.

use super::policy::{Lock, Policy};

/// A problem for each crate of the lock file that breaks one of these rules.
pub(super) fn problems(lock: &Lock, policy: &Policy) -> Vec<String> {
    let mut problems = Vec::new();
    for it in &lock.packages {
        if let Some(ban) = policy.bans.deny.iter().find(|ban| ban.name == it.name) {
            problems.push(format!("{} {} is banned: {}", it.name, it.version, ban.reason));
        }
        if let Some(source) = &it.source
            && !policy.sources.registries.iter().any(|url| *source == format!("registry+{url}"))
        {
            problems.push(format!("{} {} comes from {source}", it.name, it.version));
        }
    }
    problems
}

#[cfg(test)]
mod unit {
    use super::*;

    const POLICY: &str = r#"
        [licenses]
        allow = []
        [bans]
        deny = [{ crate = "bad", reason = "it bites" }]
        [sources]
        allow-registry = ["https://good"]
    "#;

    /// Crates as `name version source`.
    fn found(crates: &[&str]) -> Vec<String> {
        let package = |line: &&str| -> toml::Value {
            let words = line.split(' ').map(|word| toml::Value::from(word.to_owned()));
            ["name", "version", "source"]
                .map(str::to_owned)
                .into_iter()
                .zip(words)
                .collect::<toml::Table>()
                .into()
        };
        let packages: Vec<toml::Value> = crates.iter().map(package).collect();
        let lock = toml::Table::from_iter([("package".to_owned(), packages.into())]);
        problems(&lock.try_into().unwrap(), &Policy::parse(POLICY).unwrap())
    }

    #[test]
    fn each_rule_is_seen_to_bite() {
        let good = ["ours 0.1.0", "syn 3.0.0 registry+https://good"];
        assert_eq!(found(&good), [""; 0]);
        for (line, problem) in [
            ("bad 1.0.0 registry+https://good", "bad 1.0.0 is banned: it bites"),
            ("a 1.0.0 git+https://good/a", "a 1.0.0 comes from git+https://good/a"),
            ("a 1.0.0 registry+https://other", "a 1.0.0 comes from registry+https://other"),
        ] {
            assert_eq!(found(&[&good[..], &[line]].concat()), [problem]);
        }
    }
}
