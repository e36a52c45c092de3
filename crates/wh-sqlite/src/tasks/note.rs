//! Keeps progress and checkpoints of running attempts.

use crate::failure::Tried;
use crate::record;
use crate::tx::Tx;
use wh_ports::claims::Note;

/// Keeps one note, if its attempt still holds the task.
pub(crate) fn note(tx: &Tx<'_>, note: &Note) -> Tried<bool> {
    let held = tx
        .prepare("SELECT 1 FROM task WHERE seq = ?1 AND stage = 2 AND fence = ?2")?
        .exists((note.seq.0, note.fence.0))?;
    if held {
        let progress = note.progress.as_ref().map(record::write_progress).transpose()?;
        tx.prepare(
            "INSERT INTO note (seq, checkpoint, progress) VALUES (?1, ?2, ?3) ON CONFLICT (seq) DO UPDATE \
             SET checkpoint = coalesce(excluded.checkpoint, checkpoint), \
             progress = coalesce(excluded.progress, progress)",
        )?
        .execute((note.seq.0, note.checkpoint.as_deref(), progress))?;
    }
    Ok(held)
}
