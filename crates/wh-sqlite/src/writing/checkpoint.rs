//! Copies the log into the database, so that it stays small: after the answers have been given. Who writes in place gets
//! its own only then, each time that so much has come together.

use crate::connection::pages as in_pages;
use crate::failure::classify;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use wh_ports::store::StoreError;

/// From so many bytes on, what nobody reads any more is copied, so that the log can be written over from its beginning.
/// Until then it grows, and a commit that lets a file grow takes half as long again as one that writes over what is there.
const COPY_AT: i64 = 4 << 20;
/// While readers hold the log back it is tried again after so many bytes, not at every commit.
const COPY_AGAIN_AFTER: i64 = 4 << 20;
/// From so many bytes on, readers are waited for, so that the log can begin anew.
const BEGIN_ANEW_AT: i64 = 64 << 20;
/// With fewer bytes the log is left to whoever opens the store next, who reads through it.
const LEAVE_UP_TO: i64 = 1 << 20;
/// So long. A reader that is slower than that is interrupted at its own limit; the next commit tries again.
const WAIT_FOR_READERS: Duration = Duration::from_millis(200);
/// How long a program that does not take `writer.lock` may keep the database locked.
const BUSY: Duration = Duration::from_secs(5);

/// Knows how large the log is.
#[derive(Debug)]
pub(super) struct Log {
    pages: Arc<AtomicI32>,
    /// The size at which copying is next worth its while.
    copy_next_at: i32,
    /// The bounds, in pages.
    copy_at: i32,
    copy_again_after: i32,
    begin_anew_at: i32,
    leave_up_to: i32,
}

impl Log {
    /// Begins to watch.
    pub(super) fn watch(connection: &mut Connection) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut Wal, now: i32| {
            seen.store(now, Ordering::Relaxed);
            Ok(())
        }))?;
        let copy_at = in_pages(connection, COPY_AT)?;
        Ok(Self {
            pages,
            copy_next_at: copy_at,
            copy_at,
            copy_again_after: in_pages(connection, COPY_AGAIN_AFTER)?,
            begin_anew_at: in_pages(connection, BEGIN_ANEW_AT)?,
            leave_up_to: in_pages(connection, LEAVE_UP_TO)?,
        })
    }

    /// Says whether the last one to close the database is to copy all of a log and delete it. It pays for that, so a
    /// producer that adds one task and goes leaves a small log as it is.
    pub(super) fn prepare_to_close(&self, connection: &Connection) {
        if self.pages.load(Ordering::Relaxed) > self.leave_up_to {
            // If it cannot be said, the log stays: nothing is lost by that.
            drop(connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false));
        }
    }

    /// Copies if it is time to. Most failures cost nothing but room, and the next commit tries again. One that the disk
    /// did not confirm says that something in the log may be gone, also of commits that waited for no disk and that
    /// later ones are read through: then nothing may be acknowledged any more.
    pub(super) fn copy_if_large(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.copy_at {
            self.copy_next_at = self.copy_at;
        }
        if pages < self.copy_next_at {
            return Ok(());
        }
        self.copy_next_at = pages.saturating_add(self.copy_again_after);
        let mode = if pages < self.begin_anew_at { "PASSIVE" } else { "TRUNCATE" };
        let copy = || {
            connection.busy_timeout(WAIT_FOR_READERS)?;
            connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |_| Ok(()))
        };
        let copied = copy();
        drop(connection.busy_timeout(BUSY));
        copied.map_err(|error| classify(&error))
    }
}
