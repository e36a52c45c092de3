//! The command line as people read it: every help, and `docs/cli.md`, which is made from the same grammar.

mod help;
mod page;
mod schemas;

use crate::cli::Cli;
use clap::{Command, CommandFactory};
use std::path::PathBuf;

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Every command that is shown to people, the program itself first, each before those inside it.
fn commands() -> Vec<Command> {
    let mut root = Cli::command().term_width(100);
    root.build();
    let mut found = Vec::new();
    collect(&root, &mut found);
    found
}

fn collect(command: &Command, found: &mut Vec<Command>) {
    found.push(command.clone().term_width(100));
    let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help");
    inner.for_each(|inner| collect(inner, found));
}

/// How people call it: `workerhost db backup`.
fn name(command: &Command) -> String {
    command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned()
}
