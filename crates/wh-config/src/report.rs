//! Collects the problems of one reading, and knows the texts they stand in.

use crate::problem::{COMMAND_LINE, Problem, Problems, Severity};
use crate::secret;
use crate::source::{At, Source};
use crate::value::Origin;
use std::ops::Range;

/// The most problems that are kept; a file with more of them is no configuration.
pub(crate) const MOST_PROBLEMS: usize = 1_000;

/// The texts of one reading and what is wrong with them.
pub(crate) struct Report {
    /// The file first, then one for each variable that overrides a key.
    sources: Vec<Source>,
    noted: Vec<Noted>,
    /// Parts of the file that are not to be shown. Lines are drawn at the end, when all of these are known.
    hidden: Vec<Range<usize>>,
    /// Whether the file's shape is not what it looks like, so that secrets are also hidden by their looks.
    is_odd: bool,
}

struct Noted {
    severity: Severity,
    at: At,
    message: String,
    help: String,
}

impl Report {
    pub(crate) fn new(file: Source) -> Self {
        Self { sources: vec![file], noted: Vec::new(), hidden: Vec::new(), is_odd: false }
    }

    /// Adds a text and says where it is.
    pub(crate) fn add_source(&mut self, source: Source) -> At {
        let end = source.text().len();
        self.sources.push(source);
        At { source: self.sources.len() - 1, start: 0, end }
    }

    /// Keeps parts of the file from being shown.
    pub(crate) fn hide(&mut self, ranges: impl IntoIterator<Item = Range<usize>>) {
        self.hidden.extend(ranges);
    }

    /// Notes that values may not stand under the keys that they seem to stand under.
    pub(crate) fn is_odd(&mut self) {
        self.is_odd = true;
    }

    /// The text at a place, as it was written.
    pub(crate) fn slice(&self, at: At) -> &str {
        self.sources.get(at.source).map_or("", |source| source.slice(at.start..at.end))
    }

    /// Notes an error and what to write instead.
    pub(crate) fn error(&mut self, at: At, message: impl Into<String>, help: impl Into<String>) {
        self.note(Severity::Error, at, message.into(), help.into());
    }

    /// Notes a warning and what to do about it.
    pub(crate) fn warn(&mut self, at: At, message: impl Into<String>, help: impl Into<String>) {
        self.note(Severity::Warning, at, message.into(), help.into());
    }

    /// Whether more problems would not be told, so that looking for their mends is idle.
    pub(crate) fn is_full(&self) -> bool {
        self.noted.len() > MOST_PROBLEMS
    }

    /// The line of a place, from 1.
    pub(crate) fn line(&self, at: At) -> usize {
        self.sources.get(at.source).map_or(0, |source| source.line(at.start))
    }

    /// Where a value that stands at a place came from.
    pub(crate) fn origin(&self, at: At) -> Origin {
        match self.sources.get(at.source) {
            Some(source) if at.source == 0 => {
                Origin::File { name: source.name.clone(), line: source.line(at.start) }
            }
            Some(source) => {
                let name = source.text().split('=').next().unwrap_or_default().to_owned();
                if source.name == COMMAND_LINE {
                    Origin::CommandLine(name)
                } else {
                    Origin::Environment(name)
                }
            }
            None => Origin::Default,
        }
    }

    /// Everything that was noted, with its lines.
    pub(crate) fn finish(mut self) -> Problems {
        if let Some(file) = self.sources.first_mut() {
            file.hide(self.hidden);
            if self.is_odd {
                let lines = secret::secret_lines(file.text());
                file.hide(lines);
            }
        }
        let problems = self.noted.into_iter().map(|noted| Problem {
            severity: noted.severity,
            place: self.sources.get(noted.at.source).map(|source| source.place(noted.at.start..noted.at.end)),
            message: noted.message,
            help: Some(noted.help),
        });
        Problems::sorted(problems.collect())
    }

    fn note(&mut self, severity: Severity, at: At, message: String, help: String) {
        match self.noted.len() {
            ..MOST_PROBLEMS => self.noted.push(Noted { severity, at, message, help }),
            MOST_PROBLEMS => self.noted.push(Noted {
                severity: Severity::Error,
                at,
                message: "too many problems; the rest is not told".to_owned(),
                help: "mend those above first".to_owned(),
            }),
            _ => {}
        }
    }
}
