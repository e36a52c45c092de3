//! The commands: each a file with its options and what it does.

mod enqueue;
mod list;
mod run;
mod sheet;
mod show;
mod table;
mod wait;

use crate::context::Context;
use crate::failure::Ended;
use clap::Subcommand;

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Options),
    Enqueue(Box<enqueue::Options>),
    List(list::Options),
    Show(show::Options),
    Wait(wait::Options),
}

/// Does it.
pub(crate) fn dispatch(command: Command, context: &Context) -> Ended {
    match command {
        Command::Run(options) => run::run(options, context),
        Command::Enqueue(options) => enqueue::run(*options, context),
        Command::List(options) => list::run(options, context),
        Command::Show(options) => show::run(options, context),
        Command::Wait(options) => wait::run(options, context),
    }
}
