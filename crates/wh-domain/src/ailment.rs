//! What the last attempts of a worker say is wrong with it: why they run out of time or memory, and why they fail.

use crate::attempt::AttemptRecord;
use crate::ending::Stop;
use crate::limits::{Breach, Limits, Resource};
use crate::outcome::OutcomeName;
use crate::timeout::TimeoutPolicy;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many of the last attempts are looked at.
pub const WINDOW: usize = 50;
/// Whose last so many attempts went well is well, whatever was before: it has been mended.
const RECOVERED: usize = 3;
/// What happens less often than in one of so many attempts is no ailment.
const RARE: usize = 10;
/// Once may be chance.
const LEAST: usize = 2;

/// How many of the attempts that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// So many.
    pub part: usize,
    /// Of so many.
    pub whole: usize,
}

/// Something that is wrong with a worker.
#[derive(Debug, Clone, PartialEq)]
pub enum Ailment<'a> {
    /// Attempts reach the limit of time.
    TimesOut {
        /// How many.
        often: Share,
        /// The limit.
        limit: Duration,
        /// The longest that one took which succeeded; `None` where none did.
        slowest: Option<Duration>,
        /// The last of them.
        last: &'a AttemptRecord,
    },
    /// Attempts send no sign of life for as long as they may.
    Stalls {
        /// How many.
        often: Share,
        /// How long they may.
        limit: Duration,
        /// The last of them.
        last: &'a AttemptRecord,
    },
    /// Attempts reach the limit of memory.
    RunsOutOfMemory {
        /// How many.
        often: Share,
        /// The limit, in bytes.
        limit: u64,
        /// The most that was seen, in bytes.
        peak: u64,
        /// The last of them.
        last: &'a AttemptRecord,
    },
    /// Attempts are ended because memory runs out around them: on the machine, or in what the host itself is in.
    MachineRunsOutOfMemory {
        /// How many.
        often: Share,
        /// The last of them.
        last: &'a AttemptRecord,
    },
    /// Attempts end badly in another way.
    Fails {
        /// How many in this way.
        often: Share,
        /// The way.
        outcome: OutcomeName,
        /// The last of those that have the sentence that most of them have.
        last: &'a AttemptRecord,
    },
}

/// What an attempt may take now.
#[derive(Debug, Clone, Copy)]
pub struct Allowance<'a> {
    /// Of time.
    pub timeout: &'a TimeoutPolicy,
    /// Of the machine.
    pub limits: &'a Limits,
}

/// What is wrong with a worker as it is configured now, from its attempts, newest first. What could not happen under the
/// limits of now has been mended and is not told.
pub fn ailments<'a>(allowance: Allowance<'_>, attempts: &[&'a AttemptRecord]) -> Vec<Ailment<'a>> {
    // Of those that were stopped for reasons of others nothing is to be learnt.
    let says_nothing =
        [OutcomeName::Deferred, OutcomeName::Interrupted, OutcomeName::Cancelled, OutcomeName::Lost];
    let looked_at = attempts.iter().filter(|attempt| !says_nothing.contains(&attempt.outcome)).take(WINDOW);
    let looked_at: Vec<&AttemptRecord> = looked_at.copied().collect();
    let went_well = |attempt: &&&AttemptRecord| attempt.outcome == OutcomeName::Succeeded;
    if looked_at.iter().take(RECOVERED).filter(went_well).count() == RECOVERED {
        return Vec::new();
    }
    let mut kinds: BTreeMap<Kind, Vec<&AttemptRecord>> = BTreeMap::new();
    let mut whole = 0;
    for attempt in &looked_at {
        match kind(allowance, attempt) {
            Some(kind) => kinds.entry(kind).or_default().push(attempt),
            None if attempt.outcome == OutcomeName::Succeeded => {}
            // What has been mended says nothing either.
            None => continue,
        }
        whole += 1;
    }
    let is_often = |kind: &(Kind, Vec<_>)| kind.1.len() >= LEAST && kind.1.len() * RARE >= whole;
    let ailment = |(kind, of_it): (Kind, Vec<&'a AttemptRecord>)| {
        let (often, last) = (Share { part: of_it.len(), whole }, *of_it.first()?);
        Some(match kind {
            Kind::TimesOut => {
                let slowest = looked_at.iter().filter(went_well).map(|attempt| took(attempt)).max();
                Ailment::TimesOut { often, limit: allowance.timeout.hard, slowest, last }
            }
            Kind::Stalls => Ailment::Stalls { often, limit: allowance.timeout.stall_after?, last },
            Kind::RunsOutOfMemory => {
                let peak = of_it.iter().map(|attempt| used(attempt)).max()?;
                Ailment::RunsOutOfMemory { often, limit: allowance.limits.memory?, peak, last }
            }
            Kind::MachineRunsOutOfMemory => Ailment::MachineRunsOutOfMemory { often, last },
            Kind::Fails(_) => {
                let last = of_most(&of_it).unwrap_or(last);
                Ailment::Fails { often, outcome: last.outcome, last }
            }
        })
    };
    kinds.into_iter().filter(is_often).filter_map(ailment).collect()
}

/// Ways in which attempts end badly, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    TimesOut,
    Stalls,
    RunsOutOfMemory,
    MachineRunsOutOfMemory,
    /// As this word says.
    Fails(&'static str),
}

/// `None` for what went well, and for what its limits of now would not end.
fn kind(allowance: Allowance<'_>, attempt: &AttemptRecord) -> Option<Kind> {
    match (attempt.outcome, attempt.stop) {
        (OutcomeName::Succeeded, _) => None,
        (_, Some(Stop::Timeout)) => {
            (took(attempt) * 10 >= allowance.timeout.hard * 9).then_some(Kind::TimesOut)
        }
        (_, Some(Stop::Stall)) => {
            allowance.timeout.stall_after.filter(|limit| took(attempt) >= *limit).map(|_| Kind::Stalls)
        }
        (OutcomeName::Failed, _) if attempt.breach.is_some_and(is_of_memory) => match attempt.breach {
            Some(Breach { resource: Resource::MachineMemory, .. }) => Some(Kind::MachineRunsOutOfMemory),
            breach => {
                let was = breach.map_or(0, |breach| breach.limit);
                allowance.limits.memory.filter(|now| *now <= was).map(|_| Kind::RunsOutOfMemory)
            }
        },
        (outcome, _) => Some(Kind::Fails(outcome.as_str())),
    }
}

fn took(attempt: &AttemptRecord) -> Duration {
    attempt.ended_at.since(attempt.started_at)
}

const fn is_of_memory(breach: Breach) -> bool {
    matches!(breach.resource, Resource::Memory | Resource::MachineMemory)
}

/// The most memory that was seen, in bytes.
fn used(attempt: &AttemptRecord) -> u64 {
    attempt.breach.map_or(0, |breach| breach.used).max(attempt.usage.max_rss_kib << 10)
}

/// The last of those that have the sentence that most have.
fn of_most<'a>(attempts: &[&'a AttemptRecord]) -> Option<&'a AttemptRecord> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for attempt in attempts {
        *counts.entry(&attempt.sentence).or_default() += 1;
    }
    // Of equals the one that comes last is taken: the newest.
    attempts.iter().rev().max_by_key(|attempt| counts.get(&*attempt.sentence)).copied()
}
