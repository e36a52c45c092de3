//! What is wrong with a file.

use std::io;

/// What is wrong with a file, each in words that stand behind its name.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// It is something else.
    #[error("is no {format}: {why}")]
    Format {
        /// What it was to be.
        format: &'static str,
        /// Why it is not.
        why: String,
    },
    /// It breaks off.
    #[error("breaks off: {0}")]
    Incomplete(String),
    /// It is not as its schema says, or there is no such schema.
    #[error("is not as its schema says: {0}")]
    Schema(String),
    /// It is larger than so many MiB, which can be looked at as a whole.
    #[error("is larger than the {0} MiB that can be looked at as a whole")]
    TooLarge(u64),
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

impl Flaw {
    pub(crate) fn format(format: &'static str, why: impl Into<String>) -> Self {
        Self::Format { format, why: why.into() }
    }
}
