//! Every crate that is built has a licence that will do.

use super::policy::Policy;
use crate::metadata::Package;

/// A problem for each of `packages` whose licence expression cannot be met with the allowed ones.
pub(super) fn problems(packages: &[Package], policy: &Policy) -> Vec<String> {
    packages
        .iter()
        .filter_map(|package| {
            let expression = package.license.as_deref().unwrap_or("none stated");
            (!is_allowed(expression, &policy.licenses.allow))
                .then(|| format!("{} {}: licence `{expression}`", package.name, package.version))
        })
        .collect()
}

fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    // Lax, because older crates write `MIT/Apache-2.0` for "or".
    spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX).is_ok_and(|expression| {
        expression.evaluate(|asked| allowed.iter().any(|allowed| *allowed == asked.to_string()))
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn an_expression_is_met_by_what_is_allowed_or_it_is_a_problem() {
        let allowed = ["MIT", "Apache-2.0", "Unicode-3.0"].map(str::to_owned);
        for (expression, expected) in [
            ("MIT", true),
            ("MIT OR GPL-3.0-only", true),
            ("MIT/Apache-2.0", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
            ("MIT AND GPL-3.0-only", false),
            ("GPL-3.0-only", false),
            ("Apache-2.0 WITH LLVM-exception", false),
            ("none stated", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        }
    }
}
