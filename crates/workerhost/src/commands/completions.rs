//! `completions`: a script with which a shell completes this program's command lines.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Ended;
use clap::Args;
use clap_complete::Shell;

/// Print a script with which a shell completes command lines of this program
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  workerhost completions bash > ~/.local/share/bash-completion/completions/workerhost
  workerhost completions zsh > ~/.zfunc/_workerhost
  workerhost completions fish > ~/.config/fish/completions/workerhost.fish";

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let mut grammar = (context.grammar)();
    let name = grammar.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut grammar, name, &mut script);
    context.terminal.raw(&script)?;
    Ok(Exit::Ok)
}
