//! `db`: the store as a thing to look after.

mod backup;
mod check;
mod gc;
mod migrate;
mod restore;
mod show;

use crate::configuration::{Configuration, Need};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wh_config::StoreUrl;
use wh_sqlite::{Mode, SqliteStore};

/// Look after the store: what it holds, whether it is sound, backups, and what may go
#[derive(Debug, Args)]
#[command(after_help = "Example: workerhost db backup /var/backups/workerhost-$(date +%F)")]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Show(show::Options),
    Check(check::Options),
    Backup(backup::Options),
    Restore(restore::Options),
    Gc(gc::Options),
    Migrate(migrate::Options),
}

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    match options.what {
        What::Show(options) => show::run(options, context),
        What::Check(options) => check::run(options, context),
        What::Backup(options) => backup::run(options, context),
        What::Restore(options) => restore::run(options, context),
        What::Gc(options) => gc::run(options, context),
        What::Migrate(options) => migrate::run(options, context),
    }
}

/// A store that is there. Looking after one that is not would make it, empty, and tell that all is well.
struct Subject {
    configuration: Configuration,
    database: PathBuf,
}

impl Subject {
    fn of(context: &Context) -> Result<Self, Failure> {
        let configuration = context.configuration(Need::Store)?;
        let database = database(&configuration);
        if !database.exists() {
            let words = format!("there is no store yet at {}", database.display());
            return Err(Failure::new(Exit::NotFound, words).help("the first `enqueue` or `run` makes it"));
        }
        Ok(Self { configuration, database })
    }

    fn open(&self, context: &Context) -> Result<Arc<SqliteStore>, Failure> {
        context.store_of(&self.configuration, Mode::AsIs)
    }

    /// How the store is called.
    fn name(&self) -> String {
        name(&self.database)
    }
}

/// Where the database of a configuration is, or is to be.
fn database(configuration: &Configuration) -> PathBuf {
    let StoreUrl::Sqlite(database) = &configuration.config.store;
    database.clone()
}

fn name(database: &Path) -> String {
    format!("sqlite:{}", database.display())
}
