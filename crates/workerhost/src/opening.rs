//! From a configuration to an open store.

use crate::failure::Failure;
use std::sync::Arc;
use wh_config::{Config, StoreUrl};
use wh_ports::upkeep::Retention;
use wh_sqlite::{Mode, OnStep, Options, SqliteStore};

/// How the store of a configuration is opened.
pub(crate) fn options(config: &Config, mode: Mode) -> Options {
    let StoreUrl::Sqlite(database) = &config.store;
    Options {
        database: database.clone(),
        max_pending: config.queue.max_size,
        ageing: config.queue.ageing,
        lease: config.lease,
        mode,
        ..Options::new(&config.data_dir)
    }
}

/// Opens the store of a configuration.
pub(crate) fn open(
    config: &Config,
    mode: Mode,
    on_step: Option<OnStep>,
) -> Result<Arc<SqliteStore>, Failure> {
    Ok(SqliteStore::open(Options { on_step, ..options(config, mode) })?)
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
