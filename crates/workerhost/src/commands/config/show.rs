//! `config show`: what holds, key by key.

use crate::configuration::Need;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Ended;
use clap::Args;
use serde::Serialize;

/// Show the configuration that holds: the file, what variables change in it, and every default
///
/// The output is a configuration itself, but for secrets and values that came out of a variable: they are hidden.
#[derive(Debug, Args)]
#[command(after_help = "Example: workerhost config show --origin")]
pub(crate) struct Options {
    /// Say where each value comes from: a line of the file, a variable, or the default
    #[arg(long)]
    origin: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    config: &'a serde_json::Value,
}

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let configuration = context.configuration(Need::Nothing)?;
    let config = &configuration.config;
    if context.terminal.json {
        let file = configuration.file.as_ref().map(|file| file.display().to_string());
        let config = &wh_config::show_json(config, options.origin);
        context.terminal.object(&Shown { schema: "workerhost.config/v1", file, config })?;
    } else {
        context.terminal.raw(wh_config::show(config, options.origin).as_bytes())?;
    }
    Ok(Exit::Ok)
}
