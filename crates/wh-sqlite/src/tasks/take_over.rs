//! Moves the claims of dead hosts to a living one, each under a new fence.

use crate::failure::{Tried, damaged};
use crate::hosts::membership::{Member, gone_hosts};
use crate::hosts::slots::Slots;
use crate::policy::Policy;
use crate::row::counters_of;
use crate::tx::Tx;
use rusqlite::Row;
use wh_domain::id::{Fence, HostId, Seq, TaskId, WorkerName};
use wh_domain::lifecycle::History;
use wh_domain::time::Timestamp;
use wh_ports::claims::Orphan;

/// As many claims are moved in one transaction.
const AT_ONCE: u32 = 500;
/// The claims of a host.
pub(crate) const CLAIMS_OF: &str =
    "SELECT seq FROM task INDEXED BY task_claimed WHERE stage = 2 AND host = ?1 LIMIT ?2";

/// Moves at most `most` claims.
pub(crate) fn take_over(
    tx: &mut Tx<'_>,
    reaper: &Member,
    most: u32,
    policy: &Policy,
    slots: &Slots,
) -> Tried<Vec<Orphan>> {
    let most = most.min(AT_ONCE);
    let mut seqs: Vec<i64> = Vec::new();
    for host in gone_hosts(tx, reaper, policy, slots)? {
        let room = u32::try_from(seqs.len()).map_or(0, |len| most.saturating_sub(len));
        if room == 0 {
            break;
        }
        for seq in tx.prepare(CLAIMS_OF)?.query_map((host, room), |row| row.get(0))? {
            seqs.push(seq?);
        }
    }
    seqs.into_iter().map(|seq| adopt(tx, reaper, seq)).collect()
}

/// Moves one claim. What its first host may have done is remembered until somebody settles it: if this reaper dies
/// too, the next one counts that loss, and only that one.
fn adopt(tx: &Tx<'_>, reaper: &Member, seq: i64) -> Tried<Orphan> {
    tx.prepare(
        "UPDATE task SET lost_fence = coalesce(lost_fence, fence), lost_started = coalesce(lost_started, started), \
         lost_host = coalesce(lost_host, host), started = 0, fence = max(fence, ?2) + 1, host = ?3 \
         WHERE seq = ?1 AND stage = 2",
    )?
    .execute((seq, tx.fence_floor(), reaper.no))?;
    let mut find = tx.prepare(
        "SELECT t.id, t.lane, t.fence, t.lost_fence, h.uuid, t.worker, t.claimed_at, t.lost_started, \
         t.lost_is_final, t.max_attempts, t.cancel_wished, t.attempts, t.crashes, t.timeouts, t.lost, \
         t.worker_broken, t.deferrals, t.interruptions \
         FROM task t JOIN host h ON h.no = t.lost_host WHERE t.seq = ?1",
    )?;
    let mut rows = find.query([seq])?;
    let row = rows.next()?.ok_or_else(|| damaged("a claim names a host that nobody knows"))?;
    orphan(tx, seq, row)
}

fn orphan(tx: &Tx<'_>, seq: i64, row: &Row<'_>) -> Tried<Orphan> {
    let text = |at| row.get::<_, String>(at);
    Ok(Orphan {
        seq: Seq(seq),
        id: TaskId::new(text(0)?).map_err(damaged)?,
        task_type: tx.task_type_of(row.get(1)?)?,
        fence: Fence(row.get(2)?),
        lost_fence: Fence(row.get(3)?),
        lost_host: HostId::new(text(4)?).map_err(damaged)?,
        worker: WorkerName::new(text(5)?).map_err(damaged)?,
        claimed_at: Timestamp::from_millis(row.get(6)?),
        started: row.get(7)?,
        lost_is_final: row.get(8)?,
        history: History {
            counters: counters_of(row, 11)?,
            max_attempts: row.get(9)?,
            cancel_wished: row.get(10)?,
        },
    })
}
