//! What a worker reported about its task, and how what it wrote may have broken the protocol.

use crate::failure::FailureClass;
use crate::outcome::RetryAfter;

/// What the worker said about its failure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportedError {
    /// The error's type, in the worker's own words.
    pub kind: Box<str>,
    /// The error's message.
    pub message: Box<str>,
    /// The worker's stack trace.
    pub traceback: Option<Box<str>>,
    /// Whether trying again may help.
    pub retry_possible: Option<bool>,
    /// When to try again.
    pub retry_after: Option<RetryAfter>,
    /// The kind of trouble.
    pub class: Option<FailureClass>,
    /// An upstream's HTTP status.
    pub status: Option<u16>,
}

/// What the worker reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// `success: true`.
    Success,
    /// `success: false`.
    Failure(ReportedError),
}

impl Report {
    /// The same with the worker's own words as `hide` leaves them.
    #[must_use]
    pub fn without(self, hide: &dyn Fn(&str) -> Box<str>) -> Self {
        match self {
            Self::Success => Self::Success,
            Self::Failure(error) => Self::Failure(ReportedError {
                kind: hide(&error.kind),
                message: hide(&error.message),
                traceback: error.traceback.as_deref().map(hide),
                ..error
            }),
        }
    }
}

/// How what the worker wrote broke the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Something other than the result stood on standard output under `protocol: strict`.
    StrayOutput,
    /// One line was longer than `bounds.line`.
    LineTooLong {
        /// The bound, in bytes.
        limit: u64,
    },
    /// Standard output grew beyond `bounds.stdout`.
    OutputTooLarge {
        /// The bound, in bytes.
        limit: u64,
    },
    /// Bytes that are no UTF-8.
    NotUtf8 {
        /// Where they start on standard output, in bytes.
        offset: u64,
    },
    /// Values nested deeper than `bounds.nesting`.
    TooDeep {
        /// The bound.
        limit: u32,
    },
    /// The result object is not of the protocol's shape; holds which field and why.
    BadResult(Box<str>),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::StrayOutput => write!(
                f,
                "it wrote other text than the result to standard output, which `protocol: strict` forbids"
            ),
            Self::LineTooLong { limit } => {
                write!(f, "it wrote a line of more than {limit} bytes (bounds.line)")
            }
            Self::OutputTooLarge { limit } => {
                write!(f, "it wrote more than {limit} bytes to standard output (bounds.stdout)")
            }
            Self::NotUtf8 { offset } => {
                write!(f, "its standard output is not UTF-8 at byte {offset}")
            }
            Self::TooDeep { limit } => {
                write!(f, "its result is nested deeper than {limit} levels (bounds.nesting)")
            }
            Self::BadResult(what) => write!(f, "its result has a wrong shape: {what}"),
        }
    }
}
