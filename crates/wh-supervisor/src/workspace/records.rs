//! What the host writes beside a worker's files when they are kept: `metadata.json` and `results.md`.

use crate::briefing::rfc3339;
use crate::workspace::beneath::{self, Entry};
use crate::workspace::digest;
use crate::workspace::heartbeat::Status;
use base64::Engine;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::FileType;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::ffi::CStr;
use std::io::{self, Read};
use std::time::Duration;
use wh_domain::attempt::{Outcome, Progress, Usage};
use wh_domain::ending::{Exit, signal_name};
use wh_domain::task::Payload;
use wh_domain::time::Timestamp;
use wh_ports::runner::Assignment;

/// The most files that are listed.
const MAX_FILES: usize = 10_000;

/// The most bytes that are read to compute digests, in all.
const MAX_HASHED: u64 = 1 << 30;

/// The deepest directory that is listed.
const MAX_DEPTH: usize = 32;

/// What is known of the attempt.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) assignment: &'a Assignment,
    pub(crate) outcome: Outcome,
    pub(crate) sentence: &'a str,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Timestamp,
    pub(crate) exit: &'a Exit,
    pub(crate) usage: Usage,
    /// The last lines of its log.
    pub(crate) log_tail: &'a str,
    pub(crate) progress: Option<&'a Progress>,
    pub(crate) result: Option<&'a Payload>,
    /// How good the work is, from 0 to 100, where anybody can tell.
    pub(crate) quality: Option<u8>,
}

impl Facts<'_> {
    /// The template's word for the end.
    pub(crate) fn status(&self) -> Status {
        match self.outcome {
            Outcome::Succeeded => Status::Complete,
            Outcome::TimedOut { .. } => Status::Timeout,
            Outcome::Deferred(_) | Outcome::Interrupted => Status::Paused,
            Outcome::Failed { .. }
            | Outcome::Crashed
            | Outcome::ProtocolError
            | Outcome::WorkerBroken
            | Outcome::Lost
            | Outcome::Cancelled => Status::Failed,
        }
    }

    fn duration_ms(&self) -> u128 {
        self.ended_at.since(self.started_at).as_millis()
    }
}

/// `output/metadata.json`, with size and digest of each file in `output`.
pub(crate) fn metadata(facts: &Facts<'_>, output: &OwnedFd) -> io::Result<String> {
    let claim = &facts.assignment.claim;
    let (files, is_complete) = list(output)?;
    let (exit_code, signal) = match facts.exit {
        Exit::Code(code) => (Some(*code), None),
        Exit::Signal(signal) => (None, Some(signal_name(*signal))),
        Exit::NotStarted(_) | Exit::Unseen => (None, None),
    };
    let usage = facts.usage;
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let page = json!({
        "task_id": claim.id.as_str(),
        "task_type": claim.task_type.as_str(),
        "attempt_id": claim.attempt_id().to_string(),
        "attempt": facts.assignment.attempt,
        "max_attempts": facts.assignment.max_attempts,
        "host": facts.assignment.host.as_str(),
        "worker": facts.assignment.worker.name.as_str(),
        "worker_id": facts.assignment.stream.0,
        "outcome": facts.outcome.name().as_str(),
        "status": facts.status().as_str(),
        "sentence": facts.sentence,
        "started_at": rfc3339(facts.started_at),
        "ended_at": rfc3339(facts.ended_at),
        "duration_ms": u64::try_from(facts.duration_ms()).unwrap_or(u64::MAX),
        "exit_code": exit_code,
        "signal": signal,
        "user_ms": millis(usage.user),
        "system_ms": millis(usage.system),
        "max_rss_kib": usage.max_rss_kib,
        "disk_read_kib": usage.disk_read_kib,
        "disk_written_kib": usage.disk_written_kib,
        "oom_kills": usage.oom_kills,
        "quality": facts.quality,
        "log_tail": facts.log_tail,
        "files": files,
        "files_complete": is_complete,
    });
    Ok(format!("{page:#}\n"))
}

/// `output/results.md`, for a worker that wrote none itself.
pub(crate) fn results(facts: &Facts<'_>) -> String {
    let Facts { assignment, sentence, .. } = facts;
    let minutes =
        Duration::from_millis(u64::try_from(facts.duration_ms()).unwrap_or(u64::MAX)).as_secs_f64() / 60.0;
    let (items, success) = if facts.outcome == Outcome::Succeeded { (1.0, 100) } else { (0.0, 0) };
    // A worker that tells of no items has one: its task.
    let items = facts.progress.and_then(|progress| progress.current).unwrap_or(items);
    let quality = facts.quality.map_or(String::new(), |quality| format!("- Quality Score: {quality}\n"));
    let most = assignment.worker.bounds.result;
    let result = match facts.result {
        Some(Payload::Json(text)) if text.len() as u64 <= most => {
            format!("\n### Result\n```json\n{text}\n```\n")
        }
        Some(payload) => format!("\n### Result\n{} bytes, kept with the task.\n", payload.bytes().len()),
        None => String::new(),
    };
    format!(
        "## Worker {} Results\n\n### Summary\n- Items Processed: {items}\n- Success Rate: {success}%\n\
         - Duration: {minutes:.2} minutes\n{quality}- {sentence}\n\n### Handoff\n- Status: {}\n- Task: `{}`\n{result}",
        assignment.stream,
        facts.status().as_str().to_uppercase(),
        assignment.claim.id,
    )
}

/// The regular files below a directory with their sizes and digests, and whether these are all.
fn list(output: &OwnedFd) -> io::Result<(Vec<Value>, bool)> {
    let mut files = Vec::new();
    let mut hashed = 0;
    let mut is_complete = true;
    let mut waiting = VecDeque::from([(output.try_clone()?, Vec::new(), 0)]);
    while let Some((directory, path, depth)) = waiting.pop_front() {
        for Entry { name, kind } in beneath::entries(&directory, MAX_FILES + 1)? {
            let path = [path.as_slice(), name.to_bytes()].concat();
            if files.len() == MAX_FILES {
                return Ok((files, false));
            }
            match kind {
                FileType::Directory if depth == MAX_DEPTH || waiting.len() == MAX_DEPTH => {
                    is_complete = false;
                }
                FileType::Directory => match beneath::directory(&directory, &name) {
                    Ok(inside) => waiting.push_back((inside, [&path, b"/".as_slice()].concat(), depth + 1)),
                    Err(_) => is_complete = false,
                },
                FileType::RegularFile => {
                    files.push(describe(&directory, &name, &path, &mut hashed));
                }
                // Links, FIFOs and devices are none of the worker's results.
                _ => is_complete = false,
            }
        }
    }
    Ok((files, is_complete))
}

/// A file as a JSON object: a digest only where it could be read within the bound.
fn describe(directory: &OwnedFd, name: &CStr, path: &[u8], hashed: &mut u64) -> Value {
    let mut about = json!({ "name": String::from_utf8_lossy(path) });
    if std::str::from_utf8(path).is_err() {
        about["name_base64"] = base64::engine::general_purpose::STANDARD.encode(path).into();
    }
    if let Ok(Some((file, stat))) = beneath::regular(directory.as_fd(), name) {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        about["size"] = size.into();
        if hashed.saturating_add(size) <= MAX_HASHED {
            *hashed += size;
            about["sha256"] = digest::of(std::fs::File::from(file).take(size)).ok().into();
        }
    }
    about
}
