//! `man`: manual pages, one for each command.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::fs;
use std::io;
use std::path::PathBuf;

/// Write the manual pages into a directory, or print the main one
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Where to write a page for each command; made if it is not there
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  workerhost man | man -l -                      read the main page
  workerhost man ~/.local/share/man/man1         install all pages for yourself";

/// Variables that the command line itself looks at.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("WORKERHOST_CONFIG", "The configuration, where -c does not name one."),
    ("WORKERHOST_STORE", "Where tasks are kept, where --store does not say so; wins over the file."),
    (
        "WORKERHOST_…",
        "Other keys of the configuration, such as WORKERHOST_LOGGING_LEVEL for logging.level; docs/config.md has \
         the list.",
    ),
    ("NO_COLOR, TERM", "No colours if NO_COLOR is not empty or TERM is dumb."),
    ("XDG_CONFIG_HOME, HOME", "Where a configuration of your own is looked for."),
    ("PATH", "Where the programs of workers are looked for."),
];

/// Files that the program knows without being told.
const FILES: [(&str, &str); 4] = [
    ("./workerhost.yaml", "The configuration; also workerhost.yml, workerhost.json, workerhost_config.yaml."),
    ("$XDG_CONFIG_HOME/workerhost/config.yaml", "The configuration of one user."),
    ("/etc/workerhost/config.yaml", "The configuration of a machine."),
    (".workerhost/", "The data directory, beside the configuration: tasks, large contents, workspaces."),
];

pub(crate) fn run(options: Options, context: &Context) -> Ended {
    let mut grammar = (context.grammar)().disable_help_subcommand(true);
    grammar.build();
    let rendered = |error: io::Error| Failure::of_io("make a manual page", &error);
    let Some(directory) = options.directory else {
        context.terminal.raw(&page(&grammar, true).map_err(rendered)?)?;
        return Ok(Exit::Ok);
    };
    let failed = |error: io::Error| Failure::of_io(&format!("write to {}", directory.display()), &error);
    fs::create_dir_all(&directory).map_err(failed)?;
    let mut count = 0;
    let mut left = vec![&grammar];
    while let Some(command) = left.pop() {
        let page = page(command, count == 0).map_err(rendered)?;
        fs::write(directory.join(Man::new(command.clone()).get_filename()), page).map_err(failed)?;
        left.extend(command.get_subcommands().filter(|inner| !inner.is_hide_set()));
        count += 1;
    }
    context.terminal.say(&format!("{count} pages are in {}.", directory.display()));
    Ok(Exit::Ok)
}

/// A command's page; the main one also tells what holds for all.
fn page(command: &Command, is_main: bool) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).manual("WorkerHost");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.get_subcommands().any(|inner| !inner.is_hide_set()) {
        man.render_subcommands_section(&mut out)?;
    }
    let mut rest = Roff::default();
    if let Some(words) = command.get_after_long_help().or(command.get_after_help()) {
        as_it_stands(&mut rest, "EXAMPLES", &words.to_string());
    }
    if is_main {
        let codes = Exit::ALL.map(|exit| (exit.code().to_string(), exit.words()));
        list(&mut rest, "EXIT STATUS", codes.iter().map(|(code, words)| (code.as_str(), *words)));
        list(&mut rest, "ENVIRONMENT", ENVIRONMENT.into_iter());
        list(&mut rest, "FILES", FILES.into_iter());
    } else {
        rest.control("SH", ["SEE ALSO"]);
        rest.text([bold("workerhost"), roman("(1), which has the exit codes, variables and files")]);
    }
    rest.to_writer(&mut out)?;
    Ok(out)
}

/// Text whose lines stay as they are.
fn as_it_stands(roff: &mut Roff, heading: &str, text: &str) {
    roff.control("SH", [heading]);
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}

fn list<'a>(roff: &mut Roff, heading: &str, items: impl Iterator<Item = (&'a str, &'a str)>) {
    roff.control("SH", [heading]);
    for (term, words) in items {
        roff.control("TP", []);
        roff.text([bold(term)]);
        roff.text([roman(words)]);
    }
}
