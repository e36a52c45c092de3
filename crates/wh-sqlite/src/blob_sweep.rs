//! Deletes blobs that no task refers to, shelf by shelf, while nobody else can write. A file that is deleted stays so
//! whatever becomes of the transaction, so what counts is which tasks are gone for good, not which are just going.

use crate::blob_dir::{BlobDir, old_on};
use crate::failure::{Tried, unavailable};
use crate::tx::Tx;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One round looks at no further shelf after so many blobs.
const LOOKED_AT: usize = 1_000;

/// Goes on from the shelf that the last round ended at, with a calendar that is `ahead` of what is believed. Answers
/// how many went, and whether there are more shelves.
pub(crate) fn sweep_blobs(
    tx: &Tx<'_>,
    blobs: &BlobDir,
    next_shelf: &Mutex<usize>,
    ahead: Duration,
) -> Tried<(u64, bool)> {
    if tx.has_forgotten() {
        return Ok((0, true));
    }
    let failed = |error: std::io::Error| unavailable("delete blobs that nobody needs", &error);
    let mut at = next_shelf.lock().unwrap_or_else(PoisonError::into_inner);
    let shelves = blobs.shelves().map_err(failed)?;
    if *at == 0 {
        blobs.drop_unfinished(ahead).map_err(failed)?;
    }
    let mut find = tx.prepare("SELECT 1 FROM blob_ref WHERE sha256 = ?1")?;
    let (mut gone, mut looked_at) = (0, 0);
    while let Some(shelf) = shelves.get(*at) {
        if looked_at >= LOOKED_AT {
            return Ok((gone, true));
        }
        for (sha256, path) in old_on(shelf, ahead).map_err(failed)? {
            looked_at += 1;
            if !find.exists([&sha256])? {
                std::fs::remove_file(path).map_err(failed)?;
                gone += 1;
            }
        }
        *at += 1;
    }
    *at = 0;
    Ok((gone, false))
}
