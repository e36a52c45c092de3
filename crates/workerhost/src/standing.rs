//! Where a task stands, in plain sentences.

use crate::moment::rfc3339;
use crate::outlook::Outlook;
use wh_domain::attempt::AttemptRecord;
use wh_domain::task::{Task, TaskState, WaitingFor};
use wh_domain::time::Timestamp;

/// Where a task stands, in plain sentences. `last` is its last attempt, `outlook` what is known beside the task; only
/// of pending tasks it tells more.
pub(crate) fn standing(task: &Task, last: Option<&AttemptRecord>, outlook: Option<&Outlook>) -> String {
    let last = last.map(|record| &*record.sentence);
    let now = match &task.state {
        TaskState::Pending { due, waiting_for } => waiting(task, due.at, *waiting_for, outlook),
        TaskState::Claimed { worker, .. } if task.cancel_wished => {
            return format!("Worker {worker} has been asked to stop, because someone cancelled the task.");
        }
        TaskState::Claimed { worker, since, .. } => {
            return format!("Worker {worker} has been at work on it since {}.", rfc3339(*since));
        }
        TaskState::Completed => return last.unwrap_or("The worker finished the task.").to_owned(),
        TaskState::Poisoned(reason) => format!("Given up: {}.", reason.sentence()),
        TaskState::Cancelled => return last.unwrap_or("Someone cancelled it before it was done.").to_owned(),
    };
    match last {
        Some(last) => format!("{last} {now}"),
        None => now,
    }
}

/// What a pending task waits for: its time, and then somebody who does it.
fn waiting(
    task: &Task,
    due: Timestamp,
    waiting_for: Option<WaitingFor>,
    outlook: Option<&Outlook>,
) -> String {
    let at = rfc3339(due);
    let time = match waiting_for {
        Some(WaitingFor::Backoff) => Some(format!("It is tried again at {at}.")),
        Some(WaitingFor::Deferral) => Some(format!("The worker put it off until {at}.")),
        Some(WaitingFor::Worker) => Some(format!("Its worker could not run; it is tried again at {at}.")),
        None if due > task.changed_at => Some(format!("It is not to run before {at}.")),
        None => None,
    };
    let time = time.filter(|_| outlook.is_none_or(|outlook| outlook.is_to_come(due)));
    let hindrance = outlook.and_then(|outlook| outlook.hindrance(&task.task_type));
    match (time, hindrance, outlook) {
        (Some(time), Some(hindrance), _) => format!("{time} {hindrance}"),
        (Some(told), None, _) | (None, Some(told), _) => told,
        (None, None, Some(outlook)) => outlook.expectation(&task.task_type),
        (None, None, None) => "It waits for a free stream of a worker that takes its type.".to_owned(),
    }
}
