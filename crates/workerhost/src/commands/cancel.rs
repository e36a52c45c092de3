//! `cancel`: tasks that are not to be done any more.

use super::wait;
use crate::context::{Context, block_on, block_on_wait};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::ids::{Ids, answered, known};
use crate::json::Heard;
use crate::opened::Opened;
use clap::Args;
use wh_domain::task::StateName;
use wh_ports::wishes::{Cancelled, Wishes};

/// Cancel tasks
///
/// A task that waits is cancelled at once. For one that is being carried its worker is asked to stop, then made to
/// (`grace`); the task is cancelled when all its processes are gone.
///
/// The exit code is 3 when there is no such task, 4 when one had completed or was given up before.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The tasks; - reads them from standard input, one a line
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Wait until no process of them is left, and say how they ended
    #[arg(long)]
    wait: bool,
}

const EXAMPLES: &str = "\
Examples:
  workerhost cancel order-4711 --wait
  workerhost list --type shop.invoice --state pending --json | jq -r .id | workerhost cancel -";

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let mut ids = Ids::of(&options.ids)?;
    let opened = Opened::to_look(context)?;
    let mut running = Vec::new();
    let exit = block_on(async {
        let mut exit = Exit::Ok;
        loop {
            let batch = ids.next_batch().map_err(|error| Failure::of_io("read the ids", &error))?;
            if batch.is_empty() {
                return Ok(exit);
            }
            let answers = opened.store.cancel(known(&batch)).await?;
            for (asked, answer) in answered(batch, answers, Cancelled::Unknown) {
                exit = exit.worse(tell(&asked.text, answer, context)?);
                running.extend(asked.id.filter(|_| answer == Cancelled::Wished));
            }
        }
    })?;
    if !options.wait || running.is_empty() {
        return Ok(exit);
    }
    Ok(match block_on_wait(wait::until_ended(&opened, running, None, context))? {
        // That is what was asked for.
        Exit::Cancelled => exit,
        other => exit.worse(other),
    })
}

fn tell(id: &str, answer: Cancelled, context: &Context) -> Ended {
    let (status, words, exit) = match answer {
        Cancelled::Done => ("cancelled", String::new(), Exit::Ok),
        Cancelled::Wished => ("asked", ": its worker is asked to stop".to_owned(), Exit::Ok),
        Cancelled::Ended(StateName::Cancelled) => {
            ("unchanged", ": it was cancelled before".to_owned(), Exit::Ok)
        }
        Cancelled::Ended(state) => ("unchanged", format!(": it is {}", state.as_str()), Exit::Nothing),
        Cancelled::Unknown => ("unknown", ": there is no such task".to_owned(), Exit::NotFound),
    };
    if context.terminal.json {
        let state = if let Cancelled::Ended(state) = answer { Some(state.as_str()) } else { None };
        context.terminal.object(&Heard { state, ..Heard::new("workerhost.cancel/v1", id, status) })?;
    } else {
        context.terminal.print(&format!("{status} {}{words}", wh_telemetry::plain::plain(id)))?;
    }
    Ok(exit)
}
