//! From a configuration to an open store.

use crate::exit::Exit;
use crate::failure::Failure;
use rustix::fs::Access;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use wh_config::{Config, StoreUrl};
use wh_ports::upkeep::Retention;
use wh_sqlite::{Mode, OnStep, Options, SqliteStore, Writing};

/// How the store of a configuration is opened.
pub(crate) fn options(config: &Config, mode: Mode) -> Options {
    let StoreUrl::Sqlite(database) = &config.store;
    Options {
        database: database.clone(),
        max_pending: config.queue.max_size,
        ageing: config.queue.ageing,
        lease: config.lease,
        mode,
        state_home: config.data_home().map(Path::to_owned),
        ..Options::new(&config.data_dir)
    }
}

/// Opens the store of a configuration.
pub(crate) fn open(
    config: &Config,
    (mode, writing): (Mode, Writing),
    on_step: Option<OnStep>,
) -> Result<Arc<SqliteStore>, Failure> {
    let opened = SqliteStore::open(Options { on_step, writing, ..options(config, mode) });
    opened.map_err(|error| forbidden(&config.data_dir).unwrap_or_else(|| error.into()))
}

/// The plain reason why a store cannot be opened by this user, where it is that one. Looking needs as much as writing:
/// readers and writers of one database take turns by files beside it.
fn forbidden(data_dir: &Path) -> Option<Failure> {
    let error = rustix::fs::access(data_dir, Access::WRITE_OK | Access::EXEC_OK).err()?;
    let owner = std::fs::metadata(data_dir).ok()?.uid();
    let own = rustix::process::geteuid().as_raw();
    let whose = if owner == own { String::new() } else { format!(", it belongs to another user ({owner})") };
    let words = format!("you may not write in {}{whose}: {error}", data_dir.display());
    Some(Failure::new(Exit::Store, words).help("run the command as the user of the host"))
}

/// How long a configuration keeps what has ended.
pub(crate) fn retention(configured: wh_config::Retention) -> Retention {
    let wh_config::Retention {
        completed,
        poisoned,
        cancelled,
        finished,
        store_size,
        workspaces,
        workspaces_size,
    } = configured;
    Retention { completed, poisoned, cancelled, finished, store_size, workspaces, workspaces_size }
}
