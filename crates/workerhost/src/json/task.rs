//! A task as an object, short in lists and whole where one is shown.

use crate::json::attempt::Attempt;
use crate::json::content::Content;
use crate::moment::rfc3339;
use crate::outlook::Outlook;
use crate::standing::standing;
use serde::Serialize;
use serde_json::value::RawValue;
use wh_domain::attempt::Progress;
use wh_domain::task::{Counters, InputFile, Task, TaskState};
use wh_ports::reader::Dossier;

/// The schema's name.
const TASK: &str = "workerhost.task/v1";

/// A task; the second half is there only where one task is shown.
#[derive(Debug, Serialize)]
pub(crate) struct TaskObject {
    schema: &'static str,
    id: String,
    #[serde(rename = "type")]
    task_type: String,
    state: &'static str,
    sentence: String,
    priority: i32,
    created_at: String,
    changed_at: String,
    #[serde(flatten)]
    standing: Standing,
    /// How often it has been tried, whatever counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts_made: Option<u32>,
    counters: CountersObject,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cancel_wished: bool,
    #[serde(flatten)]
    whole: Option<Whole>,
}

/// What only some states know.
#[derive(Debug, Default, Serialize)]
struct Standing {
    #[serde(skip_serializing_if = "Option::is_none")]
    run_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct CountersObject {
    attempts: u32,
    crashes: u32,
    timeouts: u32,
    lost: u32,
    worker_broken: u32,
    deferrals: u32,
    interruptions: u32,
}

/// What is kept beside the task itself.
#[derive(Debug, Serialize)]
struct Whole {
    params: Box<RawValue>,
    params_encoding: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<InputObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_encoding: Option<&'static str>,
    /// Whether the result was cut short by the attempt's end.
    partial: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressObject>,
    attempts: Vec<Attempt>,
}

#[derive(Debug, Serialize)]
struct InputObject {
    name: String,
    sha256: String,
    size: u64,
}

#[derive(Debug, Serialize)]
struct ProgressObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// The end of a page that is not the last.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    schema: &'static str,
    next: String,
}

impl Page {
    pub(crate) fn new(next: String) -> Self {
        Self { schema: "workerhost.page/v1", next }
    }
}

impl TaskObject {
    /// A row of a list. `made` is how many attempts are on record, where that is known.
    pub(crate) fn short(task: &Task, made: Option<u32>, outlook: Option<&Outlook>) -> Self {
        Self {
            schema: TASK,
            id: task.id.to_string(),
            task_type: task.task_type.to_string(),
            state: task.state.name().as_str(),
            sentence: standing(task, None, outlook),
            priority: task.priority,
            created_at: rfc3339(task.created_at),
            changed_at: rfc3339(task.changed_at),
            standing: Standing::of(&task.state),
            attempts_made: made,
            counters: CountersObject::of(task.counters),
            max_attempts: task.max_attempts,
            unique: task.unique.as_ref().map(ToString::to_string),
            parent: task.parent.as_ref().map(ToString::to_string),
            cancel_wished: task.cancel_wished,
            whole: None,
        }
    }

    /// All that is kept of it.
    pub(crate) fn whole(dossier: &Dossier, outlook: Option<&Outlook>) -> Self {
        let task = &dossier.task;
        Self {
            sentence: standing(task, dossier.attempts.last(), outlook),
            whole: Some(Whole::of(dossier)),
            ..Self::short(task, u32::try_from(dossier.attempts.len()).ok(), outlook)
        }
    }
}

impl Standing {
    fn of(state: &TaskState) -> Self {
        match state {
            TaskState::Pending { due, waiting_for } => Self {
                run_at: Some(rfc3339(due.at)),
                waiting_for: waiting_for.map(wh_domain::task::WaitingFor::as_str),
                ..Self::default()
            },
            TaskState::Claimed { host, worker, since } => Self {
                host: Some(host.to_string()),
                worker: Some(worker.to_string()),
                claimed_at: Some(rfc3339(*since)),
                ..Self::default()
            },
            TaskState::Poisoned(reason) => Self { reason: Some(reason.as_str()), ..Self::default() },
            TaskState::Completed | TaskState::Cancelled => Self::default(),
        }
    }
}

impl CountersObject {
    fn of(counters: Counters) -> Self {
        let Counters { attempts, crashes, timeouts, lost, worker_broken, deferrals, interruptions } =
            counters;
        Self { attempts, crashes, timeouts, lost, worker_broken, deferrals, interruptions }
    }
}

impl Whole {
    fn of(dossier: &Dossier) -> Self {
        let params = Content::of(&dossier.params);
        let result = dossier.result.as_ref().map(|(stored, partial)| (Content::of(stored), *partial));
        let partial = result.as_ref().is_some_and(|(_, partial)| *partial);
        let (result, result_encoding) = match result {
            Some((content, _)) => (Some(content.value), Some(content.encoding)),
            None => (None, None),
        };
        Self {
            params: params.value,
            params_encoding: params.encoding,
            metadata: dossier.metadata.as_deref().and_then(json_text),
            inputs: dossier.inputs.iter().map(InputObject::of).collect(),
            traceparent: dossier.traceparent.as_deref().map(str::to_owned),
            result,
            result_encoding,
            partial,
            checkpoint: dossier.checkpoint.as_deref().and_then(json_text),
            progress: dossier.progress.as_ref().map(ProgressObject::of),
            attempts: dossier.attempts.iter().map(|record| Attempt::of(&dossier.task.id, record)).collect(),
        }
    }
}

impl InputObject {
    fn of(file: &InputFile) -> Self {
        Self { name: file.name.to_string(), sha256: file.sha256.to_string(), size: file.size }
    }
}

impl ProgressObject {
    fn of(progress: &Progress) -> Self {
        Self {
            current: progress.current,
            total: progress.total,
            percent: progress.percent,
            message: progress.message.as_deref().map(str::to_owned),
        }
    }
}

fn json_text(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}
