//! Takes due tasks: merges the heads of the wanted lanes by rank. Lanes that nobody wants are not looked at.

use crate::blob_dir::BlobDir;
use crate::content::{Content, inputs_of};
use crate::failure::{Tried, damaged};
use crate::hosts::membership::Member;
use crate::row::counters_of;
use crate::stage::Stage;
use crate::tasks::promote::promote;
use crate::tx::Tx;
use rusqlite::OptionalExtension;
use std::collections::BTreeMap;
use wh_domain::id::{Fence, LaneId, Seq, TaskId};
use wh_domain::lifecycle::History;
use wh_domain::task::Payload;
use wh_domain::time::Timestamp;
use wh_ports::blobs::Stored;
use wh_ports::claims::{Claim, Claimed, Want};

/// The best ready tasks of a lane.
pub(crate) const HEADS: &str = "SELECT seq, rank FROM task INDEXED BY task_ready WHERE stage = 0 AND lane = ?1 ORDER BY rank, seq LIMIT ?2";

/// Takes what the wants allow, at most `most` in all.
pub(crate) fn claim(
    tx: &mut Tx<'_>,
    host: &Member,
    wants: &[Want],
    most: u32,
    blobs: &BlobDir,
) -> Tried<Claimed> {
    let next_due = promote(tx)?;
    let mut claims = Vec::new();
    for (seq, want) in choose(heads(tx, wants, most)?, wants, most) {
        claims.push(take(tx, host, seq, want, blobs)?);
    }
    Ok(Claimed { claims, next_due, lanes_version: u64::try_from(tx.lanes_version()).map_err(damaged)? })
}

/// A ready task at the head of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    rank: i64,
    seq: i64,
    lane: LaneId,
}

/// The heads of every wanted lane, best first: of each as many as could be taken.
fn heads(tx: &Tx<'_>, wants: &[Want], most: u32) -> Tried<Vec<Head>> {
    let mut bounds: BTreeMap<LaneId, u32> = BTreeMap::new();
    for want in wants {
        for lane in &want.lanes {
            let bound = bounds.entry(*lane).or_default();
            *bound = bound.saturating_add(want.most).min(most);
        }
    }
    let mut heads = Vec::new();
    let mut find = tx.prepare(HEADS)?;
    for (lane, bound) in bounds {
        let mut rows = find.query((lane.0, bound))?;
        while let Some(row) = rows.next()? {
            heads.push(Head { rank: row.get(1)?, seq: row.get(0)?, lane });
        }
    }
    heads.sort_unstable();
    Ok(heads)
}

/// Gives each head, best first, to the first want that takes its lane and has room.
fn choose(heads: Vec<Head>, wants: &[Want], most: u32) -> Vec<(i64, &Want)> {
    let mut room: Vec<u32> = wants.iter().map(|want| want.most).collect();
    let mut chosen = Vec::new();
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    for head in heads {
        if chosen.len() == most {
            break;
        }
        let taker =
            wants.iter().zip(&mut room).find(|(want, room)| **room > 0 && want.lanes.contains(&head.lane));
        if let Some((want, room)) = taker {
            *room -= 1;
            chosen.push((head.seq, want));
        }
    }
    chosen
}

/// Moves one ready task to the host and reads what its attempt needs.
fn take(tx: &mut Tx<'_>, host: &Member, seq: i64, want: &Want, blobs: &BlobDir) -> Tried<Claim> {
    let mut update = tx.prepare(
        "UPDATE task SET stage = 2, fence = max(fence, ?2) + 1, host = ?3, worker = ?4, claimed_at = ?5, \
         changed_at = ?5, started = 1, lost_is_final = ?6, waiting_for = NULL \
         WHERE seq = ?1 AND stage = 0 \
         RETURNING id, lane, fence, priority, max_attempts, cancel_wished, created_at, attempts, crashes, \
         timeouts, lost, worker_broken, deferrals, interruptions",
    )?;
    let mut rows = update.query((
        seq,
        tx.fence_floor(),
        host.no,
        want.worker.as_str(),
        tx.wall.as_millis(),
        want.lost_is_final,
    ))?;
    let row = rows.next()?.ok_or_else(|| damaged("a ready task vanished within a transaction"))?;
    let history =
        History { counters: counters_of(row, 7)?, max_attempts: row.get(4)?, cancel_wished: row.get(5)? };
    let mut claim = Claim {
        seq: Seq(seq),
        id: TaskId::new(row.get_ref(0)?.as_str().map_err(damaged)?).map_err(damaged)?,
        task_type: tx.task_type_of(row.get(1)?)?,
        fence: Fence(row.get(2)?),
        worker: want.worker.clone(),
        priority: row.get(3)?,
        history,
        params: Stored::Inline(Payload::null()),
        metadata: None,
        inputs: Vec::new(),
        traceparent: None,
        checkpoint: None,
        created_at: Timestamp::from_millis(row.get(6)?),
        claimed_at: tx.wall,
    };
    // Only a statement that has run to its end has written everything.
    while rows.next()?.is_some() {}
    drop(rows);
    add_contents(tx, &mut claim, blobs)?;
    tx.moved(Some(Stage::Ready), Some(Stage::Claimed));
    Ok(claim)
}

fn add_contents(tx: &Tx<'_>, claim: &mut Claim, blobs: &BlobDir) -> Tried<()> {
    let mut find =
        tx.prepare("SELECT kind, body, size, metadata, inputs, traceparent FROM payload WHERE seq = ?1")?;
    let mut rows = find.query([claim.seq.0])?;
    let row = rows.next()?.ok_or_else(|| damaged(format_args!("task {} has no params", claim.id)))?;
    claim.params = Content::read(row, 0)?.stored(blobs);
    claim.metadata = row.get(3)?;
    let inputs = inputs_of(row.get::<_, Option<String>>(4)?.as_deref())?;
    claim.inputs = inputs.into_iter().map(|input| (input.clone(), blobs.path(&input.sha256))).collect();
    claim.traceparent = row.get(5)?;
    claim.checkpoint = tx
        .prepare("SELECT checkpoint FROM note WHERE seq = ?1")?
        .query_row([claim.seq.0], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(())
}
