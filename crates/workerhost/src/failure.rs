//! Why a command failed, as it is told: what was wrong, and what to do.

use crate::exit::Exit;
use std::io;
use wh_ports::store::StoreError;
use wh_sqlite::OpenError;

/// How a command ended: its exit code, or what went wrong.
pub(crate) type Ended = Result<Exit, Failure>;

/// What went wrong. The message is a fragment that follows "error: ".
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// Empty when everything has been told already.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: None }
    }

    /// A wrong command line that the parser could not know to be wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// With what to do about it.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Nobody reads standard output any more: an end without words.
    pub(crate) fn of_output(error: &io::Error) -> Self {
        let message = match error.kind() {
            io::ErrorKind::BrokenPipe => String::new(),
            _ => format!("standard output cannot be written: {error}"),
        };
        Self::new(Exit::Failed, message)
    }

    /// Whether it is that end without words.
    pub(crate) fn is_unread(&self) -> bool {
        self.message.is_empty()
    }

    /// The operating system refused.
    pub(crate) fn of_io(doing: &str, error: &io::Error) -> Self {
        Self::new(Exit::Failed, format!("cannot {doing}: {error}"))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::Untrusted(_) => Exit::Untrusted,
            StoreError::Unavailable(_) | StoreError::Expelled | StoreError::Broken(_) => Exit::Store,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::new(Exit::Store, error.to_string())
    }
}
