//! What happened, written down: rotated logs in text or JSON.
//!
//! [`LogObserver`] turns events into lines and hands them to a thread of its own, so that a slow disk never slows
//! the host: of lines that come too fast the excess is dropped, counted, and the count is written.
//!
//! One line is one record, whatever a worker wrote: text that would move a cursor, begin a line or turn the writing
//! direction is shown as an escape ([`plain`]).
//!
//! Text, for people: `TIME LEVEL EVENT key=value … - message`, as in
//! `2026-11-21T12:34:56.789Z INFO  settled task=t-1 attempt_id=t-1:3 … - The worker finished the task.`
//! JSON, for programs: the same as members `at`, `level`, `event`, `message` and the keys. Every line about an attempt has
//! `task`, `attempt_id`, `attempt`, `type`, `worker`, `stream` and, where the attempt has one, `trace_id`.
//! New keys and events may be added; none changes its meaning.

mod format;
mod level;
mod observer;
pub mod plain;
mod queue;
mod record;
mod rotate;
mod tell;
mod words;
mod writer;

pub use format::Format;
pub use level::Level;
pub use observer::{LogFile, LogObserver, LogOptions, LogStream, QUEUE};
pub use queue::QUEUE_BYTES;
pub use record::MESSAGE;
pub use rotate::Rotation;
