//! `docs/cli.md`.

use super::{commands, name, repository, schemas};
use crate::exit::Exit;
use clap::{Arg, ArgAction, Command};
use std::fmt::Write;

const PAGE: &str = "docs/cli.md";

const INTRODUCTION: &str = "\
# Command line

<!-- Written by workerhost from its own grammar; `WH_BLESS=1 cargo test -p workerhost` writes it anew. -->

What a command finds goes to standard output, what it has to say about that to standard error. With `--json` standard
output is JSON lines: objects that name their [schema](#json). How a command ended is its [exit code](#exit-codes).
`workerhost help COMMAND` shows what stands here, `workerhost man DIR` writes it as manual pages.
";

#[test]
fn the_page_of_the_command_line_is_up_to_date() {
    let (file, made) = (repository(PAGE), markdown());
    if std::env::var_os("WH_BLESS").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == made, "{PAGE} is not what the grammar makes; run `WH_BLESS=1 cargo test -p workerhost`");
}

fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    let commands = commands();
    contents(&mut page, &commands);
    for command in &commands {
        let is_root = name(command) == "workerhost";
        let rows: Vec<String> = command
            .get_arguments()
            .filter(|argument| !argument.is_hide_set() && argument.is_global_set() == is_root)
            .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
            .map(row)
            .collect();
        if is_root {
            table(&mut page, "\n## Options of every command\n", &rows);
        } else {
            section(&mut page, command, &rows);
        }
    }
    exit_codes(&mut page);
    schemas::section(&mut page);
    page
}

/// The commands at one glance.
fn contents(page: &mut String, commands: &[Command]) {
    page.push_str("\n| command | |\n|---|---|\n");
    for command in commands.iter().filter(|command| !command.has_subcommands()) {
        let (name, about) = (name(command), command.get_about().map(ToString::to_string).unwrap_or_default());
        let (short, anchor) = (name.trim_start_matches("workerhost "), name.replace(' ', "-"));
        writeln!(page, "| [`{short}`](#{anchor}) | {about} |").unwrap();
    }
}

fn section(page: &mut String, command: &Command, rows: &[String]) {
    let depth = name(command).split(' ').count();
    let about = command.get_long_about().or_else(|| command.get_about());
    let usage = command.clone().render_usage().to_string();
    // Writing to a string cannot fail.
    write!(page, "\n{} {}\n\n{}\n", "#".repeat(depth), name(command), wrapped(&sentence(about))).unwrap();
    write!(page, "\n```\n{}\n```\n", usage.trim_start_matches("Usage: ").trim()).unwrap();
    table(page, "", rows);
    if let Some(words) = command.get_after_help().filter(|_| name(command) != "workerhost exit-codes") {
        let examples = words.to_string();
        let examples = examples.trim_start_matches("Examples:\n").trim_start_matches("Example: ");
        write!(page, "\n```\n{}\n```\n", unindented(examples)).unwrap();
    }
}

/// Help texts end without a full stop; here they are sentences.
fn sentence(about: Option<&clap::builder::StyledStr>) -> String {
    let text = about.map(ToString::to_string).unwrap_or_default();
    match text.split_once("\n\n") {
        Some((first, rest)) => format!("{}.\n\n{rest}", first.trim_end_matches('.')),
        None => format!("{}.", text.trim_end_matches('.')),
    }
}

/// Paragraphs in lines of a width that one can read.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 118;
    let mut out = String::new();
    for (at, paragraph) in text.split("\n\n").enumerate() {
        out.push_str(if at == 0 { "" } else { "\n\n" });
        let mut column = 0;
        for word in paragraph.split_whitespace() {
            let length = word.chars().count();
            let gap = if column == 0 { "" } else { " " };
            let gap = if column + gap.len() + length > WIDTH { "\n" } else { gap };
            column = if gap == "\n" { length } else { column + gap.len() + length };
            out.extend([gap, word]);
        }
    }
    out
}

fn unindented(text: &str) -> String {
    text.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn table(page: &mut String, heading: &str, rows: &[String]) {
    if !rows.is_empty() {
        write!(page, "{heading}\n| option | |\n|---|---|\n{}", rows.concat()).unwrap();
    }
}

fn row(argument: &Arg) -> String {
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let mut told = help.map(ToString::to_string).unwrap_or_default().replace('\n', " ");
    let values = argument.get_possible_values();
    if !values.is_empty() && argument.get_action().takes_values() {
        let words: Vec<String> = values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        write!(told, ": {}", words.join(", ")).unwrap();
    }
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && argument.get_action().takes_values() {
        write!(told, " (default: `{}`)", defaults.join(" ")).unwrap();
    }
    if let Some(variable) = argument.get_env() {
        write!(told, " (variable: `{}`)", variable.to_string_lossy()).unwrap();
    }
    format!("| `{}` | {} |\n", spelled(argument).replace('|', "\\|"), told.replace('|', "\\|"))
}

/// The option with its value, as one types it.
fn spelled(argument: &Arg) -> String {
    let value = argument.get_value_names().unwrap_or_default().join(" ");
    let Some(long) = argument.get_long() else { return value };
    let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let takes = !matches!(argument.get_action(), ArgAction::SetTrue | ArgAction::Count);
    if takes { format!("{short}--{long} {value}") } else { format!("{short}--{long}") }
}

fn exit_codes(page: &mut String) {
    page.push_str("\n## Exit codes\n\n| code | |\n|---|---|\n");
    for exit in Exit::ALL {
        writeln!(page, "| {} | {} |", exit.code(), exit.words()).unwrap();
    }
}
