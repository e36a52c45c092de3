//! `db gc`: what retention allows to go, goes now.

use super::Subject;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::opening::retention;
use crate::words::some;
use clap::Args;
use serde::Serialize;
use wh_ports::upkeep::{Retention, Upkeep};
use wh_sqlite::SqliteStore;
use wh_supervisor::sweep_workspaces;

/// Delete what the configured retention allows to go: ended tasks, large contents, workspaces
///
/// A running host does the same every few minutes. What has not ended is never deleted, and a task with an id of
/// its producer's stays for a day after its end, so that the producer can repeat itself.
#[derive(Debug, Args)]
#[command(after_help = "Example: workerhost db gc")]
pub(crate) struct Options {}

#[derive(Default, Serialize)]
struct Gone {
    schema: &'static str,
    tasks: u64,
    contents: u64,
    workspaces: u64,
}

pub(crate) fn run(_options: Options, context: &Context) -> Ended {
    let subject = Subject::of(context)?;
    let store = subject.open(context)?;
    let config = &subject.configuration.config;
    let retention = retention(config.retention);
    block_on(async {
        let mut gone = Gone { schema: "workerhost.db-gc/v1", ..Gone::default() };
        sweep(&store, retention, &mut gone).await?;
        loop {
            let (keep, most) = (retention.workspaces, retention.workspaces_size);
            match sweep_workspaces(config.data_dir.clone(), keep, most).await {
                0 => break,
                count => gone.workspaces += count,
            }
        }
        if context.terminal.json {
            context.terminal.object(&gone)?;
        } else {
            context.terminal.print(&words(&gone))?;
        }
        Ok(Exit::Ok)
    })
}

/// Round after round, each short enough that others can write in between.
async fn sweep(store: &SqliteStore, retention: Retention, gone: &mut Gone) -> Result<(), Failure> {
    loop {
        let swept = store.sweep(retention).await?;
        gone.tasks += swept.tasks;
        gone.contents += swept.blobs;
        if !swept.more {
            return Ok(());
        }
    }
}

fn words(gone: &Gone) -> String {
    format!(
        "Deleted {}, {} and {}.",
        some(gone.tasks, "ended task"),
        some(gone.contents, "large content"),
        some(gone.workspaces, "workspace")
    )
}
