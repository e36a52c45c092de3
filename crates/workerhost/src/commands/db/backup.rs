//! `db backup`: a copy of everything that a store needs to come back.

use super::Subject;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::words::{bytes, some};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use wh_ports::upkeep::Upkeep;
use wh_sqlite::Description;

/// Write a backup of all tasks, with their params, results and input files, while hosts go on
///
/// The backup is a directory of one moment: tasks.db, and blobs/ with every large content that its tasks need.
/// On the same file system large contents are second names of the store's files and take no room; copy the
/// directory to another disk to be safe from the loss of this one. Workspaces, logs and the configuration are not
/// part of it. Contents are not read for this; `db check --contents` holds each against its digest.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Where to write it; must not be there yet
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  workerhost db backup /var/backups/workerhost-$(date +%F)
  workerhost db restore /var/backups/workerhost-2027-01-31      takes it back";

#[derive(Serialize)]
struct Written {
    schema: &'static str,
    store: String,
    backup: String,
    pending: u64,
    claimed: u64,
    ended: u64,
    size: u64,
    contents: u64,
    contents_size: u64,
}

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let subject = Subject::of(context)?;
    if options.to.symlink_metadata().is_ok() {
        let what = format!("{} is there already; name another directory", options.to.display());
        return Err(Failure::usage(what).help("a backup is never written over another one"));
    }
    let store = subject.open(context)?;
    block_on(async {
        store.backup(options.to.clone()).await?;
        let Description { pending, claimed, ended, size, contents, contents_size, .. } =
            wh_sqlite::describe(&options.to.join("tasks.db"))?;
        let written = Written {
            schema: "workerhost.db-backup/v1",
            store: subject.name(),
            backup: options.to.display().to_string(),
            pending,
            claimed,
            ended,
            size,
            contents,
            contents_size,
        };
        if context.terminal.json {
            context.terminal.object(&written)?;
        } else {
            context.terminal.print(&words(&written))?;
        }
        Ok(Exit::Ok)
    })
}

fn words(written: &Written) -> String {
    let tasks = written.pending + written.claimed + written.ended;
    format!(
        "{} holds {} ({}) and {} ({}).",
        written.backup,
        some(tasks, "task"),
        bytes(written.size),
        some(written.contents, "large content"),
        bytes(written.contents_size),
    )
}
