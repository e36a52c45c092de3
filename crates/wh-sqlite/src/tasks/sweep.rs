//! Deletes one bounded batch of ended tasks with all that belonged to them.

use crate::failure::Tried;
use crate::row::CHAIN;
use crate::stage::Stage;
use crate::tx::Tx;
use std::time::{Duration, Instant};
use wh_domain::time::{Timestamp, millis};
use wh_ports::upkeep::Retention;

/// One round deletes at most so many tasks.
pub(crate) const AT_ONCE: u32 = 1_000;
/// And begins no further task after this long.
const LONGEST: Duration = Duration::from_millis(200);
/// A producer that repeats itself must be recognised for so long after its task's end.
const REMEMBERED: Duration = Duration::from_secs(86_400);
/// As many facts that are no attempts are kept for followers that lag behind.
const FACTS: i64 = 1_000_000;
/// A host that is gone is shown for so long.
const HOSTS: Duration = Duration::from_secs(86_400);

/// Ended tasks that are older than `?2`, oldest first; those with a producer's own id only if older than `?3` too.
pub(crate) const EXPIRED: &str = "SELECT seq, changed_at FROM task INDEXED BY task_ended \
    WHERE stage >= 3 AND stage = ?1 AND changed_at < ?2 AND (id_is_given = 0 OR changed_at < ?3) \
    ORDER BY changed_at LIMIT ?4";

/// Deletes what may go at the moment `now`. Answers how many tasks went and whether there is more.
pub(crate) fn sweep(tx: &mut Tx<'_>, retention: &Retention, now: Timestamp) -> Tried<(u64, bool)> {
    forget_hosts_and_facts(tx, now)?;
    let began = Instant::now();
    let mut gone = 0;
    for Candidate { seq, stage, .. } in candidates(tx, retention, now)? {
        if began.elapsed() >= LONGEST {
            return Ok((gone, true));
        }
        delete(tx, seq, stage)?;
        gone += 1;
    }
    Ok((gone, gone >= u64::from(AT_ONCE)))
}

/// An ended task that may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    changed_at: i64,
    seq: i64,
    stage: Stage,
}

/// Too old ones first; if all are young enough, the oldest of too many.
fn candidates(tx: &Tx<'_>, retention: &Retention, now: Timestamp) -> Tried<Vec<Candidate>> {
    let ages = [
        (Stage::Completed, retention.completed),
        (Stage::Poisoned, retention.poisoned),
        (Stage::Cancelled, retention.cancelled),
    ];
    let mut found = Vec::new();
    for (stage, age) in ages {
        expired(tx, &mut found, stage, (before(now, age), before(now, REMEMBERED)), AT_ONCE)?;
    }
    let mut most = AT_ONCE;
    if found.is_empty() {
        most = surplus(tx, retention)?;
        for (stage, _) in ages {
            expired(tx, &mut found, stage, (i64::MAX, before(now, REMEMBERED)), most)?;
        }
    }
    found.sort_unstable();
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(found)
}

/// How many of the oldest must go because of their number or the file's size.
fn surplus(tx: &Tx<'_>, retention: &Retention) -> Tried<u32> {
    let ended = u64::try_from(tx.ended()).unwrap_or(0);
    let too_many = u32::try_from(ended.saturating_sub(retention.finished)).unwrap_or(u32::MAX);
    if used_bytes(tx)? > retention.store_size { Ok(AT_ONCE) } else { Ok(too_many.min(AT_ONCE)) }
}

/// What the file holds, without the room that deleted rows left in it.
fn used_bytes(tx: &Tx<'_>) -> Tried<u64> {
    let number = |sql: &str| -> Tried<i64> { Ok(tx.prepare(sql)?.query_row((), |row| row.get(0))?) };
    let pages = number("PRAGMA page_count")?.saturating_sub(number("PRAGMA freelist_count")?);
    Ok(u64::try_from(pages.saturating_mul(number("PRAGMA page_size")?)).unwrap_or(0))
}

/// The moment that lies so long before `now`.
fn before(now: Timestamp, age: Duration) -> i64 {
    now.as_millis().saturating_sub(millis(age))
}

/// Adds the ended tasks of a stage that ended before the first moment, those of a given id only if before the second
/// one too; at most `most`.
fn expired(
    tx: &Tx<'_>,
    found: &mut Vec<Candidate>,
    stage: Stage,
    (ended, remembered): (i64, i64),
    most: u32,
) -> Tried<()> {
    let mut find = tx.prepare(EXPIRED)?;
    let mut rows = find.query((stage.code(), ended, remembered, most))?;
    while let Some(row) = rows.next()? {
        found.push(Candidate { seq: row.get(0)?, changed_at: row.get(1)?, stage });
    }
    Ok(())
}

fn delete(tx: &mut Tx<'_>, seq: i64, stage: Stage) -> Tried<()> {
    tx.prepare(&format!("DELETE FROM attempt WHERE fact IN ({CHAIN} SELECT fact FROM chain)"))?
        .execute([seq])?;
    for statement in [
        "DELETE FROM payload WHERE seq = ?1",
        "DELETE FROM result WHERE seq = ?1",
        "DELETE FROM note WHERE seq = ?1",
        "DELETE FROM blob_ref WHERE seq = ?1",
        "DELETE FROM release WHERE seq = ?1",
    ] {
        tx.prepare(statement)?.execute([seq])?;
    }
    let fence = tx
        .prepare("DELETE FROM task WHERE seq = ?1 AND stage >= 3 RETURNING fence")?
        .query_row([seq], |row| row.get(0))?;
    // Its id may be given again, and a fence that was given out with it may not.
    tx.raise_fence_floor(fence);
    tx.forgot();
    tx.moved(Some(stage), None);
    Ok(())
}

fn forget_hosts_and_facts(tx: &Tx<'_>, now: Timestamp) -> Tried<()> {
    tx.prepare("DELETE FROM fact WHERE no IN (SELECT no FROM fact WHERE no <= ?1 ORDER BY no LIMIT ?2)")?
        .execute((tx.last_fact().saturating_sub(FACTS), AT_ONCE))?;
    tx.prepare(
        "DELETE FROM host WHERE standing <> 0 AND changed_at < ?1 AND NOT EXISTS \
         (SELECT 1 FROM task WHERE stage = 2 AND (task.host = host.no OR task.lost_host = host.no))",
    )?
    .execute([before(now, HOSTS)])?;
    Ok(())
}
