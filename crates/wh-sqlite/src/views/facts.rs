//! Committed facts in the order of their commits.

use crate::failure::{Tried, damaged};
use crate::stage::Stage;
use rusqlite::{Connection, Row};
use wh_domain::attempt::OutcomeName;
use wh_domain::id::{Fence, Seq};
use wh_ports::claims::Cursor;
use wh_ports::reader::Fact;

/// One answer never holds more.
const MOST: u32 = 10_000;

/// Attempts and all other facts, merged by their common numbers. Kind 9 is an attempt.
pub(crate) const FACTS: &str = "SELECT fact AS no, 9 AS kind, seq AS a, fence AS b, outcome, stage FROM attempt WHERE fact > ?1 \
    UNION ALL SELECT no, kind, a, b, NULL, NULL FROM fact WHERE no > ?1 ORDER BY no LIMIT ?2";

/// The facts after a place, and where to go on.
pub(crate) fn facts(connection: &Connection, after: Cursor, most: u32) -> Tried<(Vec<Fact>, Cursor)> {
    let mut find = connection.prepare_cached(FACTS)?;
    let mut rows = find.query((after.0, most.min(MOST)))?;
    let (mut facts, mut cursor) = (Vec::new(), after);
    while let Some(row) = rows.next()? {
        cursor = Cursor(row.get(0)?);
        facts.extend(fact_of(row)?);
    }
    Ok((facts, cursor))
}

/// A fact that concerns tasks; `None` for one that concerns a worker.
fn fact_of(row: &Row<'_>) -> Tried<Option<Fact>> {
    Ok(Some(match row.get::<_, i64>(1)? {
        0 => Fact::Enqueued { from: Seq(row.get(2)?), to: Seq(row.get(3)?) },
        1 => Fact::Wished { seq: Seq(row.get(2)?), state: Stage::of(row.get(3)?)?.state() },
        2 => return Ok(None),
        9 => {
            let word: String = row.get(4)?;
            let unknown = || damaged(format_args!("an attempt ended as {word:?}"));
            Fact::Settled {
                seq: Seq(row.get(2)?),
                fence: Fence(row.get(3)?),
                outcome: OutcomeName::parse(&word).ok_or_else(unknown)?,
                state: Stage::of(row.get(5)?)?.state(),
            }
        }
        other => return Err(damaged(format_args!("a fact has kind {other}"))),
    }))
}

/// Where the facts end now.
pub(crate) fn latest(connection: &Connection) -> Tried<Cursor> {
    let last = connection
        .prepare_cached("SELECT last_fact FROM tally WHERE one = 1")?
        .query_row((), |row| row.get(0))?;
    Ok(Cursor(last))
}
