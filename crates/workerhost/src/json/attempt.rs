//! An attempt's termination record as an object.

use crate::moment::rfc3339;
use serde::Serialize;
use wh_domain::attempt::AttemptRecord;
use wh_domain::exit::{Exit, signal_name};
use wh_domain::id::{AttemptId, TaskId};
use wh_domain::isolation::{Enforcement, Gap};
use wh_domain::outputs::{FailedCheck, Review};
use wh_domain::time::millis;

/// See [`AttemptRecord`].
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are the wire's")]
pub(super) struct Attempt {
    attempt_id: String,
    attempt: u32,
    worker: String,
    host: String,
    stream: u32,
    started_at: String,
    ended_at: String,
    took_ms: u64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<&'static str>,
    sentence: String,
    warnings: Vec<String>,
    leaked: Vec<String>,
    log_tail: String,
    user_ms: i64,
    system_ms: i64,
    max_rss_kib: u64,
    disk_read_kib: u64,
    disk_written_kib: u64,
    oom_kills: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Checks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    isolation: Option<Isolation>,
}

/// See [`Review`].
#[derive(Debug, Serialize)]
struct Checks {
    passed: u32,
    failed: u32,
    /// The first of them.
    failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
struct Failure {
    check: &'static str,
    path: String,
    why: String,
}

impl Checks {
    /// `None` where none was made.
    fn of(review: &Review) -> Option<Self> {
        let failure = |FailedCheck { check, path, why }: &FailedCheck| Failure {
            check: check.as_str(),
            path: path.to_string(),
            why: why.to_string(),
        };
        let Review { passed, failed, ref failures, .. } = *review;
        let failures = failures.iter().map(failure).collect();
        (passed + failed > 0).then_some(Self { passed, failed, failures })
    }
}

/// See [`Enforcement`].
#[derive(Debug, Serialize)]
struct Isolation {
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    landlock_abi: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup_version: Option<u8>,
    enforced: Vec<&'static str>,
    missing: Vec<Missing>,
}

#[derive(Debug, Serialize)]
struct Missing {
    restriction: &'static str,
    why: String,
}

impl Isolation {
    fn of(enforcement: &Enforcement) -> Self {
        let missing = |gap: &Gap| Missing { restriction: gap.restriction.as_str(), why: gap.why.to_string() };
        Self {
            level: enforcement.level.as_str(),
            landlock_abi: enforcement.landlock,
            cgroup_version: enforcement.cgroup,
            enforced: enforcement.enforced.iter().map(|it| it.as_str()).collect(),
            missing: enforcement.missing.iter().map(missing).collect(),
        }
    }
}

impl Attempt {
    pub(super) fn of(task: &TaskId, record: &AttemptRecord) -> Self {
        let (exit_code, signal) = match &record.exit {
            Some(Exit::Code(code)) => (Some(*code), None),
            Some(Exit::Signal(signal)) => (None, Some(signal_name(*signal))),
            Some(Exit::NotStarted(_) | Exit::Unseen) | None => (None, None),
        };
        let took = record.ended_at.since(record.started_at);
        Self {
            attempt_id: AttemptId { task: task.clone(), fence: record.fence }.to_string(),
            attempt: record.attempt,
            worker: record.worker.to_string(),
            host: record.host.to_string(),
            stream: record.stream.0,
            started_at: rfc3339(record.started_at),
            ended_at: rfc3339(record.ended_at),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            outcome: record.outcome.as_str(),
            class: record.class.map(wh_domain::failure::FailureClass::as_str),
            exit_code,
            signal,
            stop: record.stop.map(wh_domain::exit::Stop::as_str),
            sentence: record.sentence.to_string(),
            warnings: texts(&record.warnings),
            leaked: texts(&record.leaked),
            log_tail: record.log_tail.to_string(),
            user_ms: millis(record.usage.user),
            system_ms: millis(record.usage.system),
            max_rss_kib: record.usage.max_rss_kib,
            disk_read_kib: record.usage.disk_read_kib,
            disk_written_kib: record.usage.disk_written_kib,
            oom_kills: record.usage.oom_kills,
            workspace: record.workspace.as_deref().map(str::to_owned),
            quality: record.review.as_ref().and_then(Review::quality),
            checks: record.review.as_ref().and_then(Checks::of),
            isolation: record.isolation.as_ref().map(Isolation::of),
        }
    }
}

fn texts(texts: &[Box<str>]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}
