//! Everything that a worker says, on whichever way, put together.

use crate::answer::{self, Answer};
use crate::log::Log;
use std::time::Duration;
use wh_domain::attempt::Progress;
use wh_domain::ending::{Fault, Report};
use wh_domain::task::Payload;
use wh_domain::time::Timestamp;
use wh_domain::worker::{Bounds, Protocol};
use wh_ports::runner::{FollowUp, Said};
use wh_protocol::channel::{ChannelBounds, ChannelFault, ChannelReader, Event};
use wh_protocol::result::{self, ClaimedOutput, WorkerResult};
use wh_protocol::sift::{SiftBounds, SiftFault, Sifter, Stray};

/// What is made of standard output.
enum Output {
    /// A result is looked for in it.
    Sifted(Box<Sifter>),
    /// It is the result.
    Raw { bytes: Vec<u8>, limit: u64, is_too_large: bool },
}

/// What is being heard.
pub(crate) struct Hearing {
    output: Output,
    channel: ChannelReader,
    /// The attempt's log.
    pub(crate) log: Log,
    partial: Option<Box<str>>,
    result: Option<WorkerResult>,
    /// How far the worker last said it is.
    pub(crate) progress: Option<Progress>,
    /// How far it last said it is in numbers.
    measured: Option<Progress>,
}

/// What was heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// What the worker reported.
    pub(crate) report: Option<Report>,
    /// How it broke the protocol.
    pub(crate) fault: Option<Fault>,
    /// The result, or what there was of it.
    pub(crate) payload: Option<Payload>,
    /// Tasks that the result brings forth.
    pub(crate) follow_ups: Vec<FollowUp>,
    /// Files that the worker says it has left.
    pub(crate) outputs: Vec<ClaimedOutput>,
    /// How good it says its work is.
    pub(crate) quality: Option<u8>,
    /// Slips that changed nothing.
    pub(crate) warnings: Vec<Box<str>>,
}

impl Hearing {
    pub(crate) fn new(protocol: Protocol, bounds: &Bounds, log: Log) -> Self {
        let sift = SiftBounds { line: bounds.line, total: bounds.stdout, nesting: bounds.nesting };
        let output = match protocol {
            Protocol::Json => Output::Sifted(Box::new(Sifter::new(Stray::Logged, sift))),
            Protocol::Strict => Output::Sifted(Box::new(Sifter::new(Stray::Forbidden, sift))),
            Protocol::Raw => Output::Raw { bytes: Vec::new(), limit: bounds.stdout, is_too_large: false },
        };
        let channel = ChannelReader::new(ChannelBounds {
            line: usize::try_from(bounds.line).unwrap_or(usize::MAX),
            nesting: bounds.nesting,
            events_per_second: bounds.events_per_second,
        });
        Self { output, channel, log, partial: None, result: None, progress: None, measured: None }
    }

    /// Takes a piece of standard output that came at `now`, measured from any fixed moment.
    pub(crate) fn stdout(&mut self, piece: &[u8], now: Duration) {
        match &mut self.output {
            Output::Sifted(sifter) => sifter.push(piece, &mut |line| self.log.line(None, line, now)),
            Output::Raw { bytes, limit, is_too_large } => {
                let room = usize::try_from(limit.saturating_sub(bytes.len() as u64)).unwrap_or(usize::MAX);
                bytes.extend_from_slice(piece.get(..room).unwrap_or(piece));
                *is_too_large |= piece.len() > room;
            }
        }
    }

    /// How far the worker last said it is in numbers; `None` where words of it were dropped: the last one may be among them.
    pub(crate) fn measured(&self) -> Option<Progress> {
        self.measured.clone().filter(|_| self.channel.dropped() == 0)
    }

    /// Whether standard output has outgrown its bound. All further bytes are dropped.
    pub(crate) fn is_too_much(&self) -> bool {
        match &self.output {
            Output::Sifted(sifter) => matches!(sifter.fault(), Some(SiftFault::OutputTooLarge { .. })),
            Output::Raw { is_too_large, .. } => *is_too_large,
        }
    }

    /// Takes a piece of the channel; true when it brought a sign of life.
    pub(crate) fn channel(&mut self, piece: &[u8], now: Duration) -> bool {
        let mut events = Vec::new();
        self.channel.push(piece, now, |said| events.push(said));
        self.take_events(events, now)
    }

    fn take_events(&mut self, events: Vec<Result<Event, ChannelFault>>, now: Duration) -> bool {
        let mut is_alive = false;
        for event in events {
            match event {
                Ok(event) => {
                    is_alive = true;
                    self.take_event(event, now);
                }
                Err(fault) => self.log.text(Some("WARNING"), &fault.to_string(), now),
            }
        }
        is_alive
    }

    fn take_event(&mut self, event: Event, now: Duration) {
        match event {
            Event::Progress { current, total, percent, message } => {
                let redactor = self.log.redactor();
                let message = message.map(|message| redactor.hide(&message).into());
                let progress = Progress { current, total, percent, message };
                if progress.total.is_some() || progress.percent.is_some() {
                    self.measured = Some(progress.clone());
                }
                self.progress = Some(progress.clone());
                self.log.tell(Said::Progress(progress));
            }
            Event::Heartbeat => {}
            Event::Log(entry) => self.log.text(Some(entry.level), &entry.message, now),
            Event::Partial(value) => self.partial = Some(value),
            Event::Checkpoint(value) => self.log.tell(Said::Checkpoint(value)),
            Event::Metric { name, value } => self.log.tell(Said::Metric { name: name.into(), value }),
            Event::RateLimited { status, retry_after: _, message } => {
                let message = self.log.redactor().hide(&message).into();
                self.log.tell(Said::RateLimited { status, message });
            }
            Event::Result(result) => self.result = Some(*result),
        }
    }

    /// Ends the hearing; also hands back the log, with the result's own lines in it.
    pub(crate) fn conclude(mut self, now: Duration, wall: Timestamp) -> (Heard, Log) {
        let mut last = Vec::new();
        self.channel.finish(now, |said| last.push(said));
        self.take_events(last, now);
        let mut heard = Heard::default();
        self.log.end_stderr(now);
        let from_channel = self.result.take();
        match self.output {
            Output::Sifted(sifter) => {
                let sifted = sifter.finish(&mut |line| self.log.line(None, line, now));
                heard.fault = sifted.fault.map(answer::fault);
                if sifted.stray_bytes > 0 {
                    let count = sifted.stray_bytes;
                    heard.warn(format!("{count} bytes of standard output were not the result; see the log"));
                }
                let read = |text: String| result::read(&text);
                let result = match (from_channel, sifted.result) {
                    (Some(result), _) => {
                        // The channel is there for programs whose standard output is hopeless.
                        heard.fault.take_if(|fault| !matches!(fault, Fault::OutputTooLarge { .. }));
                        Some(Ok(result))
                    }
                    (None, text) => text.map(read),
                };
                match result {
                    Some(Ok(result)) => heard.take(result, &mut self.log, now, wall),
                    Some(Err(bad)) => heard.blame(Fault::BadResult(bad.to_string().into())),
                    None if sifted.unfinished => {
                        heard.warn("standard output ended in the middle of an object".to_owned());
                    }
                    None => {}
                }
            }
            Output::Raw { bytes, limit, is_too_large } => {
                heard.fault = is_too_large.then_some(Fault::OutputTooLarge { limit });
                heard.payload = Some(Payload::Bytes(bytes.into()));
            }
        }
        if heard.payload.is_none() {
            heard.payload = self.partial.map(Payload::Json);
        }
        let (dropped, faults) = (self.channel.dropped(), self.channel.faults());
        if dropped > 0 {
            heard.warn(format!("{dropped} channel events came too fast and were dropped"));
        }
        if faults > 0 {
            heard.warn(format!("{faults} lines on the channel were not understood"));
        }
        (heard, self.log)
    }
}

impl Heard {
    fn take(&mut self, result: WorkerResult, log: &mut Log, now: Duration, wall: Timestamp) {
        result.logs.iter().for_each(|entry| log.text(Some(entry.level), &entry.message, now));
        self.warnings.extend(result.warnings.iter().map(|warning| warning.as_str().into()));
        match answer::understand(result, wall) {
            Ok(Answer { report, payload, follow_ups, outputs, quality }) => {
                self.report = Some(report);
                (self.payload, self.follow_ups) = (payload, follow_ups);
                (self.outputs, self.quality) = (outputs, quality);
            }
            Err(fault) => self.blame(fault),
        }
    }

    /// Of several faults the one that was there first counts.
    fn blame(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    fn warn(&mut self, warning: String) {
        self.warnings.push(warning.into());
    }
}
