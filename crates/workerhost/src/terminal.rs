//! Where words go: data to standard output, talk to standard error.

use crate::failure::Failure;
use crate::globals::{Colour, Globals};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default();

/// How this process talks.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    /// Whether data are JSON objects.
    pub(crate) json: bool,
    /// Negative is quieter, positive is more talkative.
    verbosity: i16,
    /// Colours on standard output, and on standard error.
    colours: (bool, bool),
}

impl Terminal {
    pub(crate) fn new(globals: &Globals) -> Self {
        let colours =
            (wants_colour(globals.color, &io::stdout()), wants_colour(globals.color, &io::stderr()));
        let verbosity = i16::from(globals.verbose) - i16::from(globals.quiet);
        Self { json: globals.json, verbosity, colours }
    }

    /// Data, a line.
    #[expect(clippy::unused_self, reason = "one way to talk, whatever it needs to know")]
    pub(crate) fn print(&self, line: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let written =
            out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
        written.map_err(|error| Failure::of_output(&error))
    }

    /// Data, an object on a line.
    pub(crate) fn object(&self, object: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(object).map_err(|error| {
            Failure::new(crate::exit::Exit::Failed, format!("an answer is no JSON: {error}"))
        })?;
        self.print(&line)
    }

    /// Bytes as they are.
    #[expect(clippy::unused_self, reason = "one way to talk, whatever it needs to know")]
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::of_output(&error))
    }

    /// Talk, unless `-q` was given.
    pub(crate) fn say(&self, line: &str) {
        if self.verbosity >= 0 {
            complain(line);
        }
    }

    /// Talk for those who gave `-v`.
    pub(crate) fn detail(&self, line: &str) {
        if self.verbosity > 0 {
            complain(line);
        }
    }

    /// A surprise that is no failure, unless `-qq` was given.
    pub(crate) fn warn(&self, line: &str) {
        if self.verbosity > -2 {
            complain(&format!("{}: {line}", self.styled("warning", WARNING)));
        }
    }

    /// The end of a command that failed.
    pub(crate) fn fail(&self, failure: &Failure) {
        if failure.message.is_empty() {
            return;
        }
        complain(&format!("{}: {}", self.styled("error", ERROR), failure.message));
        if let Some(help) = &failure.help {
            complain(&format!("{}: {help}", self.styled("help", HELP)));
        }
    }

    /// Talk that is told whatever was asked: errors in several lines.
    #[expect(clippy::unused_self, reason = "one way to talk, whatever it needs to know")]
    pub(crate) fn complain(&self, text: &str) {
        complain(text);
    }

    /// Whether there is somebody to watch progress on standard error.
    pub(crate) fn is_watched(&self) -> bool {
        self.verbosity >= 0 && io::stderr().is_terminal()
    }

    /// Whether data may be coloured.
    pub(crate) fn colours_data(&self) -> bool {
        self.colours.0
    }

    /// Whether talk may be coloured.
    pub(crate) fn colours_talk(&self) -> bool {
        self.colours.1
    }

    /// How much is to be told: 0 is the usual.
    pub(crate) fn verbosity(&self) -> i16 {
        self.verbosity
    }

    fn styled(&self, word: &str, style: Style) -> String {
        if self.colours.1 { format!("{style}{word}{style:#}") } else { word.to_owned() }
    }
}

fn complain(line: &str) {
    let mut err = io::stderr().lock();
    // A closed standard error leaves nobody to tell.
    err.write_all(line.as_bytes()).and_then(|()| err.write_all(b"\n")).ok();
}

fn wants_colour(when: Colour, stream: &impl IsTerminal) -> bool {
    match when {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            !refused && !dumb && stream.is_terminal()
        }
    }
}
