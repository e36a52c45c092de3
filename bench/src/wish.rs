//! What the person who measures asked for.

use crate::ground::Scale;
use crate::measures::{self, Measure};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub(crate) const HELP: &str = "\
Measures the built program against the limits of the machine.

  bench [NAME…] [OPTIONS]

  --quick           enough to see that every measurement works, and not enough to believe any
  --rounds N        measured rounds, besides one that warms up [default: 5]
  --ten-million     beside ten million tasks too; takes 10 GiB and many minutes
  --patience MIN    how long to wait in all for others to leave the machine alone [default: 30; quick: 0]
  --json            one JSON object a line instead of a table
  --program FILE    the program that is measured [default: workerhost, beside this one]
  --dir DIR         where files go; its file system is what is measured [default: beside this program]

Names:";

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
}

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) measures: Vec<&'static Measure>,
    pub(crate) scale: Scale,
    pub(crate) format: Format,
    pub(crate) program: PathBuf,
    pub(crate) dir: PathBuf,
    /// How long to wait for others, all rounds together.
    pub(crate) patience: Duration,
}

impl Wish {
    /// From the command line; `None` is help. The error names the word that was wrong.
    pub(crate) fn read(arguments: &[String]) -> Result<Option<Self>, String> {
        let own = std::env::current_exe().map_err(|error| format!("this program is nowhere: {error}"))?;
        let mut wish = Self {
            measures: Vec::new(),
            scale: Scale::WHOLE,
            format: Format::Table,
            program: own.with_file_name("workerhost"),
            dir: own.with_file_name("measured"),
            patience: Duration::from_mins(30),
        };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} takes a value"));
            match word {
                "help" | "--help" | "-h" => return Ok(None),
                "--quick" => (wish.scale, wish.patience) = (Scale::QUICK, Duration::ZERO),
                "--patience" => wish.patience = Duration::from_mins(number(value()?)?),
                "--rounds" => wish.scale.rounds = number::<usize>(value()?)?.saturating_add(1),
                "--ten-million" => wish.scale.ten_million = Some(10_000_000),
                "--json" => wish.format = Format::Json,
                "--program" => wish.program = value()?.into(),
                "--dir" => wish.dir = value()?.into(),
                name => match measures::ALL.iter().find(|measure| measure.name == name) {
                    Some(measure) => wish.measures.push(measure),
                    None => {
                        return Err(format!(
                            "there is no measurement `{name}`; see `cargo xtask bench help`"
                        ));
                    }
                },
            }
        }
        if wish.measures.is_empty() {
            wish.measures.extend(measures::ALL);
        }
        Ok(Some(wish))
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no number that can be used here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Wish>, String> {
        Wish::read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn nothing_means_everything_and_a_wrong_word_is_named() {
        let names = |line: &str| -> Vec<&str> {
            read(line).unwrap().unwrap().measures.iter().map(|measure| measure.name).collect()
        };
        assert_eq!(names("").len(), measures::ALL.len());
        assert_eq!(names("depth --quick intake"), ["depth", "intake"]);
        assert!(read("depth --help").unwrap().is_none());
        assert!(read("speed").unwrap_err().contains("`speed`"));
        assert!(read("--patience long").unwrap_err().contains("`long`"));
        assert!(read("--dir").unwrap_err().contains("--dir"));
    }
}
