//! `config`: what is configured, and whether it is right.

mod check;
mod problem;
mod schema;
mod show;

use crate::context::Context;
use crate::failure::Ended;
use clap::{Args, Subcommand};

/// Check the configuration, show what holds, or print its schema
#[derive(Debug, Args)]
#[command(after_help = "Example: workerhost config check")]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Check(check::Options),
    Show(show::Options),
    Schema(schema::Options),
}

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    match options.what {
        What::Check(options) => check::run(options, context),
        What::Show(options) => show::run(options, context),
        What::Schema(options) => schema::run(options, context),
    }
}
