//! Cancels a pending task, or leaves the wish with a claimed one.

use crate::failure::Tried;
use crate::stage::Stage;
use crate::tx::Tx;
use rusqlite::OptionalExtension;
use wh_domain::id::{Seq, TaskId};
use wh_domain::lifecycle::{OnCancel, on_cancel};
use wh_ports::wishes::Cancelled;

/// Cancels one task.
pub(crate) fn cancel(tx: &mut Tx<'_>, id: &TaskId) -> Tried<Cancelled> {
    let found: Option<(i64, i64)> = tx
        .prepare("SELECT seq, stage FROM task WHERE id = ?1")?
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((seq, stage)) = found else { return Ok(Cancelled::Unknown) };
    let seq = Seq(seq);
    let stage = Stage::of(stage)?;
    match on_cancel(stage.state()) {
        OnCancel::Ends => {
            tx.prepare(
                "UPDATE task SET stage = 5, changed_at = ?2, waiting_for = NULL WHERE seq = ?1 AND stage <= 1",
            )?
            .execute((seq.0, tx.wall.as_millis()))?;
            tx.moved(Some(stage), Some(Stage::Cancelled));
            tx.wished(seq, Stage::Cancelled)?;
            Ok(Cancelled::Done)
        }
        OnCancel::Asks => {
            let new = tx
                .prepare(
                    "UPDATE task SET cancel_wished = 1 WHERE seq = ?1 AND stage = 2 AND cancel_wished = 0",
                )?
                .execute([seq.0])?;
            if new == 1 {
                tx.wished(seq, Stage::Claimed)?;
            }
            Ok(Cancelled::Wished)
        }
        OnCancel::Nothing => Ok(Cancelled::Ended(stage.state())),
    }
}
