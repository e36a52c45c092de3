//! One thing to be written, before it is text.

use crate::level::Level;
use wh_domain::event::Carried;
use wh_domain::time::Timestamp;

/// The longest message of a line, in bytes; the rest of a longer one is dropped and counted in the line.
pub const MESSAGE: usize = 8 * 1024;

/// A line to be.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) at: Timestamp,
    pub(crate) level: Level,
    /// What kind of thing happened, as one word.
    pub(crate) event: &'static str,
    pub(crate) fields: Vec<(&'static str, Value)>,
    pub(crate) message: String,
}

/// The value of a key.
#[derive(Debug)]
pub(crate) enum Value {
    Text(String),
    Number(u64),
}

impl Record {
    pub(crate) fn new(at: Timestamp, level: Level, event: &'static str, message: impl Into<String>) -> Self {
        Self { at, level, event, fields: Vec::new(), message: cut(message.into()) }
    }

    /// What it takes in memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let values = self.fields.iter().map(|(_, value)| match value {
            Value::Text(text) => size_of::<(&str, Value)>() + text.len(),
            Value::Number(_) => size_of::<(&str, Value)>(),
        });
        size_of::<Self>() + self.message.len() + values.sum::<usize>()
    }

    /// Names the attempt that it is about.
    pub(crate) fn about(mut self, carried: &Carried) -> Self {
        let Carried { attempt_id, task_type, worker, stream, attempt, traceparent } = carried;
        self = self
            .text("task", attempt_id.task.as_str())
            .text("attempt_id", attempt_id.to_string())
            .number("attempt", *attempt)
            .text("type", task_type.as_str())
            .text("worker", worker.as_str())
            .number("stream", stream.0);
        match traceparent.as_deref().and_then(|parent| parent.split('-').nth(1)) {
            Some(trace) => self.text("trace_id", trace),
            None => self,
        }
    }

    pub(crate) fn text(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((key, Value::Text(value.into())));
        self
    }

    pub(crate) fn number(mut self, key: &'static str, value: impl Into<u64>) -> Self {
        self.fields.push((key, Value::Number(value.into())));
        self
    }
}

fn cut(message: String) -> String {
    let end = message.floor_char_boundary(MESSAGE);
    let (kept, lost) = message.split_at(end);
    if lost.is_empty() { message } else { format!("{kept} [{} more bytes]", lost.len()) }
}
