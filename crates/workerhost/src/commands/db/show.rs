//! `db show`: what the store is and holds.

use super::Subject;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Ended;
use crate::words::{bytes, some};
use clap::Args;
use serde::Serialize;
use wh_sqlite::Description;

/// Show what the store is and how much it holds
///
/// Works on a store of an older or newer version, too, and changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Example: workerhost db show --json")]
pub(crate) struct Options {}

#[derive(Serialize)]
struct Shown {
    schema: &'static str,
    store: String,
    data_dir: String,
    /// The version of the tables.
    version: u32,
    /// The newest that this program knows.
    newest_version: u32,
    pending: u64,
    claimed: u64,
    ended: u64,
    size: u64,
    contents: u64,
    contents_size: u64,
}

pub(crate) fn run(_options: Options, context: &Context) -> Ended {
    let subject = Subject::of(context)?;
    let Description { schema, newest, pending, claimed, ended, size, contents, contents_size } =
        wh_sqlite::describe(&subject.database)?;
    let shown = Shown {
        schema: "workerhost.db/v1",
        store: subject.name(),
        data_dir: subject.configuration.config.data_dir.display().to_string(),
        version: schema,
        newest_version: newest,
        pending,
        claimed,
        ended,
        size,
        contents,
        contents_size,
    };
    if context.terminal.json {
        context.terminal.object(&shown)?;
    } else {
        context.terminal.print(&words(&shown))?;
    }
    Ok(Exit::Ok)
}

fn words(shown: &Shown) -> String {
    let version = match shown.version.cmp(&shown.newest_version) {
        std::cmp::Ordering::Less => "older than this program: run `workerhost db migrate`",
        std::cmp::Ordering::Equal => "the newest this program knows",
        std::cmp::Ordering::Greater => "newer than this program: upgrade workerhost",
    };
    format!(
        "store     {}\ndata_dir  {}\nversion   {} ({version})\ntasks     {} pending, {} claimed, {} ended\n\
         size      {}, and {} in {}",
        shown.store,
        shown.data_dir,
        shown.version,
        shown.pending,
        shown.claimed,
        shown.ended,
        bytes(shown.size),
        bytes(shown.contents_size),
        some(shown.contents, "large content"),
    )
}
