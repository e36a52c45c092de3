//! The roof: the command line, where traits meet their adapters.
//!
//! A library only so that tests can start the very same program with a hook at each of its crash points; its one
//! user in earnest is `main.rs`.

mod chance;
mod cli;
mod columns;
mod commands;
mod configuration;
mod context;
mod exit;
mod failure;
mod globals;
mod hooks;
mod hosting;
mod ids;
mod json;
mod machine;
mod malformed;
mod moment;
mod numbers;
mod opened;
mod opening;
mod outlook;
#[cfg(test)]
mod reference;
mod standing;
mod terminal;
mod words;

pub use hooks::Hooks;

use clap::Parser;
use std::process::ExitCode;
use wh_supervisor::{REVIEWER_ARGUMENT, SPAWNER_ARGUMENT, reviewer_main, spawner_main};

/// The whole program: reads the arguments, does what they say, answers with the exit code.
pub fn start(hooks: Hooks) -> ExitCode {
    let argument = std::env::args_os().nth(1);
    let own = match argument.as_deref().and_then(std::ffi::OsStr::to_str) {
        Some(SPAWNER_ARGUMENT) => Some(spawner_main()),
        Some(REVIEWER_ARGUMENT) => Some(reviewer_main()),
        _ => None,
    };
    if let Some(code) = own {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help for standard output, errors for standard error; nobody is left to tell if that is closed.
            error.print().ok();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
        }
    };
    let (command, context) = cli.split(hooks);
    let exit = commands::dispatch(command, &context).unwrap_or_else(|failure| {
        context.terminal.fail(&failure);
        failure.exit
    });
    exit.into()
}
