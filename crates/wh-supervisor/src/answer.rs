//! From what a worker wrote to what the rules of a task understand.

use wh_domain::attempt::{Progress, RetryAfter};
use wh_domain::ending::{Fault, Report, ReportedError};
use wh_domain::failure::FailureClass;
use wh_domain::id::{TaskId, TaskType, UniqueKey};
use wh_domain::task::Payload;
use wh_domain::time::Timestamp;
use wh_ports::runner::FollowUp;
use wh_protocol::result::{self, ClaimedOutput, Class, ErrorReport, When, WorkerResult};
use wh_protocol::sift::SiftFault;

/// A result that was understood.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Success or failure.
    pub(crate) report: Report,
    /// The result, or what there was of one.
    pub(crate) payload: Option<Payload>,
    /// Tasks that it brings forth.
    pub(crate) follow_ups: Vec<FollowUp>,
    /// Files that it says it has left.
    pub(crate) outputs: Vec<ClaimedOutput>,
    /// How good it says its work is.
    pub(crate) quality: Option<u8>,
}

/// Understands a result at `now`.
pub(crate) fn understand(result: WorkerResult, now: Timestamp) -> Result<Answer, Fault> {
    let follow_ups = result
        .tasks
        .into_iter()
        .enumerate()
        .map(|(number, task)| {
            follow_up(task, now).map_err(|what| Fault::BadResult(format!("`tasks[{number}].{what}").into()))
        })
        .collect::<Result<_, _>>()?;
    let (report, payload) = match result.report {
        result::Report::Success(text) => (Report::Success, Some(Payload::Json(text))),
        result::Report::Failure(error) => {
            (Report::Failure(reported(error)), result.partial.map(Payload::Json))
        }
    };
    Ok(Answer { report, payload, follow_ups, outputs: result.outputs, quality: result.quality })
}

/// Says which field of a follow-up cannot be, after an opening quote.
fn follow_up(task: result::FollowUp, now: Timestamp) -> Result<FollowUp, String> {
    let id = task.id.map(TaskId::new).transpose().map_err(|bad| format!("id` {bad}"))?;
    let task_type = TaskType::new(task.task_type).map_err(|bad| format!("type` {bad}"))?;
    let unique = task.unique.map(UniqueKey::new).transpose().map_err(|bad| format!("unique` {bad}"))?;
    let run_at = task.run_at.map(|when| match when {
        When::In(wait) => now.after(wait),
        When::At(millis) => Timestamp::from_millis(millis),
    });
    Ok(FollowUp {
        id,
        task_type,
        params: Payload::Json(task.params),
        priority: task.priority,
        unique,
        run_at,
    })
}

fn reported(error: ErrorReport) -> ReportedError {
    ReportedError {
        kind: error.kind.into(),
        message: error.message.into(),
        traceback: error.traceback.map(Into::into),
        retry_possible: error.retry_possible,
        retry_after: error.retry_after.map(|when| match when {
            When::In(wait) => RetryAfter::In(wait),
            When::At(millis) => RetryAfter::At(Timestamp::from_millis(millis)),
        }),
        class: error.class.map(|class| match class {
            Class::Transient => FailureClass::Transient,
            Class::Resource => FailureClass::Resource,
            Class::Logic => FailureClass::Logic,
            Class::Quota => FailureClass::Quota,
        }),
        status: error.status,
    }
}

/// The same fault in the words of the rules.
pub(crate) fn fault(fault: SiftFault) -> Fault {
    match fault {
        SiftFault::StrayOutput { .. } => Fault::StrayOutput,
        SiftFault::LineTooLong { limit } => Fault::LineTooLong { limit },
        SiftFault::OutputTooLarge { limit } => Fault::OutputTooLarge { limit },
        SiftFault::NotUtf8 { offset } => Fault::NotUtf8 { offset },
        SiftFault::TooDeep { limit } => Fault::TooDeep { limit },
    }
}

/// How far a worker is, in one line: `3/10`, `30%` or nothing.
pub(crate) fn shown(progress: &Progress) -> String {
    match (progress.current, progress.total, progress.percent) {
        (Some(current), Some(total), _) => format!("{current}/{total}"),
        (_, _, Some(percent)) => format!("{percent:.0}%"),
        (Some(current), None, None) => format!("{current}"),
        (None, _, None) => "-".to_owned(),
    }
}
