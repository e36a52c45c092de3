//! Values that several tables start from.

use wh_domain::ending::{Ending, Exit, Fault, Report, ReportedError, Stop};
use wh_domain::lifecycle::History;
use wh_domain::limits::{Breach, Resource};
use wh_domain::outcome::Outcome;
use wh_domain::retry::{Backoff, Dice, Jitter, RetryPolicy};
use wh_domain::task::Counters;

/// No table depends on chance: jitter is off wherever a wait is compared.
pub(crate) const DICE: Dice = Dice(0);

/// The caps as they are by default, with waits that can be predicted.
pub(crate) fn policy() -> RetryPolicy {
    RetryPolicy { backoff: Backoff { jitter: Jitter::None, ..Backoff::default() }, ..RetryPolicy::default() }
}

/// A task with these counters and nothing else.
pub(crate) fn history(counters: Counters) -> History {
    History { counters, max_attempts: None, cancel_wished: false }
}

/// A worker with an envelope that read its input and left with `code` by itself.
pub(crate) fn left(code: u8) -> Ending {
    ended(Exit::Code(code))
}

/// The same, ended in another way.
pub(crate) fn ended(exit: Exit) -> Ending {
    Ending { exit, stop: None, report: None, fault: None, raw: false, stdin_untouched: false, breach: None }
}

/// Builders that read like the sentence they make.
pub(crate) trait With {
    fn success(self) -> Ending;
    fn failure(self, error: ReportedError) -> Ending;
    fn unread(self) -> Ending;
    fn raw(self) -> Ending;
    fn stopped(self, stop: Stop) -> Ending;
    fn fault(self, fault: Fault) -> Ending;
    fn out_of_memory(self) -> Ending;
}

impl With for Ending {
    fn success(self) -> Ending {
        Ending { report: Some(Report::Success), ..self }
    }

    fn failure(self, error: ReportedError) -> Ending {
        Ending { report: Some(Report::Failure(error)), ..self }
    }

    fn unread(self) -> Ending {
        Ending { stdin_untouched: true, ..self }
    }

    fn raw(self) -> Ending {
        Ending { raw: true, ..self }
    }

    fn stopped(self, stop: Stop) -> Ending {
        Ending { stop: Some(stop), ..self }
    }

    fn fault(self, fault: Fault) -> Ending {
        Ending { fault: Some(fault), ..self }
    }

    fn out_of_memory(self) -> Ending {
        let breach = Breach { resource: Resource::Memory, limit: 512 << 20, used: 530 << 20 };
        Ending { breach: Some(breach), ..self }
    }
}

/// An error with nothing but a type and a message.
pub(crate) fn error() -> ReportedError {
    ReportedError { kind: "ValueError".into(), message: "no such video".into(), ..ReportedError::default() }
}

/// An outcome in a few words.
pub(crate) fn in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Failed { class, retriable } => {
            format!("failed({}){}", class.as_str(), if *retriable { "" } else { ", final" })
        }
        Outcome::TimedOut { retriable } => format!("timed_out{}", if *retriable { "" } else { ", final" }),
        Outcome::Deferred(None) => "deferred".to_owned(),
        Outcome::Deferred(Some(_)) => "deferred until told".to_owned(),
        other => other.name().as_str().to_owned(),
    }
}
