//! What a worker is given to begin with: its task on standard input, and its variables.

use crate::hindrance;
use crate::program::variable;
use std::ffi::CString;
use std::fs::File;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;
use wh_domain::ending::Hindrance;
use wh_domain::task::Payload;
use wh_domain::time::Timestamp;
use wh_domain::worker::Protocol;
use wh_ports::blobs::Stored;
use wh_ports::runner::Assignment;
use wh_protocol::env::{CHANNEL_FD_NUMBER, Environment, Places};
use wh_protocol::task::{Metadata, PARAMS_FILE, Params, TaskObject};

/// Why bytes go into no task object.
const BYTES: &str = "its params are bytes, which only `protocol: raw` takes";

/// What stands on standard input.
#[derive(Debug)]
pub(crate) enum Input {
    /// These bytes, through a pipe.
    Bytes(Vec<u8>),
    /// This file itself.
    File(File),
}

/// The directories of a workspace, as text.
#[derive(Debug, Clone)]
pub(crate) struct PlaceNames {
    /// Its root.
    pub(crate) workspace: String,
    /// `input/`
    pub(crate) input: String,
    /// `working/`
    pub(crate) working: String,
    /// `output/`
    pub(crate) output: String,
    /// `logs/`
    pub(crate) logs: String,
}

/// Where the params of a task are.
#[derive(Debug)]
enum Where<'a> {
    /// In the task object.
    Inline(std::borrow::Cow<'a, str>),
    /// In a file of their own.
    File { path: String, size: u64, sha256: &'a str },
}

/// The calendar's moments of an attempt that begins at `from`: its soft and its hard limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments {
    pub(crate) soft: Timestamp,
    pub(crate) hard: Timestamp,
}

impl Moments {
    pub(crate) fn of(assignment: &Assignment, from: Timestamp) -> Self {
        let limits = &assignment.worker.timeout;
        Self { soft: from.after(limits.soft), hard: from.after(limits.hard) }
    }
}

/// Params that do not travel in the task object but lie in `input/`: their content.
pub(crate) enum ParamsFile<'a> {
    /// This text.
    Text(&'a str),
    /// A copy of this file, which has this digest.
    File {
        /// Where it lies.
        path: &'a Path,
        /// Lower-case hexadecimal SHA-256.
        sha256: &'a str,
    },
}

/// What `input/params.json` is to hold, if the task's params are too large for the task object.
pub(crate) fn params_file(assignment: &Assignment) -> Option<ParamsFile<'_>> {
    if assignment.worker.protocol == Protocol::Raw {
        return None;
    }
    match &assignment.claim.params {
        Stored::Inline(Payload::Json(text)) if text.len() as u64 > assignment.worker.bounds.params => {
            Some(ParamsFile::Text(text))
        }
        Stored::Inline(_) => None,
        Stored::Blob { path, sha256, .. } => Some(ParamsFile::File { path, sha256 }),
    }
}

/// Refuses params that are bytes for a worker whose protocol puts them into JSON, before anything is laid out.
pub(crate) fn refuse_bytes(assignment: &Assignment) -> Result<(), Hindrance> {
    let is_bytes = match &assignment.claim.params {
        Stored::Inline(payload) => matches!(payload, Payload::Bytes(_)),
        Stored::Blob { json, .. } => !json,
    };
    if is_bytes && assignment.worker.protocol != Protocol::Raw {
        return Err(hindrance::task(BYTES));
    }
    Ok(())
}

/// Standard input; `digest` is the size and SHA-256 of `input/params.json` where there is one.
pub(crate) fn input(
    assignment: &Assignment,
    moments: Moments,
    places: Option<&PlaceNames>,
    digest: Option<&(u64, String)>,
) -> Result<Input, Hindrance> {
    if assignment.worker.protocol == Protocol::Raw {
        return raw_input(&assignment.claim.params);
    }
    let params = locate(assignment, digest)?;
    let claim = &assignment.claim;
    let attempt_id = claim.attempt_id().to_string();
    let (deadline, soft_deadline) = (rfc3339(moments.hard), rfc3339(moments.soft));
    let added: Vec<&str> =
        [&claim.metadata, &assignment.worker.metadata].into_iter().flatten().map(AsRef::as_ref).collect();
    let task = TaskObject {
        id: claim.id.as_str(),
        task_type: claim.task_type.as_str(),
        params: match &params {
            Where::Inline(text) => Params::Inline(text),
            Where::File { path, size, sha256 } => Params::File { path, size: *size, sha256 },
        },
        metadata: Metadata {
            priority: claim.priority,
            created_at: &rfc3339(claim.created_at),
            worker_id: assignment.host.as_str(),
            attempt: assignment.attempt,
            attempt_id: &attempt_id,
            max_attempts: assignment.max_attempts,
            deadline: Some(&deadline),
            soft_deadline: Some(&soft_deadline),
            traceparent: claim.traceparent.as_deref(),
            workspace: places.map(|places| places.workspace.as_str()),
            checkpoint: claim.checkpoint.as_deref(),
            added: &added,
        },
    };
    let mut bytes = Vec::with_capacity(1024);
    task.write(&mut bytes).map_err(|bad| hindrance::task(bad.to_string()))?;
    Ok(Input::Bytes(bytes))
}

fn raw_input(params: &Stored) -> Result<Input, Hindrance> {
    match params {
        Stored::Inline(payload) => Ok(Input::Bytes(payload.bytes().to_vec())),
        Stored::Blob { path, .. } => File::open(path)
            .map(Input::File)
            .map_err(|error| hindrance::reading("its input cannot be read", &error)),
    }
}

fn locate<'a>(assignment: &'a Assignment, digest: Option<&'a (u64, String)>) -> Result<Where<'a>, Hindrance> {
    match (&assignment.claim.params, digest) {
        (_, Some((size, sha256))) => Ok(Where::File { path: PARAMS_FILE.to_owned(), size: *size, sha256 }),
        (Stored::Inline(Payload::Json(text)), None) => Ok(Where::Inline(text.as_ref().into())),
        (Stored::Inline(Payload::Bytes(_)), None) => Err(hindrance::task(BYTES)),
        (Stored::Blob { path, size, .. }, None) if *size <= assignment.worker.bounds.line => {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| hindrance::reading("its params cannot be read", &error))?;
            Ok(Where::Inline(text.into()))
        }
        (Stored::Blob { path, size, sha256, .. }, None) => {
            Ok(Where::File { path: path.to_string_lossy().into_owned(), size: *size, sha256 })
        }
    }
}

/// The variables of this attempt, besides the lasting ones.
pub(crate) fn variables(
    assignment: &Assignment,
    moments: Moments,
    places: Option<&PlaceNames>,
) -> Vec<CString> {
    let claim = &assignment.claim;
    let environment = Environment {
        task_id: claim.id.as_str(),
        task_type: claim.task_type.as_str(),
        host_id: assignment.host.as_str(),
        attempt: assignment.attempt,
        attempt_id: &claim.attempt_id().to_string(),
        max_attempts: assignment.max_attempts,
        worker: assignment.worker.name.as_str(),
        stream: assignment.stream.0,
        places: places.map(|places| Places {
            workspace: &places.workspace,
            input: &places.input,
            working: &places.working,
            output: &places.output,
            logs: &places.logs,
        }),
        deadline_ms: moments.hard.as_millis(),
        soft_deadline_ms: moments.soft.as_millis(),
        channel_fd: NonZeroU32::new(CHANNEL_FD_NUMBER),
        traceparent: claim.traceparent.as_deref(),
    };
    environment.variables().into_iter().filter_map(|(name, value)| variable(name, &value)).collect()
}

/// A moment in RFC 3339, UTC, with milliseconds.
pub(crate) fn rfc3339(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.as_millis())
        .map_or_else(|_| "9999-12-31T23:59:59.999Z".to_owned(), |moment| format!("{moment:.3}"))
}

/// A length of time for people: `4m 3s`.
pub(crate) fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}
