//! Who is looked at, and how its mends are put.

use super::finding::{Mend, Setting};
use crate::configuration::Configuration;

/// Who is looked at.
pub(super) struct Subject<'a> {
    pub(super) configuration: &'a Configuration,
    /// Whether the configuration says more than where its store is.
    pub(super) is_whole: bool,
    /// How this program is called so that it looks at the same again.
    pub(super) program: String,
}

impl Subject<'_> {
    /// The mend that sets a key of the configuration, or of one of its workers.
    pub(super) fn set(&self, worker: Option<&str>, key: &'static str, value: String) -> Mend {
        let (file, worker) = (self.configuration.file.clone(), worker.map(str::to_owned));
        Mend::Set(Setting { file, worker, key, value })
    }

    /// The mend that runs a command of ours.
    pub(super) fn run(&self, arguments: &str) -> Mend {
        Mend::Run(format!("{} {arguments}", self.program))
    }

    /// What to do, and the command of ours that is a part of it.
    pub(super) fn act(&self, words: &str, arguments: &str) -> Mend {
        Mend::Do(format!("{words}: {} {arguments}", self.program))
    }

    /// The configuration's file, for words.
    pub(super) fn file(&self) -> String {
        let file = self.configuration.file.as_deref();
        file.map_or("the configuration".to_owned(), |file| file.display().to_string())
    }
}
