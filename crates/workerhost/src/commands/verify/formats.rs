//! What was found, for programs: JSON, TAP and JUnit.

use super::verdict::Verdict;
use serde::Serialize;
use std::fmt::Write;
use wh_protocol::verify::Level;

/// A case, for `--json`.
#[derive(Serialize)]
pub(super) struct Object<'a> {
    schema: &'static str,
    worker: &'a str,
    case: &'static str,
    title: &'static str,
    level: &'static str,
    passed: bool,
    took_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<&'static str>,
}

pub(super) fn json<'a>(worker: &'a str, verdict: &'a Verdict) -> Object<'a> {
    let finding = verdict.finding.as_ref();
    Object {
        schema: "workerhost.verify/v1",
        worker,
        case: verdict.case.id,
        title: verdict.case.title,
        level: verdict.case.level.as_str(),
        passed: finding.is_none(),
        took_ms: u64::try_from(verdict.elapsed.as_millis()).unwrap_or(u64::MAX),
        sent: finding.map(|finding| finding.sent.as_str()),
        got: finding.map(|finding| finding.got.as_str()),
        mend: finding.map(|finding| finding.mend),
    }
}

pub(super) fn tap_head(worker: &str, cases: usize) -> String {
    format!("TAP version 14\n# worker {worker}\n1..{cases}")
}

/// A case as a test point. One that is only recommended is marked as TAP marks what need not pass yet.
pub(super) fn tap(number: usize, verdict: &Verdict) -> String {
    const NEED_NOT_PASS: &str = concat!(" # TO", "DO recommended");
    let (id, title) = (verdict.case.id, verdict.case.title);
    let Some(finding) = &verdict.finding else { return format!("ok {number} - {id}: {title}") };
    let mark = if verdict.case.level == Level::Recommended { NEED_NOT_PASS } else { "" };
    let mut text = format!("not ok {number} - {id}: {title}{mark}\n  ---");
    for (name, words) in [("sent", finding.sent.as_str()), ("got", &finding.got), ("mend", finding.mend)] {
        // A string of JSON is one of YAML, too. Writing to a string cannot fail.
        write!(text, "\n  {name}: {}", serde_json::Value::from(words)).ok();
    }
    text.push_str("\n  ...");
    text
}

/// All workers.
pub(super) fn junit(suites: &[String]) -> String {
    let body = suites.concat();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n{body}</testsuites>")
}

/// A worker. Recommended cases that did not pass count as skipped: whoever reads this should not fail by them.
pub(super) fn junit_suite(worker: &str, verdicts: &[Verdict]) -> String {
    let count = |level: Level| {
        verdicts.iter().filter(|verdict| verdict.finding.is_some() && verdict.case.level == level).count()
    };
    let (all, failures, skipped) = (verdicts.len(), count(Level::Required), count(Level::Recommended));
    let worker = escaped(worker);
    let mut text = format!(
        "  <testsuite name=\"{worker}\" tests=\"{all}\" failures=\"{failures}\" skipped=\"{skipped}\">\n"
    );
    for verdict in verdicts {
        text.push_str(&junit_case(&worker, verdict));
    }
    text.push_str("  </testsuite>\n");
    text
}

fn junit_case(worker: &str, verdict: &Verdict) -> String {
    let (id, title) = (verdict.case.id, escaped(verdict.case.title));
    let seconds = verdict.elapsed.as_secs_f64();
    let open = format!("    <testcase classname=\"{worker}.{id}\" name=\"{title}\" time=\"{seconds:.3}\"");
    let Some(finding) = &verdict.finding else { return format!("{open}/>\n") };
    let message = escaped(&format!("{}. {}", finding.got, finding.mend));
    let inner = match verdict.case.level {
        Level::Required => {
            format!("<failure message=\"{message}\">sent: {}</failure>", escaped(&finding.sent))
        }
        Level::Recommended => format!("<skipped message=\"recommended: {message}\"/>"),
    };
    format!("{open}>\n      {inner}\n    </testcase>\n")
}

/// A text inside XML. Characters that XML cannot hold, not even escaped, are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use wh_protocol::verify::{Case, Finding};

    fn verdict(id: &str, passed: bool) -> Verdict {
        let finding =
            || Finding { sent: "{\"a\":\"<\"}".into(), got: "b & \u{1b}\"c\"".into(), mend: "Mend it." };
        Verdict {
            case: *Case::of(id).unwrap(),
            elapsed: Duration::from_millis(1_500),
            finding: (!passed).then(finding),
        }
    }

    #[test]
    fn a_test_point_of_tap_says_whether_it_had_to_pass() {
        assert_eq!(tap(1, &verdict("valid", true)), "ok 1 - valid: Valid Task Processing");
        let required = tap(2, &verdict("valid", false));
        assert!(
            required.starts_with("not ok 2 - valid: Valid Task Processing\n  ---\n  sent: \"{\\\""),
            "{required}"
        );
        assert!(required.ends_with("\n  mend: \"Mend it.\"\n  ..."), "{required}");
        let recommended = tap(3, &verdict("leak", false));
        let first = recommended.lines().next().unwrap();
        assert!(first.ends_with("DO recommended"), "{first}");
    }

    #[test]
    fn junit_is_well_formed_whatever_a_worker_wrote() {
        let suite =
            junit_suite("w", &[verdict("valid", false), verdict("leak", false), verdict("sigterm", true)]);
        let document = junit(&[suite]);
        assert!(document.contains("tests=\"3\" failures=\"1\" skipped=\"1\""), "{document}");
        assert!(document.contains("sent: {&quot;a&quot;:&quot;&lt;&quot;}</failure>"), "{document}");
        assert!(document.contains("b &amp; \u{fffd}&quot;c&quot;. Mend it."), "{document}");
        assert!(document.contains("time=\"1.500\"/>"), "{document}");
        assert_eq!(document.matches("<testcase ").count(), document.matches("</testcase>").count() + 1);
    }
}
