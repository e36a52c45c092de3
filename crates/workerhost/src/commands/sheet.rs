//! A task and its attempts as a page for people.

use crate::moment::rfc3339;
use crate::outlook::Outlook;
use crate::standing::standing;
use crate::words;
use std::fmt::Write;
use std::path::Path;
use wh_domain::attempt::{AttemptRecord, OutcomeName, Usage};
use wh_domain::id::{AttemptId, StreamNo, TaskId};
use wh_domain::isolation::{Gap, Level};
use wh_domain::outputs::Review;
use wh_domain::task::{Payload, TaskState};
use wh_ports::blobs::Stored;
use wh_ports::reader::Dossier;

/// Contents longer than this are cut; `--json` has them whole.
const MOST_CHARS: usize = 2_000;
/// As many lines of an attempt's log are shown; `logs` has all.
const MOST_LINES: usize = 20;

/// The page.
pub(crate) fn of(dossier: &Dossier, data_dir: &Path, outlook: &Outlook) -> String {
    let task = &dossier.task;
    let mut page = Page(String::new());
    page.entry("id", task.id.as_str());
    page.entry("type", task.task_type.as_str());
    let state = match &task.state {
        TaskState::Poisoned(reason) => format!("poisoned ({})", reason.as_str()),
        other => other.name().as_str().to_owned(),
    };
    page.entry("state", &state);
    page.entry("", &standing(task, dossier.attempts.last(), Some(outlook)));
    if task.priority != 0 {
        page.entry("priority", &task.priority.to_string());
    }
    page.entry("enqueued", &rfc3339(task.created_at));
    page.entry("changed", &rfc3339(task.changed_at));
    page.optional("unique", task.unique.as_ref().map(wh_domain::id::UniqueKey::as_str));
    page.optional("parent", task.parent.as_ref().map(TaskId::as_str));
    page.optional("trace", dossier.traceparent.as_deref());
    page.entry("params", &content(&dossier.params));
    page.optional("metadata", dossier.metadata.as_deref());
    for input in &dossier.inputs {
        page.entry("input", &format!("{} ({} bytes, sha256 {})", input.name, input.size, input.sha256));
    }
    page.optional("progress", dossier.progress.as_ref().map(words::progress).as_deref());
    if let Some((result, partial)) = &dossier.result {
        page.entry(if *partial { "partial result" } else { "result" }, &content(result));
    }
    for (at, record) in dossier.attempts.iter().enumerate() {
        let is_last = at + 1 == dossier.attempts.len() && !matches!(task.state, TaskState::Claimed { .. });
        page.attempt(&task.id, record, data_dir, is_last);
    }
    page.0.truncate(page.0.trim_end().len());
    page.0
}

struct Page(String);

impl Page {
    fn entry(&mut self, name: &str, value: &str) {
        let value = value.replace('\n', "\n                ");
        // Writing to a string cannot fail.
        writeln!(self.0, "{name:<15} {value}").ok();
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.entry(name, value);
        }
    }

    fn attempt(&mut self, task: &TaskId, record: &AttemptRecord, data_dir: &Path, is_last: bool) {
        self.0.push('\n');
        let took = words::lasting(record.ended_at.since(record.started_at));
        // Of an attempt whose host died nobody knows the stream.
        let stream = match record.stream {
            StreamNo(0) => String::new(),
            stream => format!("on stream {stream} "),
        };
        let (outcome, worker, started) =
            (record.outcome.as_str(), &record.worker, rfc3339(record.started_at));
        self.entry(
            &format!("attempt {}", record.attempt),
            &format!("{outcome} after {took} {stream}of {worker}, {started}"),
        );
        self.entry("", &record.sentence);
        let id = AttemptId { task: task.clone(), fence: record.fence }.to_string();
        self.entry("  id", &id);
        self.optional("  used", used(&record.usage).as_deref());
        for warning in &record.warnings {
            self.entry("  warning", warning);
        }
        for leaked in &record.leaked {
            self.entry("  left running", leaked);
        }
        if let Some(review) = &record.review {
            self.review(review);
        }
        if let Some(isolation) = &record.isolation {
            self.entry("  isolation", isolation.level.as_str());
            if isolation.level != Level::None && was_denied(record) {
                self.entry("", "it may read and write more where `isolation.paths` names it");
            }
            for Gap { restriction, why } in &isolation.missing {
                self.entry("  not isolated", &format!("{}: {why}", restriction.as_str()));
            }
        }
        if let Some(workspace) = &record.workspace {
            self.entry("  files", &data_dir.join(&**workspace).display().to_string());
        }
        if !record.log_tail.is_empty() {
            self.entry("  log", &end_of(&record.log_tail));
            if record.log_tail.trim_end().lines().count() > MOST_LINES {
                let which = if is_last { String::new() } else { format!(" --attempt {id}") };
                self.entry("  more", &format!("workerhost logs {task}{which}"));
            }
        }
    }
}

impl Page {
    /// What the checks of its outputs came to. The first that failed stands in the sentence already.
    fn review(&mut self, review: &Review) {
        let Review { passed, failed, failures, .. } = review;
        if passed + failed > 0 {
            let all = words::some(u64::from(passed + failed), "check");
            self.entry("  outputs", &format!("{passed} of {all} passed"));
        }
        for failure in failures.iter().skip(1) {
            self.entry("", &failure.to_string());
        }
        self.optional("  quality", review.quality().map(|quality| quality.to_string()).as_deref());
    }
}

/// Whether a failed attempt speaks of something that it may not do.
pub(super) fn was_denied(record: &AttemptRecord) -> bool {
    let end = end_of(&record.log_tail);
    let has_failed = record.outcome != OutcomeName::Succeeded;
    has_failed
        && ["Permission denied", "Operation not permitted", "EACCES", "EPERM"]
            .iter()
            .any(|words| end.contains(words))
}

/// What was used, for people; `None` where nobody saw it.
fn used(usage: &Usage) -> Option<String> {
    if *usage == Usage::default() {
        return None;
    }
    let mut parts = vec![
        format!("{:.2} s of processor time", (usage.user + usage.system).as_secs_f64()),
        format!("{:.1} MiB of memory", kib_as_mib(usage.max_rss_kib)),
    ];
    for (kib, what) in [(usage.disk_read_kib, "read"), (usage.disk_written_kib, "written")] {
        // Less than is shown is nothing.
        if kib >= 52 {
            parts.push(format!("{:.1} MiB {what}", kib_as_mib(kib)));
        }
    }
    if usage.oom_kills > 0 {
        parts.push(format!("{} of its processes ended for memory", usage.oom_kills));
    }
    Some(parts.join(", "))
}

/// Sizes that are shown have far fewer digits than this type.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn kib_as_mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// The last lines.
fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.trim_end().lines().collect();
    lines.get(lines.len().saturating_sub(MOST_LINES)..).unwrap_or_default().join("\n")
}

fn content(stored: &Stored) -> String {
    match stored {
        Stored::Inline(Payload::Json(text)) => cut(text),
        Stored::Inline(Payload::Bytes(bytes)) => cut(&String::from_utf8_lossy(bytes)),
        Stored::Blob { path, size, .. } => format!("{size} bytes in {}", path.display()),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((at, _)) => format!("{}… ({} bytes in all)", text.get(..at).unwrap_or_default(), text.len()),
        None => text.to_owned(),
    }
}
