//! Attempt records, progress and workers' reports as JSON. The file has its own format: what the domain renames must
//! not change what old files hold.

use crate::failure::{Fail, Tried, damaged};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use wh_domain::attempt::{AttemptRecord, OutcomeName, Progress, Usage};
use wh_domain::ending::{Exit, Stop};
use wh_domain::failure::FailureClass;
use wh_domain::id::{Fence, HostId, StreamNo, WorkerName};
use wh_domain::isolation::{Enforcement, Gap, Level, Restriction};
use wh_domain::limits::{Breach, Resource};
use wh_domain::outputs::{Check, FailedCheck, Review};
use wh_domain::time::Timestamp;
use wh_ports::claims::WorkerReport;

type Text = Box<str>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ExitJson {
    Code(u8),
    Signal(i32),
    NotStarted(Text),
    Unseen,
}

#[derive(Serialize, Deserialize)]
struct RecordJson {
    attempt: u32,
    host: Text,
    worker: Text,
    stream: u32,
    started_at: i64,
    ended_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit: Option<ExitJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stop: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    breach: Option<BreachJson>,
    sentence: Text,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Text>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    leaked: Vec<Text>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    log_tail: Text,
    user_us: u64,
    system_us: u64,
    max_rss_kib: u64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    disk_read_kib: u64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    disk_written_kib: u64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    oom_kills: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workspace: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    review: Option<ReviewJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    isolation: Option<IsolationJson>,
}

#[derive(Serialize, Deserialize)]
struct BreachJson {
    resource: Text,
    limit: u64,
    used: u64,
}

impl BreachJson {
    fn of(Breach { resource, limit, used }: Breach) -> Self {
        Self { resource: resource.as_str().into(), limit, used }
    }

    fn breach(self) -> Tried<Breach> {
        let Self { resource, limit, used } = self;
        Ok(Breach { resource: Resource::parse(&resource).ok_or_else(|| unknown(&resource))?, limit, used })
    }
}

#[derive(Serialize, Deserialize)]
struct ReviewJson {
    passed: u32,
    failed: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failures: Vec<FailedCheckJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed: Option<u8>,
}

#[derive(Serialize, Deserialize)]
struct FailedCheckJson {
    check: Text,
    path: Text,
    why: Text,
}

impl ReviewJson {
    fn of(review: &Review) -> Self {
        let failure = |failure: &FailedCheck| FailedCheckJson {
            check: failure.check.as_str().into(),
            path: failure.path.clone(),
            why: failure.why.clone(),
        };
        Self {
            passed: review.passed,
            failed: review.failed,
            failures: review.failures.iter().map(failure).collect(),
            claimed: review.claimed,
        }
    }

    fn review(self) -> Tried<Review> {
        let failure = |FailedCheckJson { check, path, why }: FailedCheckJson| {
            Ok(FailedCheck { check: Check::parse(&check).ok_or_else(|| unknown(&check))?, path, why })
        };
        let Self { passed, failed, failures, claimed } = self;
        let failures = failures.into_iter().map(failure).collect::<Tried<_>>()?;
        Ok(Review { passed, failed, failures, claimed })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "this is how it is called")]
fn is_nothing(number: &u64) -> bool {
    *number == 0
}

#[derive(Serialize, Deserialize)]
struct IsolationJson {
    level: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    landlock: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cgroup: Option<u8>,
    enforced: Vec<Text>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<GapJson>,
}

#[derive(Serialize, Deserialize)]
struct GapJson {
    restriction: Text,
    why: Text,
}

impl IsolationJson {
    fn of(enforcement: &Enforcement) -> Self {
        let gap = |gap: &Gap| GapJson { restriction: gap.restriction.as_str().into(), why: gap.why.clone() };
        Self {
            level: enforcement.level.as_str().into(),
            landlock: enforcement.landlock,
            cgroup: enforcement.cgroup,
            enforced: enforcement.enforced.iter().map(|it| it.as_str().into()).collect(),
            missing: enforcement.missing.iter().map(gap).collect(),
        }
    }

    fn enforcement(self) -> Tried<Enforcement> {
        let known = |word: &str| Restriction::parse(word).ok_or_else(|| unknown(word));
        let gap = |gap: GapJson| Ok(Gap { restriction: known(&gap.restriction)?, why: gap.why });
        Ok(Enforcement {
            level: Level::parse(&self.level).ok_or_else(|| unknown(&self.level))?,
            landlock: self.landlock,
            cgroup: self.cgroup,
            enforced: self.enforced.iter().map(|word| known(word)).collect::<Tried<_>>()?,
            missing: self.missing.into_iter().map(gap).collect::<Tried<_>>()?,
        })
    }
}

/// A record as text. Fence and outcome are columns of their own.
pub(crate) fn write(record: &AttemptRecord) -> Tried<String> {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let exit = record.exit.as_ref().map(|exit| match exit {
        Exit::Code(code) => ExitJson::Code(*code),
        Exit::Signal(signal) => ExitJson::Signal(*signal),
        Exit::NotStarted(why) => ExitJson::NotStarted(why.clone()),
        Exit::Unseen => ExitJson::Unseen,
    });
    to_text(&RecordJson {
        attempt: record.attempt,
        host: record.host.as_str().into(),
        worker: record.worker.as_str().into(),
        stream: record.stream.0,
        started_at: record.started_at.as_millis(),
        ended_at: record.ended_at.as_millis(),
        class: record.class.map(|class| class.as_str().into()),
        exit,
        stop: record.stop.map(|stop| stop.as_str().into()),
        breach: record.breach.map(BreachJson::of),
        sentence: record.sentence.clone(),
        warnings: record.warnings.clone(),
        leaked: record.leaked.clone(),
        log_tail: record.log_tail.clone(),
        user_us: micros(record.usage.user),
        system_us: micros(record.usage.system),
        max_rss_kib: record.usage.max_rss_kib,
        disk_read_kib: record.usage.disk_read_kib,
        disk_written_kib: record.usage.disk_written_kib,
        oom_kills: record.usage.oom_kills.into(),
        workspace: record.workspace.clone(),
        review: record.review.as_ref().map(ReviewJson::of),
        isolation: record.isolation.as_ref().map(IsolationJson::of),
    })
}

/// A record from its text and the two columns beside it.
pub(crate) fn read(fence: i64, outcome: &str, text: &str) -> Tried<AttemptRecord> {
    let json: RecordJson = serde_json::from_str(text).map_err(damaged)?;
    let class =
        json.class.map(|word| FailureClass::parse(&word).ok_or_else(|| unknown(&word))).transpose()?;
    let stop = json.stop.map(|word| Stop::parse(&word).ok_or_else(|| unknown(&word))).transpose()?;
    Ok(AttemptRecord {
        fence: Fence(fence),
        attempt: json.attempt,
        host: HostId::new(json.host).map_err(damaged)?,
        worker: WorkerName::new(json.worker).map_err(damaged)?,
        stream: StreamNo(json.stream),
        started_at: Timestamp::from_millis(json.started_at),
        ended_at: Timestamp::from_millis(json.ended_at),
        outcome: OutcomeName::parse(outcome).ok_or_else(|| unknown(outcome))?,
        class,
        exit: json.exit.map(|exit| match exit {
            ExitJson::Code(code) => Exit::Code(code),
            ExitJson::Signal(signal) => Exit::Signal(signal),
            ExitJson::NotStarted(why) => Exit::NotStarted(why),
            ExitJson::Unseen => Exit::Unseen,
        }),
        stop,
        breach: json.breach.map(BreachJson::breach).transpose()?,
        sentence: json.sentence,
        warnings: json.warnings,
        leaked: json.leaked,
        log_tail: json.log_tail,
        usage: Usage {
            user: Duration::from_micros(json.user_us),
            system: Duration::from_micros(json.system_us),
            max_rss_kib: json.max_rss_kib,
            disk_read_kib: json.disk_read_kib,
            disk_written_kib: json.disk_written_kib,
            oom_kills: u32::try_from(json.oom_kills).unwrap_or(u32::MAX),
        },
        workspace: json.workspace,
        review: json.review.map(ReviewJson::review).transpose()?,
        isolation: json.isolation.map(IsolationJson::enforcement).transpose()?,
    })
}

fn unknown(word: &str) -> Fail {
    damaged(format_args!("an attempt's record says {word:?}"))
}

#[derive(Serialize, Deserialize)]
struct ProgressJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    percent: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

/// Progress as text.
pub(crate) fn write_progress(progress: &Progress) -> Tried<String> {
    to_text(&ProgressJson {
        current: progress.current,
        total: progress.total,
        percent: progress.percent,
        message: progress.message.clone(),
    })
}

/// Progress from its text.
pub(crate) fn read_progress(text: &str) -> Tried<Progress> {
    let json: ProgressJson = serde_json::from_str(text).map_err(damaged)?;
    let ProgressJson { current, total, percent, message } = json;
    Ok(Progress { current, total, percent, message })
}

#[derive(Serialize, Deserialize)]
struct ReportJson {
    worker: Text,
    streams: u32,
    busy: u32,
    health: Text,
    consecutive_failures: u32,
    succeeded: u64,
    failed: u64,
    total_recoveries: u64,
    last_error: Option<Text>,
    quarantine: Option<Text>,
    task_types: Vec<Text>,
}

/// Workers' reports as text.
pub(crate) fn write_reports(reports: &[WorkerReport]) -> Tried<String> {
    let rows: Vec<ReportJson> = reports
        .iter()
        .map(|report| ReportJson {
            worker: report.worker.as_str().into(),
            streams: report.streams,
            busy: report.busy,
            health: report.health.into(),
            consecutive_failures: report.consecutive_failures,
            succeeded: report.succeeded,
            failed: report.failed,
            total_recoveries: report.total_recoveries,
            last_error: report.last_error.clone(),
            quarantine: report.quarantine.clone(),
            task_types: report.task_types.clone(),
        })
        .collect();
    to_text(&rows)
}

/// Workers' reports from their text.
pub(crate) fn read_reports(text: &str) -> Tried<Vec<WorkerReport>> {
    let rows: Vec<ReportJson> = serde_json::from_str(text).map_err(damaged)?;
    rows.into_iter()
        .map(|row| {
            Ok(WorkerReport {
                worker: WorkerName::new(row.worker).map_err(damaged)?,
                streams: row.streams,
                busy: row.busy,
                health: health_of(&row.health)?,
                consecutive_failures: row.consecutive_failures,
                succeeded: row.succeeded,
                failed: row.failed,
                total_recoveries: row.total_recoveries,
                last_error: row.last_error,
                quarantine: row.quarantine,
                task_types: row.task_types,
            })
        })
        .collect()
}

fn health_of(word: &str) -> Tried<&'static str> {
    ["green", "yellow", "red"]
        .into_iter()
        .find(|known| *known == word)
        .ok_or_else(|| damaged(format_args!("a worker's health is {word:?}")))
}

fn to_text(value: &impl Serialize) -> Tried<String> {
    serde_json::to_string(value).map_err(damaged)
}
