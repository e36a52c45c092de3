//! What was found, and its mend.

use serde::Serialize;
use std::path::{Path, PathBuf};

/// What is shown in the place of values that came from outside.
const HIDDEN: &str = "<redacted>";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// Nothing is wrong.
    Ok,
    /// Something holds less than it could, or will surprise.
    Warning,
    /// Tasks are not done, or will not be.
    Error,
}

impl Level {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What was looked at. The words stand in lists and are never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Check {
    /// What is configured.
    Configuration,
    /// Whether the workers can be started.
    Program,
    /// What the kernel would keep from them.
    Isolation,
    /// What would hold their limits.
    Limits,
    /// Who runs the host, with how many descriptors.
    User,
    /// Where everything is kept.
    Directory,
    /// The database.
    Store,
    /// How full the machine is.
    Machine,
    /// What the clock says.
    Clock,
    /// The unit that starts the host.
    Service,
    /// Whether hosts are at work.
    Host,
    /// Whether what waits is done by anybody.
    Backlog,
    /// What became of the last attempts.
    Attempts,
}

impl Check {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Program => "program",
            Self::Isolation => "isolation",
            Self::Limits => "limits",
            Self::User => "user",
            Self::Directory => "directory",
            Self::Store => "store",
            Self::Machine => "machine",
            Self::Clock => "clock",
            Self::Service => "service",
            Self::Host => "host",
            Self::Backlog => "backlog",
            Self::Attempts => "attempts",
        }
    }
}

/// What mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mend {
    /// A command for a shell.
    Run(String),
    /// A key of the configuration.
    Set(Setting),
    /// Something that only a person can do.
    Do(String),
}

/// A key of the configuration and the value that it should have, as it is written in YAML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Setting {
    /// The file; absent where there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<PathBuf>,
    /// The worker whose key it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) worker: Option<String>,
    /// The key, with those that it is below.
    pub(super) key: &'static str,
    /// The value.
    pub(super) value: String,
}

impl Mend {
    /// In words for people.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Run(command) => command.clone(),
            Self::Set(Setting { file, worker, key, value }) => {
                let file = file.as_deref().unwrap_or(Path::new("the configuration"));
                let whose = worker.as_ref().map_or(String::new(), |worker| format!(" of worker {worker}"));
                let line = match key.split_once('.') {
                    Some((above, key)) => format!("{above}: {{{key}: {value}}}"),
                    None => format!("{key}: {value}"),
                };
                // What belongs to a worker is taken over while the host runs.
                let then = if worker.is_none() { ", and start the host anew" } else { "" };
                format!("in {}, set `{line}`{whose}{then}", file.display())
            }
            Self::Do(words) => words.clone(),
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) level: Level,
    /// One sentence without its stop.
    pub(super) words: String,
    pub(super) mend: Option<Mend>,
}

/// All that was found, in the order in which it was looked for.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, check: Check, words: impl Into<String>) {
        self.0.push(Finding { check, level: Level::Ok, words: words.into(), mend: None });
    }

    pub(super) fn warning(&mut self, check: Check, words: impl Into<String>, mend: Mend) {
        self.found((check, Level::Warning), words, mend);
    }

    pub(super) fn error(&mut self, check: Check, words: impl Into<String>, mend: Mend) {
        self.found((check, Level::Error), words, mend);
    }

    pub(super) fn found(&mut self, (check, level): (Check, Level), words: impl Into<String>, mend: Mend) {
        self.0.push(Finding { check, level, words: words.into(), mend: Some(mend) });
    }

    /// Takes values out of all words that are not to be printed.
    pub(super) fn hide(&mut self, values: &[String]) {
        let hide = |words: &mut String| {
            for value in values.iter().filter(|value| words.contains(value.as_str())).collect::<Vec<_>>() {
                *words = words.replace(value.as_str(), HIDDEN);
            }
        };
        for Finding { words, mend, .. } in &mut self.0 {
            hide(words);
            // What lacks a word is no command any more.
            if let Some(Mend::Run(text)) = mend
                && values.iter().any(|value| text.contains(value.as_str()))
            {
                *mend = Some(Mend::Do(std::mem::take(text)));
            }
            match mend {
                Some(Mend::Run(text) | Mend::Do(text)) => hide(text),
                Some(Mend::Set(setting)) => hide(&mut setting.value),
                None => {}
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// How many are that bad.
    pub(super) fn count(&self, level: Level) -> u64 {
        self.0.iter().filter(|finding| finding.level == level).count() as u64
    }

    /// Whether a check has found nothing wrong so far.
    pub(super) fn is_fine(&self, check: Check) -> bool {
        self.0.iter().all(|finding| finding.check != check || finding.level == Level::Ok)
    }
}
