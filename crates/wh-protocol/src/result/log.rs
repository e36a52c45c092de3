//! `logs`, and the levels of loggers of any language.

use super::report::LogEntry;
use crate::fields::{Fields, shown, text};
use serde_json::value::RawValue;

/// The log level that a worker's word means; `INFO` for a word that is none.
pub fn log_level(word: &str) -> &'static str {
    const LEVELS: [(&str, &str); 11] = [
        ("TRACE", "DEBUG"),
        ("DEBUG", "DEBUG"),
        ("INFO", "INFO"),
        ("NOTICE", "INFO"),
        ("WARN", "WARNING"),
        ("WARNING", "WARNING"),
        ("ERR", "ERROR"),
        ("ERROR", "ERROR"),
        ("CRITICAL", "CRITICAL"),
        ("FATAL", "CRITICAL"),
        ("EMERGENCY", "CRITICAL"),
    ];
    LEVELS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map_or("INFO", |(_, level)| level)
}

pub(super) fn log_entries(value: &RawValue, warnings: &mut Vec<String>) -> Vec<LogEntry> {
    let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else {
        warnings.push(format!("`logs` must be an array, not {}; it is ignored", shown(value)));
        return Vec::new();
    };
    entries.into_iter().map(log_entry).collect()
}

fn log_entry(value: &RawValue) -> LogEntry {
    let Ok(fields) = Fields::read(value.get()) else {
        return LogEntry { level: "INFO", message: text(value) };
    };
    LogEntry {
        level: fields.given("level").map_or("INFO", |level| log_level(&text(level))),
        message: fields.given("message").map_or_else(|| value.get().to_owned(), text),
    }
}
