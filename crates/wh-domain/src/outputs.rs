//! What a worker is to leave in its output, and what it means when it did not.

use crate::ending::{Ending, Stop, Verdict};
use crate::failure::FailureClass;
use crate::outcome::Outcome;
use crate::progress::Progress;
use std::fmt;
use std::path::PathBuf;

/// So many failed checks of an attempt are kept.
pub const MOST_FAILED: usize = 16;
/// So many outputs may be declared.
pub const MOST_OUTPUTS: usize = 64;
/// The best quality.
pub const BEST: u8 = 100;

/// A file, or files, that a worker is to leave in its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Which.
    pub path: OutputPath,
    /// What they are to be.
    pub format: Format,
    /// How large each is at least, in bytes.
    pub min_size: u64,
    /// How many there are at least.
    pub min_count: u32,
}

/// What a file is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Anything.
    Any,
    /// One JSON value.
    Json,
    /// One JSON value that the JSON Schema in this file describes.
    JsonSchema(PathBuf),
    /// Text with something to read, in which nothing is left open.
    Markdown,
    /// Rows of as many fields each.
    Csv,
    /// One YAML document, or several.
    Yaml,
    /// Text.
    Utf8,
}

impl Format {
    /// The word of the configuration.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Json => "json",
            Self::JsonSchema(_) => "json_schema",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::Yaml => "yaml",
            Self::Utf8 => "utf8",
        }
    }
}

/// Files below the output directory: names between slashes, in which a `*` stands for any characters of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputPath(Box<str>);

/// Why a text names no output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadOutputPath {
    /// It names nothing.
    Empty,
    /// It begins at the root.
    Absolute,
    /// A part of it is empty, `.` or `..`.
    Part,
    /// A character of it has no place in a name.
    Character,
    /// It is longer than any path.
    TooLong,
    /// It begins with the name of the directory that it lies in.
    Doubled,
    /// It has a sign that means something in other patterns, and nothing in these.
    Sign,
    /// The host itself writes a file of this name.
    HostsOwn,
}

impl fmt::Display for BadOutputPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Absolute => "begins with a slash, and outputs lie below the output directory",
            Self::Part => "has an empty part, `.` or `..`",
            Self::Character => "has a control character",
            Self::TooLong => "is longer than 4096 bytes",
            Self::Doubled => "begins with `output/`, and is looked for below that directory",
            Self::Sign => {
                "has `**`, `?`, `[` or `{`, which mean nothing here: a `*` is any characters of one name"
            }
            Self::HostsOwn => "is the host's own page of the worker's progress",
        })
    }
}

impl std::error::Error for BadOutputPath {}

impl OutputPath {
    /// A path below the output directory.
    ///
    /// # Errors
    /// [`BadOutputPath`] for one that could lead out of it, or to nothing.
    pub fn parse(text: &str) -> Result<Self, BadOutputPath> {
        const LONGEST: usize = 4_096;
        let is_no_name = |part: &str| matches!(part, "" | "." | "..");
        match text {
            "" => Err(BadOutputPath::Empty),
            text if text.starts_with('/') => Err(BadOutputPath::Absolute),
            text if text.len() > LONGEST => Err(BadOutputPath::TooLong),
            text if text.chars().any(char::is_control) => Err(BadOutputPath::Character),
            text if text.split('/').any(is_no_name) => Err(BadOutputPath::Part),
            text if text.starts_with("output/") => Err(BadOutputPath::Doubled),
            text if text.contains("**") || text.contains(['?', '[', '{']) => Err(BadOutputPath::Sign),
            "progress.md" => Err(BadOutputPath::HostsOwn),
            text => Ok(Self(text.into())),
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts, each a name or a pattern for names.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Whether it may stand for several files.
    pub fn is_pattern(&self) -> bool {
        self.0.contains('*')
    }
}

/// Whether a part of a path stands for this name.
pub fn fits(part: &str, name: &str) -> bool {
    let Some((head, rest)) = part.split_once('*') else { return part == name };
    let Some(name) = name.strip_prefix(head) else { return false };
    // Each piece is taken where it comes first; the last one has to end the name.
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let tail = pieces.pop().unwrap_or_default();
    let mut left = name;
    for piece in pieces {
        match left.find(piece) {
            Some(at) => left = left.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    left.ends_with(tail)
}

/// One way to look at an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// A file is there, and is a file of the worker's own.
    Exists,
    /// There are enough of them.
    Count,
    /// It is large enough.
    Size,
    /// It is what it is declared to be.
    Format,
    /// It does not break off.
    Complete,
    /// It is as its JSON Schema says.
    Schema,
    /// It is what the worker said that it had written.
    Checksum,
    /// The worker said that it did all there was to do.
    Progress,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Exists,
        Self::Count,
        Self::Size,
        Self::Format,
        Self::Complete,
        Self::Schema,
        Self::Checksum,
        Self::Progress,
    ];

    /// The word that stands in sentences and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Count => "count",
            Self::Size => "size",
            Self::Format => "format",
            Self::Complete => "complete",
            Self::Schema => "schema",
            Self::Checksum => "checksum",
            Self::Progress => "progress",
        }
    }

    /// The check of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.as_str() == word)
    }
}

/// A check that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCheck {
    /// Which.
    pub check: Check,
    /// The output, as it is declared or as its file is called; empty where it is about all of them.
    pub path: Box<str>,
    /// Why, as a sentence goes on.
    pub why: Box<str>,
}

impl fmt::Display for FailedCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (check, why) = (self.check.as_str(), &self.why);
        if self.path.is_empty() {
            write!(f, "{why} (`{check}`)")
        } else {
            write!(f, "{} {why} (`{check}`)", self.path)
        }
    }
}

/// What the checks of an attempt's outputs came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Review {
    /// How many checks passed.
    pub passed: u32,
    /// How many failed.
    pub failed: u32,
    /// The first of those, at most [`MOST_FAILED`].
    pub failures: Vec<FailedCheck>,
    /// How good the worker says its work is, from 0 to [`BEST`].
    pub claimed: Option<u8>,
}

impl Review {
    /// Notes what a check came to.
    pub fn note(&mut self, check: Check, path: &str, came_to: Result<(), String>) {
        let Err(why) = came_to else {
            self.passed = self.passed.saturating_add(1);
            return;
        };
        self.failed = self.failed.saturating_add(1);
        if self.failures.len() < MOST_FAILED {
            self.failures.push(FailedCheck { check, path: path.into(), why: why.into() });
        }
    }

    /// Notes whether the worker said that it did all there was to do, where it said anything of the kind.
    pub fn note_progress(&mut self, progress: Option<&Progress>) {
        let Some(progress) = progress else { return };
        let is_done = match (progress.current, progress.total, progress.percent) {
            (Some(current), Some(total), _) => current >= total,
            (_, _, Some(percent)) => percent >= f64::from(BEST),
            _ => return,
        };
        let told = match (progress.current, progress.total, progress.percent) {
            (Some(current), Some(total), _) => format!("{current} of {total}"),
            (_, _, percent) => format!("{} %", percent.unwrap_or(0.0)),
        };
        let why = || format!("the worker last said that it had done {told}");
        self.note(Check::Progress, "", if is_done { Ok(()) } else { Err(why()) });
    }

    /// From 0 to [`BEST`]: what the worker says, and never more than the share of checks that passed. `None` where there is
    /// neither.
    pub fn quality(&self) -> Option<u8> {
        let all = u64::from(self.passed) + u64::from(self.failed);
        let share = (u64::from(self.passed) * u64::from(BEST)).checked_div(all);
        let share = share.and_then(|share| u8::try_from(share).ok());
        match (self.claimed, share) {
            (Some(claimed), Some(share)) => Some(claimed.min(share)),
            (claimed, share) => claimed.or(share),
        }
    }

    /// Whether nothing was looked at, and nothing said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Verdict {
    /// The same where all checks of the outputs passed; else a failure that names the first that did not, and that may be
    /// tried again.
    #[must_use]
    pub fn reviewed(self, review: &Review, ending: &Ending) -> Self {
        let Some(first) = review.failures.first().filter(|_| self.outcome == Outcome::Succeeded) else {
            return self;
        };
        let others = match review.failed {
            0 | 1 => String::new(),
            2 => ", and one more check failed".to_owned(),
            failed => format!(", and {} more checks failed", failed - 1),
        };
        let said = format!("The worker said that it was done, but {first}{others}");
        let failed = |class| Outcome::Failed { class, retriable: true };
        let (outcome, sentence) = match (ending.stop, ending.breach) {
            // It was asked to end before it was done.
            (Some(Stop::Drain), _) => {
                (Outcome::Interrupted, format!("{said}. The host was being stopped; it does not count."))
            }
            (_, Some(breach)) => {
                (failed(FailureClass::Resource), format!("{said}. {}.", capital(&breach.to_string())))
            }
            (_, None) => (failed(FailureClass::Logic), format!("{said}.")),
        };
        Self { outcome, sentence, warning: self.warning }
    }
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
