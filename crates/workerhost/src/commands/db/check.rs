//! `db check`: whether the store is sound.

use super::Subject;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::opening;
use crate::words::some;
use clap::Args;
use serde::Serialize;
use wh_ports::upkeep::Upkeep;
use wh_sqlite::Mode;

/// Look for damage: in the database, between tasks and what belongs to them, and for missing contents
///
/// Hosts may go on meanwhile. The exit code is 0 when nothing was found, 7 otherwise.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Also read every large content and hold it against its digest
    #[arg(long)]
    contents: bool,
}

const EXAMPLES: &str = "\
Examples:
  workerhost db check
  workerhost db check --contents --json";

#[derive(Serialize)]
struct Checked {
    schema: &'static str,
    store: String,
    /// Each a sentence; none is good.
    findings: Vec<String>,
}

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let subject = Subject::of(context)?;
    let store = subject.open(context)?;
    block_on(async {
        let mut findings = store.check().await?;
        if options.contents {
            let damaged =
                wh_sqlite::damaged_contents(&opening::options(&subject.configuration.config, Mode::AsIs))?;
            let tell = |sha256| format!("the blob {sha256} is missing or damaged");
            findings.extend(damaged.into_iter().map(tell));
        }
        tell(Checked { schema: "workerhost.db-check/v1", store: subject.name(), findings }, context)
    })
}

fn tell(checked: Checked, context: &Context) -> Ended {
    if context.terminal.json {
        context.terminal.object(&checked)?;
    } else if checked.findings.is_empty() {
        context.terminal.print(&format!("{} is sound.", checked.store))?;
    } else {
        checked.findings.iter().try_for_each(|finding| context.terminal.print(finding))?;
    }
    match checked.findings.len() {
        0 => Ok(Exit::Ok),
        count => {
            let words = format!("{} has {}", checked.store, some(count as u64, "finding"));
            Err(Failure::new(Exit::Store, words)
                .help("stop its hosts and run `workerhost db restore` from a backup"))
        }
    }
}
