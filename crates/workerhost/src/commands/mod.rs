//! The commands: each a file with its options and what it does.

mod cancel;
mod completions;
mod config;
mod db;
mod doctor;
mod enqueue;
mod exit_codes;
mod list;
mod logs;
mod man;
mod map;
mod retry;
mod run;
mod sheet;
mod show;
mod table;
mod verify;
mod wait;
mod workers;

use crate::context::Context;
use crate::failure::Ended;
use clap::Subcommand;

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Options),
    Enqueue(Box<enqueue::Options>),
    List(list::Options),
    Map(map::Options),
    Show(show::Options),
    Wait(wait::Options),
    Logs(logs::Options),
    Cancel(cancel::Options),
    Retry(retry::Options),
    Workers(workers::Options),
    Verify(verify::Options),
    Config(config::Options),
    Db(db::Options),
    Doctor(doctor::Options),
    Completions(completions::Options),
    Man(man::Options),
    ExitCodes(exit_codes::Options),
}

/// Does it.
pub(crate) fn dispatch(command: Command, context: &Context) -> Ended {
    match command {
        Command::Run(options) => run::run(options, context),
        Command::Enqueue(options) => enqueue::run(*options, context),
        Command::List(options) => list::run(options, context),
        Command::Map(options) => map::run(options, context),
        Command::Show(options) => show::run(options, context),
        Command::Wait(options) => wait::run(options, context),
        Command::Logs(options) => logs::run(options, context),
        Command::Cancel(options) => cancel::run(options, context),
        Command::Retry(options) => retry::run(options, context),
        Command::Workers(options) => workers::run(options, context),
        Command::Verify(options) => verify::run(options, context),
        Command::Config(options) => config::run(options, context),
        Command::Db(options) => db::run(options, context),
        Command::Doctor(options) => doctor::run(options, context),
        Command::Completions(options) => completions::run(options, context),
        Command::Man(options) => man::run(options, context),
        Command::ExitCodes(options) => exit_codes::run(options, context),
    }
}
