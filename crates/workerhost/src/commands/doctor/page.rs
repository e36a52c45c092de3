//! What was found, for people and as objects.

use super::finding::{Check, Finding, Findings, Level, Mend, Setting};
use crate::words::some;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Write;
use wh_telemetry::plain::plain;

const GOOD: Style = AnsiColor::Green.on_default();
const SO_SO: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// A finding as `--json` shows it.
#[derive(Serialize)]
pub(super) struct Object<'a> {
    schema: &'static str,
    check: Check,
    level: Level,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<MendObject<'a>>,
}

/// What mends it: in words, and where it can be done as it stands, as a command or a key.
#[derive(Serialize)]
struct MendObject<'a> {
    words: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<&'a Setting>,
}

impl<'a> Object<'a> {
    pub(super) fn of(finding: &'a Finding) -> Self {
        let mend = finding.mend.as_ref().map(|mend| {
            let (run, set) = match mend {
                Mend::Run(command) => (Some(command.as_str()), None),
                Mend::Set(setting) => (None, Some(setting)),
                Mend::Do(_) => (None, None),
            };
            MendObject { words: mend.words(), run, set }
        });
        let Finding { check, level, words, .. } = finding;
        Self { schema: "workerhost.finding/v1", check: *check, level: *level, message: words, mend }
    }
}

/// A line for each, and a second one for its mend; then how many there are.
pub(super) fn page(findings: &Findings, colours: bool) -> String {
    let mut text = String::new();
    for Finding { check, level, words, mend } in findings.iter() {
        let style = match level {
            Level::Ok => GOOD,
            Level::Warning => SO_SO,
            Level::Error => BAD,
        };
        let word = format!("{:<7}", level.as_str());
        let word = if colours { format!("{style}{word}{style:#}") } else { word };
        // Writing to a string cannot fail.
        writeln!(text, "{word}  {:<13}  {}", check.as_str(), plain(words)).ok();
        if let Some(mend) = mend {
            let how = if matches!(mend, Mend::Run(_)) { "run" } else { "mend" };
            writeln!(text, "{:<22}  {how}: {}", "", plain(&mend.words())).ok();
        }
    }
    let sum = match (findings.count(Level::Error), findings.count(Level::Warning)) {
        (0, 0) => "All is well.".to_owned(),
        (0, warnings) => format!("{}.", some(warnings, "warning")),
        (errors, 0) => format!("{}.", some(errors, "error")),
        (errors, warnings) => format!("{}, {}.", some(errors, "error"), some(warnings, "warning")),
    };
    text.push('\n');
    text.push_str(&sum);
    text
}
