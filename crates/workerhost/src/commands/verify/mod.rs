//! `verify`: whether a worker keeps to the protocol.

mod examine;
mod formats;
mod outside;
mod page;
mod raw;
mod report;
mod subject;
mod verdict;

use crate::context::{Context, block_on_wait};
use crate::exit::Exit;
use crate::failure::Ended;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use examine::Examiner;
use report::Report;
use std::time::Duration;
use subject::Subject;
use wh_domain::worker::Protocol;
use wh_protocol::verify::CASES;

/// Check that a worker keeps to the protocol, and say how to mend what it does wrong
///
/// Runs a worker of the configuration, or any command, through the cases of docs/protocol.md: each with a fresh
/// process, a workspace and the environment of a real attempt, but without any store. The exit code is 0 when every
/// required case passed, 10 otherwise; recommended cases make tasks fail less often and easier to understand.
/// Give a task that the worker can do with --type and --params. What is written outside the workspace is seen below
/// the directory that the worker starts in, and not elsewhere.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = "workerhost verify [OPTIONS] [NAME | -- COMMAND...]")]
pub(crate) struct Options {
    /// A worker of the configuration [default: each of them]
    #[arg(value_name = "NAME", conflicts_with = "command")]
    name: Option<String>,
    /// A program with its arguments, started in this directory
    #[arg(value_name = "COMMAND", last = true)]
    command: Vec<String>,
    /// The type of the sample task [default: one that the worker takes]
    #[arg(long = "type", value_name = "TYPE")]
    task_type: Option<String>,
    /// The params of the sample task: JSON, or @FILE to read it from a file (@- for standard input) [default: {}]
    #[arg(long, value_name = "JSON|@FILE")]
    params: Option<String>,
    /// What the worker speaks [default: what the configuration says, or json]
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    protocol: Option<Spoken>,
    /// Only this case; may be given more than once
    #[arg(long = "case", value_name = "CASE", value_parser = PossibleValuesParser::new(CASES.map(|case| case.id)))]
    cases: Vec<String>,
    /// How long the worker may take for one case [default: 30s, or the worker's own timeout if that is shorter]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = super::wait::duration)]
    timeout: Option<Duration>,
    /// How to print what was found; --json is an object for each case
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT", conflicts_with = "json")]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  workerhost verify invoice --params '{\"order\": 4711}'
  workerhost verify --type example.words --params '{\"text\": \"to be\"}' -- python3 worker.py
  workerhost verify --case sigterm --case leak -- ./worker.sh
  workerhost verify invoice --format junit > verify.xml";

/// What a worker speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Spoken {
    /// A task object in, a result object out; stray text goes to the log
    Json,
    /// The same, but stray text is a fault
    Strict,
    /// Bytes in, bytes out
    Raw,
}

impl Spoken {
    const fn protocol(self) -> Protocol {
        match self {
            Self::Json => Protocol::Json,
            Self::Strict => Protocol::Strict,
            Self::Raw => Protocol::Raw,
        }
    }
}

/// How to print what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, and what to mend
    Human,
    /// An object for each case
    Json,
    /// Test Anything Protocol, version 14
    Tap,
    /// JUnit's XML
    Junit,
}

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let format = if context.terminal.json { Format::Json } else { options.format };
    let subjects = subject::of(&options, context)?;
    // A signal must not leave behind what the trials have in a directory for temporary files.
    block_on_wait(all(subjects, &options, format, context))
}

async fn all(subjects: Vec<Subject>, options: &Options, format: Format, context: &Context) -> Ended {
    let mut report = Report::new(format, context);
    let mut exit = Exit::Ok;
    for subject in subjects {
        let examiner = Examiner::new(subject, &options.cases, options.timeout)?;
        exit = exit.worse(examiner.examine(&mut report).await?);
    }
    let has_failed_valid = report.finish()?;
    if has_failed_valid && options.params.is_none() {
        context.terminal.say(
            "It was given {} as params, because there was no --params. If that is no task for it, give one that it can \
             do: --params JSON, and --type TYPE where it takes several.",
        );
    }
    Ok(exit)
}
