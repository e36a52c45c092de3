//! Options that every command has.

use clap::{ArgAction, Args, ValueEnum};
use std::path::PathBuf;

/// Options that every command has.
#[derive(Debug, Clone, Args)]
pub(crate) struct Globals {
    /// The configuration [default: the first there is of ./workerhost.yaml, ./workerhost.yml, ./workerhost.json,
    /// ./workerhost_config.yaml, $XDG_CONFIG_HOME/workerhost/config.yaml, /etc/workerhost/config.yaml]
    #[arg(
        short,
        long,
        global = true,
        env = "WORKERHOST_CONFIG",
        hide_env_values = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub(crate) config: Option<PathBuf>,

    /// Where tasks are kept, instead of what the configuration says (sqlite:PATH)
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub(crate) store: Option<String>,

    /// Print JSON: one object a line, each with its schema and version
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,

    /// Say less on standard error; twice: only errors
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Global options")]
    pub(crate) quiet: u8,

    /// Say more on standard error
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet", help_heading = "Global options")]
    pub(crate) verbose: u8,

    /// When to use colours; NO_COLOR is obeyed
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", help_heading = "Global options")]
    pub(crate) color: Colour,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
