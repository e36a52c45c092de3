//! The repository's own commands: `cargo xtask ci` runs every check there is.

mod arrows;
mod bench;
mod check;
mod ci;
mod clippy;
mod command;
mod examples;
mod format;
mod generated;
mod metadata;
#[cfg(test)]
mod planted;
mod rings;
mod rustdoc;
mod soak;
mod source;
mod supply;
mod tests;
mod tidy;
mod tree;
mod uses;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
The repository's own commands.

  cargo xtask ci                 run every check, then say how many tests and checks passed
  cargo xtask ci --only NAME     run one check; may be given more than once
  cargo xtask ci --list          say what the checks are
  cargo xtask bench [NAME…]      measure what packages hold against the limits of the machine
  cargo xtask bench help         say what the measurements are
  cargo xtask soak [NAME]        kill hosts, cut the power, watch system calls: is anything lost? Minutes; root for all
  cargo xtask soak help          say what the soaks are
  cargo xtask help               this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout().lock();
    let done = match Wish::read(&arguments) {
        Ok(Wish::Help) => out.write_all(HELP.as_bytes()).map(|()| true),
        Ok(Wish::List) => ci::list(&mut out),
        Ok(Wish::Bench(rest)) => Ok(bench::run(root(), &rest)),
        Ok(Wish::Soak(rest)) => Ok(soak::run(root(), &rest)),
        Ok(Wish::Run(only)) => ci::run(root(), &only, &mut out),
        Err(what) => writeln!(out, "{what}\n\n{HELP}").map(|()| false),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        // Nothing more can be said where standard output itself is gone.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// What the caller asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Help,
    List,
    /// The named checks; all of them where none is named.
    Run(Vec<String>),
    /// Measure; the words are for the program that does.
    Bench(Vec<String>),
    /// Soak; the words are for the program that does.
    Soak(Vec<String>),
}

impl Wish {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let own = |rest: &[&str]| rest.iter().map(|word| (*word).to_owned()).collect();
        match words.as_slice() {
            [] | ["help" | "--help" | "-h", ..] | ["ci", "help" | "--help" | "-h"] => Ok(Self::Help),
            ["ci", "--list"] => Ok(Self::List),
            ["ci", rest @ ..] => only(rest).map(Self::Run),
            ["bench", rest @ ..] => Ok(Self::Bench(own(rest))),
            ["soak", rest @ ..] => Ok(Self::Soak(own(rest))),
            [other, ..] => Err(format!("There is no command `{other}`.")),
        }
    }
}

fn only(words: &[&str]) -> Result<Vec<String>, String> {
    words
        .chunks(2)
        .map(|pair| match pair {
            ["--only", name] if ci::knows(name) => Ok((*name).to_owned()),
            ["--only", name] => Err(format!("There is no check `{name}`; see `cargo xtask ci --list`.")),
            ["--only"] => Err("--only takes the name of a check.".to_owned()),
            [other, ..] => Err(format!("`ci` does not know `{other}`.")),
            [] => Err(String::new()),
        })
        .collect()
}

/// The workspace's directory; xtask lies directly in it.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[cfg(test)]
mod unit {
    use super::*;

    fn read(line: &str) -> Result<Wish, String> {
        Wish::read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_command_line_is_understood_or_refused_with_the_word_that_was_wrong() {
        for line in ["", "help", "help ci", "ci --help"] {
            assert_eq!(read(line), Ok(Wish::Help), "{line}");
        }
        assert_eq!(read("ci"), Ok(Wish::Run(vec![])));
        assert_eq!(read("ci --list"), Ok(Wish::List));
        assert_eq!(
            read("ci --only format --only clippy"),
            Ok(Wish::Run(vec!["format".into(), "clippy".into()]))
        );
        assert_eq!(read("bench depth --quick"), Ok(Wish::Bench(vec!["depth".into(), "--quick".into()])));
        for (line, word) in [
            ("release", "release"),
            ("ci --fast", "--fast"),
            ("ci --only nothing", "nothing"),
            ("ci --only", "--only"),
        ] {
            assert!(read(line).is_err_and(|what| what.contains(word)), "{line}");
        }
    }
}
