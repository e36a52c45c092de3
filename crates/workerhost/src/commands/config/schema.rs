//! `config schema`: the JSON Schema of the configuration, for editors.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Ended;
use clap::Args;

/// Print the JSON Schema of the configuration, with which editors complete and check it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {}

const EXAMPLES: &str = "\
Example: workerhost config schema > workerhost.schema.json

Then let the first line of workerhost.yaml be:
  # yaml-language-server: $schema=workerhost.schema.json";

pub(crate) fn run(_options: Options, context: &Context) -> Ended {
    context.terminal.raw(wh_config::json_schema().as_bytes())?;
    Ok(Exit::Ok)
}
