//! `db migrate`: brings the store up to date.

use super::{database, name};
use crate::configuration::Need;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Ended;
use crate::opening;
use clap::Args;
use serde::Serialize;
use wh_sqlite::Mode;

/// Bring the store up to date with this program, after keeping a copy of the database
///
/// `run` does the same when it starts; every other command refuses an older store. A store that is not there yet is
/// made.
#[derive(Debug, Args)]
#[command(after_help = "Example: workerhost db migrate")]
pub(crate) struct Options {}

#[derive(Serialize)]
struct Migrated {
    schema: &'static str,
    store: String,
    /// The steps that were taken; none when it was up to date.
    steps: Vec<&'static str>,
}

pub(crate) fn run(_options: Options, context: &Context) -> Ended {
    let configuration = context.configuration(Need::Store)?;
    let steps = wh_sqlite::migrate(&opening::options(&configuration.config, Mode::Migrate))?;
    let store = name(&database(&configuration));
    let migrated = Migrated { schema: "workerhost.db-migrate/v1", store, steps };
    if context.terminal.json {
        context.terminal.object(&migrated)?;
    } else if migrated.steps.is_empty() {
        context.terminal.print(&format!("{} is up to date.", migrated.store))?;
    } else {
        context.terminal.print(&format!("{}: {}", migrated.store, migrated.steps.join(", ")))?;
    }
    Ok(Exit::Ok)
}
