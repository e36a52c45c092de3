//! Copies the whole database to a file in small steps, with other writes in between.

use super::batch::Bench;
use super::request::{Message, Reply};
use crate::connection::pages;
use crate::failure::{classify, unavailable};
use crate::place::{private_file, sync_dir};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use wh_ports::store::StoreError;

/// One step copies so many bytes.
const STEP: i64 = 2 << 20;
/// Writes of this process go into the copy as well; those of another make it begin again, but only so often.
const RESTARTS: u32 = 5;
/// How long to wait when another program holds the database.
const PAUSE: Duration = Duration::from_millis(5);

/// Copies the database to `to`, which must not be there yet. Durable when it returns.
pub(super) fn write(bench: &Bench, queue: &mut mpsc::Receiver<Message>, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::Unavailable(format!("{} is there already; name another file", to.display())));
    }
    let unfinished = unfinished(to);
    let written = copy(bench, queue, &unfinished).and_then(|()| {
        let failed = |error| unavailable(&format!("write the backup {}", to.display()), &error);
        private_file(&unfinished).and_then(|file| file.sync_all()).map_err(failed)?;
        fs::rename(&unfinished, to).map_err(failed)?;
        let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty());
        sync_dir(dir.unwrap_or(Path::new("."))).map_err(failed)
    });
    if written.is_err() {
        // It may not even have been made; the error that is on its way matters more.
        drop(fs::remove_file(&unfinished));
    }
    written
}

fn unfinished(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

fn copy(bench: &Bench, queue: &mut mpsc::Receiver<Message>, to: &Path) -> Result<(), StoreError> {
    let sql = |error: rusqlite::Error| classify(&error);
    drop(private_file(to).map_err(|error| unavailable(&format!("make {}", to.display()), &error))?);
    let step = pages(&bench.connection, STEP).map_err(sql)?;
    let mut target = Connection::open(to).map_err(sql)?;
    let backup = Backup::new(&bench.connection, &mut target).map_err(sql)?;
    let (mut remaining, mut restarts) = (i32::MAX, 0);
    loop {
        let turn = (restarts > RESTARTS).then(|| bench.lock.wait()).transpose();
        let turn = turn.map_err(|error| unavailable("wait for the turn to write", &error))?;
        match backup.step(if turn.is_some() { -1 } else { step }).map_err(sql)? {
            StepResult::Done => break,
            StepResult::Busy | StepResult::Locked => std::thread::sleep(PAUSE),
            _ => {}
        }
        drop(turn);
        restarts += u32::from(backup.progress().remaining > remaining);
        remaining = backup.progress().remaining;
        serve_waiting(bench, queue);
    }
    drop(backup);
    // One file without a log, which can be read even where nothing may be written.
    target.pragma_update(None, "journal_mode", "DELETE").map_err(sql)
}

fn serve_waiting(bench: &Bench, queue: &mut mpsc::Receiver<Message>) {
    let mut next = queue.try_recv().ok();
    while let Some(message) = next.take() {
        match message {
            Message::Write(request) => next = bench.serve(request, queue),
            Message::Version(reply) => refuse(reply),
            Message::Backup(_, reply) => refuse(reply),
        }
    }
}

fn refuse<T>(reply: Reply<T>) {
    let busy = StoreError::Unavailable("a backup is being written; ask again when it is done".to_owned());
    drop(reply.send(Err(busy)));
}
