//! A store that is looked at, with the configuration that named it.

use crate::configuration::{self, Configuration};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wh_config::StoreUrl;
use wh_sqlite::{Mode, SqliteStore, Writing};

/// A store with the configuration that named it.
pub(crate) struct Opened {
    pub(crate) configuration: Configuration,
    pub(crate) store: Arc<SqliteStore>,
}

impl Opened {
    /// For those who look at tasks, or change those there are. A store that is not there is not made: it would be
    /// empty, most likely in the wrong place, and tell that all is well.
    pub(crate) fn to_look(context: &Context) -> Result<Self, Failure> {
        let configuration = configuration::to_look(&context.globals, &context.terminal)?;
        context.tell_warnings(&configuration);
        there(&database(&configuration))?;
        let store = context.store_of(&configuration, Mode::AsIs, Writing::Apart)?;
        Ok(Self { configuration, store })
    }
}

/// Where the database of a configuration is, or is to be.
pub(crate) fn database(configuration: &Configuration) -> PathBuf {
    let StoreUrl::Sqlite(database) = &configuration.config.store;
    database.clone()
}

/// Refuses a store that is not there.
pub(crate) fn there(database: &Path) -> Result<(), Failure> {
    // What may not be looked at is there; opening it says why it cannot be used. So is what lies behind a link that leads
    // nowhere: it is lost, and was no store that is yet to be made.
    let is_lost = database.parent().is_some_and(|parent| parent.is_symlink() && !parent.exists());
    if is_lost || database.try_exists().unwrap_or(true) {
        return Ok(());
    }
    let words = format!("there is no store yet at {}", database.display());
    Err(Failure::new(Exit::NotFound, words).help("the first `enqueue` or `run` makes it"))
}
