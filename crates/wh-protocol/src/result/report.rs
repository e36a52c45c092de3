//! What a worker answered, as values.

use std::time::Duration;

/// What a worker answered.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerResult {
    /// Success with its result, or failure with its error.
    pub report: Report,
    /// What there is of a result, for a worker that could not finish: a JSON value as written.
    pub partial: Option<Box<str>>,
    /// Lines for the task's log.
    pub logs: Vec<LogEntry>,
    /// Tasks to be enqueued with the result, in this order. Empty for a failure.
    pub tasks: Vec<FollowUp>,
    /// Files that it says it has left in its output.
    pub outputs: Vec<ClaimedOutput>,
    /// How good it says its work is, from 0 to 100.
    pub quality: Option<u8>,
    /// Slips that changed nothing, each with the path of its field.
    pub warnings: Vec<String>,
}

/// A file that a worker says it has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedOutput {
    /// Where, below its output directory.
    pub path: String,
    /// The SHA-256 of its content, in lower-case hexadecimal.
    pub sha256: String,
}

/// The envelope's two kinds.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// `success: true`; holds `result`, a JSON value as written, `null` where there was none.
    Success(Box<str>),
    /// `success: false`.
    Failure(ErrorReport),
}

/// What a worker says about its failure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ErrorReport {
    /// `type`: the error's name in the worker's own words; empty where it gave none.
    pub kind: String,
    /// `message`; empty where it gave none.
    pub message: String,
    /// `traceback`.
    pub traceback: Option<String>,
    /// `retry_possible`.
    pub retry_possible: Option<bool>,
    /// `retry_after`.
    pub retry_after: Option<When>,
    /// `class`.
    pub class: Option<Class>,
    /// `status`: the HTTP status of an upstream.
    pub status: Option<u16>,
}

/// `error.class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Passes by itself.
    Transient,
    /// Memory, disk or the like ran short.
    Resource,
    /// The same input fails again.
    Logic,
    /// A rate limit or an allowance.
    Quota,
}

impl Class {
    /// All of them with their names on the wire.
    pub const ALL: [(&'static str, Self); 4] = [
        ("transient", Self::Transient),
        ("resource", Self::Resource),
        ("logic", Self::Logic),
        ("quota", Self::Quota),
    ];

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, class)| class)
    }
}

/// A moment, near or fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So long from now.
    In(Duration),
    /// Milliseconds since 1970-01-01 UTC.
    At(i64),
}

/// One element of `logs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`; see [`super::log_level`].
    pub level: &'static str,
    /// The words.
    pub message: String,
}

/// One element of `tasks`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// `id`: the worker's own.
    pub id: Option<String>,
    /// `type`.
    pub task_type: String,
    /// `params`: a JSON value as written, `{}` where there was none.
    pub params: Box<str>,
    /// `priority`.
    pub priority: i32,
    /// `unique`: at most one unfinished task per key.
    pub unique: Option<String>,
    /// `run_at` (RFC 3339) or `delay` (seconds).
    pub run_at: Option<When>,
}
