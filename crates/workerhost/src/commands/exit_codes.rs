//! `exit-codes`: what the exit codes of this program say.

use super::table::Table;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Ended;
use clap::Args;
use serde::Serialize;

/// Show what the exit codes of every command say
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(crate) struct Options {}

/// A code as `--json` shows it.
#[derive(Serialize)]
struct ExitCode {
    schema: &'static str,
    code: u8,
    meaning: &'static str,
}

pub(crate) fn run(_options: Options, context: &Context) -> Ended {
    if context.terminal.json {
        for exit in Exit::ALL {
            let (code, meaning) = (exit.code(), exit.words());
            context.terminal.object(&ExitCode { schema: "workerhost.exit-code/v1", code, meaning })?;
        }
    } else {
        context.terminal.print(&table())?;
    }
    Ok(Exit::Ok)
}

fn table() -> String {
    let mut table = Table::new(&["CODE", "MEANING"]);
    for exit in Exit::ALL {
        table.row([exit.code().to_string(), exit.words().to_owned()]);
    }
    table.to_string()
}

fn after_help() -> String {
    format!("{}\n\nExample: workerhost exit-codes --json", table())
}
