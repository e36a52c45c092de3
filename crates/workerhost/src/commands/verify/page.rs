//! What was found, for people: a line for each case, then what to mend.

use super::verdict::Verdict;
use crate::words::some;
use anstyle::{AnsiColor, Style};
use std::fmt::Write;
use wh_protocol::verify::{Case, Finding, Level};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const SO_SO: Style = AnsiColor::Yellow.on_default();

pub(super) fn head(worker: &str, cases: usize) -> String {
    format!("Worker {worker}, {}:\n", some(cases as u64, "case"))
}

/// One case.
pub(super) fn line(verdict: &Verdict, colours: bool) -> String {
    let Case { id, title, level, .. } = verdict.case;
    let (word, style) = match (&verdict.finding, level) {
        (None, _) => ("ok", GOOD),
        (Some(_), Level::Required) => ("FAILED", BAD),
        (Some(_), Level::Recommended) => ("weak", SO_SO),
    };
    let word = painted(&format!("{word:<7}"), style, colours);
    let (level, elapsed) = (level.as_str(), verdict.elapsed.as_secs_f64());
    format!("{word} {id:<16} {title:<30} {level:<12} {elapsed:>5.1} s")
}

/// What to mend, and the sum. Cases with the same finding are told together: it is one thing to mend.
pub(super) fn foot(verdicts: &[Verdict], colours: bool) -> String {
    let mut text = String::new();
    for group in groups(verdicts) {
        let [Told { case, finding }, ..] = group[..] else { continue };
        let is_required = group.iter().any(|told| told.case.level == Level::Required);
        let ids = group.iter().map(|told| told.case.id).collect::<Vec<_>>().join(", ");
        let style = if is_required { BAD } else { SO_SO };
        let level = if is_required { Level::Required } else { Level::Recommended }.as_str();
        // Writing to a string cannot fail.
        writeln!(text, "\n{} ({level}): {ids}", painted(case.title, style, colours)).ok();
        for (name, words) in [("sent", finding.sent.as_str()), ("got", &finding.got), ("mend", finding.mend)]
        {
            writeln!(text, "  {name:<5} {words}").ok();
        }
    }
    text.push('\n');
    text.push_str(&sum(verdicts));
    text
}

/// A case that did not pass.
struct Told<'a> {
    case: &'a Case,
    finding: &'a Finding,
}

fn groups(verdicts: &[Verdict]) -> Vec<Vec<Told<'_>>> {
    let mut groups: Vec<Vec<Told<'_>>> = Vec::new();
    for verdict in verdicts {
        let Some(finding) = &verdict.finding else { continue };
        let told = Told { case: &verdict.case, finding };
        let same = |of: &Finding| of.got == finding.got && of.mend == finding.mend;
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| same(first.finding))) {
            Some(group) => group.push(told),
            None => groups.push(vec![told]),
        }
    }
    groups
}

fn sum(verdicts: &[Verdict]) -> String {
    let failed = |level: Level| {
        let failed =
            verdicts.iter().filter(move |verdict| verdict.finding.is_some() && verdict.case.level == level);
        failed.map(|verdict| verdict.case.id).collect::<Vec<_>>()
    };
    let (required, recommended) = (failed(Level::Required), failed(Level::Recommended));
    let passed = verdicts.len() - required.len() - recommended.len();
    match (required.len(), recommended.len()) {
        (0, 0) => format!("All {} passed.", some(passed as u64, "case")),
        (0, weak) => format!("{passed} passed, {weak} recommended did not: the worker can be used."),
        (bad, weak) => {
            let rest = if weak == 0 { String::new() } else { format!(" and {weak} recommended") };
            format!("{passed} passed, {bad} required ({}){rest} did not.", required.join(", "))
        }
    }
}

fn painted(text: &str, style: Style, colours: bool) -> String {
    if colours { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_same_finding_is_told_once_for_all_its_cases() {
        let verdict = |id: &str, got: &str| Verdict {
            case: *Case::of(id).unwrap(),
            elapsed: Duration::ZERO,
            finding: Some(Finding { sent: id.into(), got: got.into(), mend: "Mend it." }),
        };
        let told = foot(
            &[verdict("leak", "signal 11"), verdict("exit-code", "1"), verdict("valid", "signal 11")],
            false,
        );
        assert!(told.contains("\nNo Process Left Behind (required): leak, valid\n  sent  leak\n"), "{told}");
        assert_eq!(told.matches("signal 11").count(), 1, "{told}");
    }

    #[test]
    fn the_sum_says_whether_the_worker_can_be_used() {
        let verdict = |id: &str, passed: bool| Verdict {
            case: *Case::of(id).unwrap(),
            elapsed: Duration::ZERO,
            finding: (!passed).then(|| Finding { sent: "s".into(), got: "g".into(), mend: "m" }),
        };
        let told = |rows: &[(&str, bool)]| {
            sum(&rows.iter().map(|(id, passed)| verdict(id, *passed)).collect::<Vec<_>>())
        };
        assert_eq!(told(&[("valid", true), ("leak", true)]), "All 2 cases passed.");
        assert_eq!(
            told(&[("valid", true), ("leak", false)]),
            "1 passed, 1 recommended did not: the worker can be used."
        );
        assert_eq!(
            told(&[("valid", false), ("leak", false)]),
            "0 passed, 1 required (valid) and 1 recommended did not."
        );
    }
}
