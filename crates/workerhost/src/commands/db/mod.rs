//! `db`: the store as a thing to look after.

mod backup;
mod check;
mod gc;
mod migrate;
mod restore;
mod show;

use crate::configuration::{Configuration, Need};
use crate::context::Context;
use crate::failure::{Ended, Failure};
use crate::opened::{database, there};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wh_sqlite::{Mode, SqliteStore, Writing};

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
        there(&database)?;
        Ok(Self { configuration, database })
    }

    fn open(&self, context: &Context) -> Result<Arc<SqliteStore>, Failure> {
        context.store_of(&self.configuration, Mode::AsIs, Writing::Apart)
    }

    /// How the store is called.
    fn name(&self) -> String {
        name(&self.database)
    }
}

fn name(database: &Path) -> String {
    format!("sqlite:{}", database.display())
}
