//! Makes waiting tasks ready once their moment has come, and tells when the next one's comes.

use crate::failure::Tried;
use crate::tx::Tx;
use std::time::Duration;

/// As many tasks become ready in one transaction, by either clock.
pub(crate) const AT_ONCE: u32 = 1_000;

/// By the calendar.
pub(crate) const BY_WALL: &str = "UPDATE task SET stage = 0 WHERE seq IN \
    (SELECT seq FROM task INDEXED BY task_due WHERE stage = 1 AND due_at <= ?1 ORDER BY due_at LIMIT ?2)";
/// By the store's clock.
pub(crate) const BY_INSTANT: &str = "UPDATE task SET stage = 0 WHERE seq IN \
    (SELECT seq FROM task INDEXED BY task_due_instant WHERE stage = 1 AND due_boot = ?1 AND due_millis <= ?2 \
    ORDER BY due_millis LIMIT ?3)";
/// The next moment of the calendar.
pub(crate) const NEXT_WALL: &str = "SELECT min(due_at) FROM task INDEXED BY task_due WHERE stage = 1";
/// The next moment of the store's clock.
pub(crate) const NEXT_INSTANT: &str = "SELECT min(due_millis) FROM task INDEXED BY task_due_instant \
    WHERE stage = 1 AND due_boot = ?1";

/// Makes due tasks ready. Answers how long until the next one is due: zero when more are due than one transaction
/// makes ready, nothing when none waits.
pub(crate) fn promote(tx: &Tx<'_>) -> Tried<Option<Duration>> {
    let boot = tx.instant.boot.cast_signed();
    // Asked first, because an update that finds nothing costs as much as all the rest of a claim.
    let mut next = next_due(tx)?;
    if next == Some(Duration::ZERO) {
        tx.prepare(BY_WALL)?.execute((tx.wall.as_millis(), AT_ONCE))?;
        tx.prepare(BY_INSTANT)?.execute((boot, tx.instant.millis, AT_ONCE))?;
        next = next_due(tx)?;
    }
    Ok(next)
}

/// How long until the next waiting task is due.
fn next_due(tx: &Tx<'_>) -> Tried<Option<Duration>> {
    let boot = tx.instant.boot.cast_signed();
    let wall: Option<i64> = tx.prepare(NEXT_WALL)?.query_row((), |row| row.get(0))?;
    let instant: Option<i64> = tx.prepare(NEXT_INSTANT)?.query_row([boot], |row| row.get(0))?;
    let until =
        |then: i64, now: i64| Duration::from_millis(u64::try_from(then.saturating_sub(now)).unwrap_or(0));
    let by_wall = wall.map(|then| until(then, tx.wall.as_millis()));
    let by_instant = instant.map(|then| until(then, tx.instant.millis));
    Ok(by_wall.into_iter().chain(by_instant).min())
}
