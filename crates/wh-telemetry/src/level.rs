//! How much a line matters.

/// From what needs a person to what only helps a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Somebody must act.
    Error,
    /// Something will surprise.
    Warning,
    /// What happens, in broad strokes.
    Info,
    /// What happens, in detail.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Trace => "TRACE",
        }
    }

    /// The level of a worker's own log line.
    pub(crate) fn of_worker(word: Option<&str>) -> Self {
        match word {
            Some("ERROR" | "CRITICAL") => Self::Error,
            Some("WARNING") => Self::Warning,
            Some("DEBUG") => Self::Debug,
            Some(_) | None => Self::Info,
        }
    }
}
