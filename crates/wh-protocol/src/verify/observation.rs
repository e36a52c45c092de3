//! What was seen of a worker while it went through one case.

use std::time::Duration;

/// How its process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Code(u8),
    /// By this signal.
    Signal(i32),
    /// Not within the time it was given, so it was killed.
    Never,
    /// It could not be started; holds why.
    NotStarted(String),
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// All of standard output.
    pub stdout: Vec<u8>,
    /// All of standard error.
    pub stderr: Vec<u8>,
    /// All that it wrote to the channel.
    pub channel: Vec<u8>,
    /// How its process ended.
    pub ended: Ended,
    /// From its start, or from the signal where one was sent, to its end.
    pub elapsed: Duration,
    /// Bytes of standard input that it left unread.
    pub stdin_unread: u64,
    /// Command lines of its descendants that were alive after its end.
    pub leaked: Vec<String>,
    /// Files outside its workspace that it wrote.
    pub written_outside: Vec<String>,
}

impl Observation {
    /// The shape of a worker that did nothing and left with exit code 0.
    pub fn silent() -> Self {
        Self {
            stdout: Vec::new(),
            stderr: Vec::new(),
            channel: Vec::new(),
            ended: Ended::Code(0),
            elapsed: Duration::ZERO,
            stdin_unread: 0,
            leaked: Vec::new(),
            written_outside: Vec::new(),
        }
    }
}
