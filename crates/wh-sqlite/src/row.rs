//! A task's row as the domain's task.

use crate::failure::{Tried, damaged};
use crate::stage::Stage;
use rusqlite::Row;
use wh_domain::id::{Fence, HostId, Seq, TaskId, TaskType, UniqueKey, WorkerName};
use wh_domain::task::{Counters, Due, PoisonReason, Task, TaskState, WaitingFor};
use wh_domain::time::{StoreInstant, Timestamp};

/// Every column that [`task_of`] reads, in its order; to be followed by `WHERE`.
pub(crate) const TASKS: &str = "SELECT t.seq, t.id, l.task_type, t.priority, t.stage, t.fence, t.max_attempts, \
    t.unique_key, t.parent, t.cancel_wished, t.created_at, t.changed_at, t.due_at, t.due_boot, t.due_millis, \
    t.waiting_for, t.poison, h.uuid, t.worker, t.claimed_at, t.attempts, t.crashes, t.timeouts, t.lost, \
    t.worker_broken, t.deferrals, t.interruptions \
    FROM task t JOIN lane l ON l.id = t.lane LEFT JOIN host h ON h.no = t.host ";

/// The facts of all attempts of the task `?1`, as a table named `chain`.
pub(crate) const CHAIN: &str = "WITH RECURSIVE chain (fact) AS (\
    SELECT last_attempt FROM task WHERE seq = ?1 AND last_attempt IS NOT NULL \
    UNION ALL SELECT a.previous FROM attempt a JOIN chain c ON a.fact = c.fact WHERE a.previous IS NOT NULL)";

/// Seven counters, the first of which is column `at`.
pub(crate) fn counters_of(row: &Row<'_>, at: usize) -> rusqlite::Result<Counters> {
    Ok(Counters {
        attempts: row.get(at)?,
        crashes: row.get(at + 1)?,
        timeouts: row.get(at + 2)?,
        lost: row.get(at + 3)?,
        worker_broken: row.get(at + 4)?,
        deferrals: row.get(at + 5)?,
        interruptions: row.get(at + 6)?,
    })
}

/// Reads a row of [`TASKS`].
pub(crate) fn task_of(row: &Row<'_>) -> Tried<Task> {
    let name = |at| row.get::<_, Option<String>>(at);
    let known =
        |text: Option<String>, what: &str| text.ok_or_else(|| damaged(format_args!("a task has no {what}")));
    Ok(Task {
        seq: Seq(row.get(0)?),
        id: TaskId::new(known(name(1)?, "id")?).map_err(damaged)?,
        task_type: TaskType::new(known(name(2)?, "type")?).map_err(damaged)?,
        priority: row.get(3)?,
        state: state_of(row)?,
        fence: Fence(row.get(5)?),
        counters: counters_of(row, 20)?,
        max_attempts: row.get(6)?,
        unique: name(7)?.map(UniqueKey::new).transpose().map_err(damaged)?,
        parent: name(8)?.map(TaskId::new).transpose().map_err(damaged)?,
        cancel_wished: row.get(9)?,
        created_at: Timestamp::from_millis(row.get(10)?),
        changed_at: Timestamp::from_millis(row.get(11)?),
    })
}

fn state_of(row: &Row<'_>) -> Tried<TaskState> {
    Ok(match Stage::of(row.get(4)?)? {
        Stage::Ready | Stage::Waiting => {
            TaskState::Pending { due: due_of(row)?, waiting_for: waiting_of(row)? }
        }
        Stage::Claimed => {
            let (host, worker) = (row.get::<_, String>(17)?, row.get::<_, String>(18)?);
            TaskState::Claimed {
                host: HostId::new(host).map_err(damaged)?,
                worker: WorkerName::new(worker).map_err(damaged)?,
                since: Timestamp::from_millis(row.get(19)?),
            }
        }
        Stage::Completed => TaskState::Completed,
        Stage::Poisoned => {
            let word: String = row.get(16)?;
            let unknown = || damaged(format_args!("a task was given up for {word:?}"));
            TaskState::Poisoned(PoisonReason::parse(&word).ok_or_else(unknown)?)
        }
        Stage::Cancelled => TaskState::Cancelled,
    })
}

fn due_of(row: &Row<'_>) -> Tried<Due> {
    let instant = match (row.get::<_, Option<i64>>(13)?, row.get::<_, Option<i64>>(14)?) {
        (Some(boot), Some(millis)) => Some(StoreInstant { boot: boot.cast_unsigned(), millis }),
        _ => None,
    };
    Ok(Due { at: Timestamp::from_millis(row.get(12)?), instant })
}

fn waiting_of(row: &Row<'_>) -> Tried<Option<WaitingFor>> {
    let Some(word) = row.get::<_, Option<String>>(15)? else { return Ok(None) };
    let unknown = || damaged(format_args!("a task waits for {word:?}"));
    WaitingFor::parse(&word).map(Some).ok_or_else(unknown)
}
