//! The command line as it is parsed.

use crate::commands::Command;
use crate::context::Context;
use crate::globals::Globals;
use crate::hooks::Hooks;
use crate::terminal::Terminal;
use clap::{CommandFactory, Parser};

/// Runs any program as a durable worker: a task goes in as JSON on standard input, a result comes out as JSON on
/// standard output, the exit code says whether to try again.
#[derive(Debug, Parser)]
#[command(name = "workerhost", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  workerhost run                                    carry tasks until it is stopped
  workerhost run --enqueue tasks.jsonl --drain      add tasks, carry all, leave
  workerhost enqueue shop.invoice --params '{\"order\": 4711}' --wait
  ls *.log | workerhost map -- sh -c 'read -r f; gzip \"$f\"'    one durable task for each line

Exit codes: `workerhost exit-codes`. Manual pages: `workerhost man DIR`.";

impl Cli {
    /// Takes it apart into what is to be done and what every command is given.
    pub(crate) fn split(self, hooks: Hooks) -> (Command, Context) {
        let terminal = Terminal::new(&self.globals);
        (self.command, Context { globals: self.globals, terminal, hooks, grammar: Self::command })
    }
}
