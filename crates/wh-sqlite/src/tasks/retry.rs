//! Gives an ended task a new chance, with all counters at zero.

use crate::failure::{Tried, damaged};
use crate::policy::Policy;
use crate::stage::Stage;
use crate::tasks::enqueue::holder_of;
use crate::tx::Tx;
use rusqlite::OptionalExtension;
use wh_domain::id::{Seq, TaskId, TaskType};
use wh_domain::lifecycle::may_retry;
use wh_ports::wishes::Retried;

/// The poisoned tasks after a place, in the order of their numbers.
pub(crate) const GIVEN_UP: &str = "SELECT seq, id FROM task INDEXED BY task_given_up \
    WHERE stage >= 4 AND stage = 4 AND seq > ?1 AND (?2 IS NULL OR lane = ?2) ORDER BY seq LIMIT ?3";
/// As many tasks are looked at in one transaction.
const AT_ONCE: u32 = 500;

/// Retries one task.
pub(crate) fn retry(tx: &mut Tx<'_>, id: &TaskId, policy: &Policy) -> Tried<Retried> {
    let found: Option<(i64, i64, i32, Option<String>)> = tx
        .prepare("SELECT seq, stage, priority, unique_key FROM task WHERE id = ?1")?
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((seq, stage, priority, key)) = found else { return Ok(Retried::Unknown) };
    let stage = Stage::of(stage)?;
    if !may_retry(stage.state()) {
        return Ok(Retried::NotEnded(stage.state()));
    }
    if let Some(key) = key
        && let Some(of) = holder_of(tx, &key)?
    {
        return Ok(Retried::Duplicate { of });
    }
    tx.prepare(
        "UPDATE task SET stage = 0, changed_at = ?2, due_at = ?2, due_boot = NULL, due_millis = NULL, rank = ?3, \
         waiting_for = NULL, poison = NULL, attempts = 0, crashes = 0, timeouts = 0, lost = 0, worker_broken = 0, \
         deferrals = 0, interruptions = 0, cancel_wished = 0 WHERE seq = ?1 AND stage IN (4, 5)",
    )?
    .execute((seq, tx.wall.as_millis(), policy.ageing.rank(priority, tx.wall).0))?;
    tx.moved(Some(stage), Some(Stage::Ready));
    tx.wished(Seq(seq), Stage::Ready)?;
    Ok(Retried::Done)
}

/// Retries a batch of poisoned tasks. Answers how many, and where to go on.
pub(crate) fn retry_poisoned(
    tx: &mut Tx<'_>,
    task_type: Option<&TaskType>,
    after: Option<Seq>,
    most: u32,
    policy: &Policy,
) -> Tried<(u64, Option<Seq>)> {
    let lane = match task_type {
        None => None,
        Some(task_type) => match tx.find_lane(task_type)? {
            None => return Ok((0, None)),
            lane => lane,
        },
    };
    let most = most.min(AT_ONCE);
    // One more than is retried, to know whether there is more.
    let mut batch: Vec<(i64, String)> = tx
        .prepare(GIVEN_UP)?
        .query_map((after.map_or(0, |seq| seq.0), lane, most.saturating_add(1)), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let found = batch.len();
    batch.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    let next = if found > batch.len() { batch.last().map(|(seq, _)| Seq(*seq)).or(after) } else { None };
    let mut retried = 0;
    for (_, id) in batch {
        let id = TaskId::new(id).map_err(damaged)?;
        retried += u64::from(retry(tx, &id, policy)? == Retried::Done);
    }
    Ok((retried, next))
}
