//! What a worker says on the channel while it works: one JSON object per line.
//!
//! Nothing said here can fail an attempt. A line that cannot be understood is a [`ChannelFault`], to be counted and
//! logged; reading goes on with the next line.

use crate::fields::{Fields, integer, number, only_text, shown, text};
use crate::grammar::is_too_deep;
use crate::lines::{Line, LineFramer};
use crate::rate::RateLimit;
use crate::result::{self, BadResult, LogEntry, When, WorkerResult};
use serde_json::value::RawValue;
use std::time::Duration;

/// One thing that a worker said.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// How far it is. `percent` is given or computed, within 0 to 100.
    Progress {
        /// Items done.
        current: Option<f64>,
        /// Items in all.
        total: Option<f64>,
        /// 0 to 100.
        percent: Option<f64>,
        /// The worker's words.
        message: Option<String>,
    },
    /// It is alive.
    Heartbeat,
    /// A line for the task's log.
    Log(LogEntry),
    /// What there is of a result: a JSON value as written. The last one counts.
    Partial(Box<str>),
    /// What the next attempt gets as `metadata.checkpoint`: a JSON value as written. The last one counts.
    Checkpoint(Box<str>),
    /// A counter of the worker's own grew.
    Metric {
        /// Its name.
        name: String,
        /// By how much.
        value: f64,
    },
    /// An upstream asked to slow down.
    RateLimited {
        /// Its HTTP status.
        status: Option<u16>,
        /// When to come back.
        retry_after: Option<When>,
        /// The worker's words.
        message: String,
    },
    /// The result; it wins over one on standard output, and the last one counts.
    Result(Box<WorkerResult>),
}

impl Event {
    /// Whether it may be dropped when too many come: what would not be said again is kept.
    fn may_be_dropped(&self) -> bool {
        match self {
            Self::Progress { .. } | Self::Log(_) | Self::Metric { .. } | Self::RateLimited { .. } => true,
            Self::Heartbeat | Self::Partial(_) | Self::Checkpoint(_) | Self::Result(_) => false,
        }
    }
}

/// Why a line was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelFault {
    /// It is longer than the bound; its rest was skipped.
    #[error("a channel line is longer than {limit} bytes and was skipped")]
    TooLong {
        /// The bound.
        limit: usize,
    },
    /// It is no UTF-8.
    #[error("a channel line is no UTF-8 at its byte {offset}")]
    NotUtf8 {
        /// Where in the line.
        offset: usize,
    },
    /// It is nested beyond the bound.
    #[error("a channel line is nested deeper than {limit} levels")]
    TooDeep {
        /// The bound.
        limit: u32,
    },
    /// It is no JSON object.
    #[error("a channel line is no JSON object: {0}")]
    NotAnObject(String),
    /// It has no field `event`, or one that is no text.
    #[error("a channel line has no text in its field `event`")]
    NoEvent,
    /// This version of the protocol has no such event.
    #[error("there is no event {0:?}")]
    UnknownEvent(String),
    /// A field that the event needs is missing or has a wrong shape.
    #[error("event {event}: `{path}` {why}")]
    BadField {
        /// The event.
        event: &'static str,
        /// The field.
        path: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The event `result` holds no result.
    #[error("event result: {0}")]
    BadResult(#[from] BadResult),
}

/// The numbers that bound the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelBounds {
    /// The longest line in bytes.
    pub line: usize,
    /// How deep an object may nest.
    pub nesting: u32,
    /// Events a second; more are dropped and counted, except those that are never dropped.
    pub events_per_second: u32,
}

impl Default for ChannelBounds {
    fn default() -> Self {
        Self { line: 8 << 20, nesting: 128, events_per_second: 1_000 }
    }
}

/// The streaming reader of one attempt's channel.
#[derive(Debug)]
pub struct ChannelReader {
    bounds: ChannelBounds,
    lines: LineFramer,
    rate: RateLimit,
    faults: u64,
}

impl ChannelReader {
    /// A reader within `bounds`.
    pub fn new(bounds: ChannelBounds) -> Self {
        Self {
            bounds,
            lines: LineFramer::new(bounds.line),
            rate: RateLimit::new(bounds.events_per_second),
            faults: 0,
        }
    }

    /// Takes the next bytes, cut anywhere, that came at `now` (measured from any fixed moment).
    pub fn push(&mut self, chunk: &[u8], now: Duration, mut heard: impl FnMut(Result<Event, ChannelFault>)) {
        let Self { bounds, lines, rate, faults } = self;
        lines.push(chunk, |line| hear(line, *bounds, rate, faults, now, &mut heard));
    }

    /// Ends the stream: a last line needs no line end.
    pub fn finish(&mut self, now: Duration, mut heard: impl FnMut(Result<Event, ChannelFault>)) {
        let Self { bounds, lines, rate, faults } = self;
        lines.finish(|line| hear(line, *bounds, rate, faults, now, &mut heard));
    }

    /// Events and faults that were dropped because too many came.
    pub fn dropped(&self) -> u64 {
        self.rate.dropped()
    }

    /// Lines that were not understood, dropped ones included.
    pub fn faults(&self) -> u64 {
        self.faults
    }
}

fn hear(
    line: Line<'_>,
    bounds: ChannelBounds,
    rate: &mut RateLimit,
    faults: &mut u64,
    now: Duration,
    heard: &mut impl FnMut(Result<Event, ChannelFault>),
) {
    if line.is_blank() {
        return;
    }
    let said = if line.lost > 0 {
        Err(ChannelFault::TooLong { limit: bounds.line })
    } else {
        read(line.bytes, bounds.nesting)
    };
    *faults += u64::from(said.is_err());
    // A flood of nonsense is a flood as well.
    let passes = match &said {
        Ok(event) if !event.may_be_dropped() => true,
        Ok(_) | Err(_) => rate.admit(now),
    };
    if passes {
        heard(said);
    }
}

/// Reads one line, without its line end.
///
/// # Errors
/// [`ChannelFault`] where it is no event.
pub fn read(line: &[u8], nesting: u32) -> Result<Event, ChannelFault> {
    let line = std::str::from_utf8(line)
        .map_err(|error| ChannelFault::NotUtf8 { offset: error.valid_up_to() })?
        .trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}');
    if is_too_deep(line.as_bytes(), usize::try_from(nesting).unwrap_or(usize::MAX)) {
        return Err(ChannelFault::TooDeep { limit: nesting });
    }
    let fields = Fields::read(line).map_err(|error| ChannelFault::NotAnObject(error.to_string()))?;
    let event = fields.given("event").and_then(only_text).ok_or(ChannelFault::NoEvent)?;
    let message = || fields.given("message").map(text);
    Ok(match event.as_str() {
        "progress" => progress(&fields)?,
        "heartbeat" => Event::Heartbeat,
        "log" => Event::Log(LogEntry {
            level: fields.given("level").map_or("INFO", |level| result::log_level(&text(level))),
            message: message().ok_or_else(|| missing("log", "message"))?,
        }),
        "partial" => Event::Partial(raw(&fields, "partial", "result")?),
        "checkpoint" => Event::Checkpoint(raw(&fields, "checkpoint", "data")?),
        "metric" => Event::Metric {
            name: fields.given("name").map(text).ok_or_else(|| missing("metric", "name"))?,
            value: optional_number(&fields, "metric", "value")?.ok_or_else(|| missing("metric", "value"))?,
        },
        "rate_limited" => Event::RateLimited {
            status: fields.given("status").and_then(integer),
            retry_after: fields.given("retry_after").and_then(result::when),
            message: message().unwrap_or_default(),
        },
        "result" => Event::Result(Box::new(result::from_fields(&fields)?)),
        _ => return Err(ChannelFault::UnknownEvent(event)),
    })
}

fn progress(fields: &Fields<'_>) -> Result<Event, ChannelFault> {
    let read = |path| optional_number(fields, "progress", path);
    let (current, total, percent) = (read("current")?, read("total")?, read("percent")?);
    let message = fields.given("message").map(text);
    if current.is_none() && percent.is_none() && message.is_none() {
        return Err(missing("progress", "current"));
    }
    let share = match (current, total) {
        (Some(current), Some(total)) if total > 0.0 => Some(current / total * 100.0),
        _ => None,
    };
    let percent = percent.or(share).map(|percent| percent.clamp(0.0, 100.0));
    Ok(Event::Progress { current, total, percent, message })
}

fn raw(fields: &Fields<'_>, event: &'static str, path: &'static str) -> Result<Box<str>, ChannelFault> {
    fields.last(path).map(|value: &RawValue| value.get().into()).ok_or_else(|| missing(event, path))
}

fn optional_number(
    fields: &Fields<'_>,
    event: &'static str,
    path: &'static str,
) -> Result<Option<f64>, ChannelFault> {
    let Some(value) = fields.given(path) else { return Ok(None) };
    number(value).map(Some).ok_or_else(|| ChannelFault::BadField {
        event,
        path,
        why: format!("must be a finite number, not {}", shown(value)),
    })
}

fn missing(event: &'static str, path: &'static str) -> ChannelFault {
    ChannelFault::BadField { event, path, why: "is missing".to_owned() }
}
