//! `db restore`: a backup takes the place of the store.

use super::{database, name};
use crate::configuration::Need;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::opening;
use crate::words::some;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use wh_sqlite::{Description, Mode};

/// Put a backup in the place of the store
///
/// Refused while a host runs on the store, and when the backup is damaged or lacks a large content: then all stays
/// as it was. What came in after the backup is gone from then on. Tasks that were claimed at the time of the backup
/// are tried again; hosts and workers from before are not believed any more.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// A directory that `db backup` made, or the file of a database whose large contents are still in place
    #[arg(value_name = "DIR|FILE")]
    from: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  workerhost db restore /var/backups/workerhost-2027-01-31
  workerhost db restore .workerhost/tasks.db.schema-1-1798761600000.backup   a migration kept it";

#[derive(Serialize)]
struct Restored {
    schema: &'static str,
    store: String,
    backup: String,
    pending: u64,
    claimed: u64,
    ended: u64,
}

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let configuration = context.configuration(Need::Store)?;
    let backup = options.from.display().to_string();
    if !options.from.exists() {
        return Err(Failure::new(Exit::NotFound, format!("there is no backup {backup}")));
    }
    wh_sqlite::restore(&options.from, &opening::options(&configuration.config, Mode::AsIs))?;
    let database = database(&configuration);
    let Description { schema, newest, pending, claimed, ended, .. } = wh_sqlite::describe(&database)?;
    let restored = Restored {
        schema: "workerhost.db-restore/v1",
        store: name(&database),
        backup,
        pending,
        claimed,
        ended,
    };
    if context.terminal.json {
        context.terminal.object(&restored)?;
    } else {
        let tasks = some(pending + claimed + ended, "task");
        context.terminal.print(&format!("{} holds {tasks} again.", restored.store))?;
    }
    if schema < newest {
        context
            .terminal
            .say("It is of an older version: `run` or `workerhost db migrate` brings it up to date.");
    }
    Ok(Exit::Ok)
}
