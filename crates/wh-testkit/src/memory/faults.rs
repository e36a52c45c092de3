//! Trouble on purpose: calls that fail, lose their answer or take their time, drawn from a seed.

use std::time::Duration;

/// The verbs of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the method of that name")]
pub enum Verb {
    Enqueue,
    Join,
    Lanes,
    Claim,
    Renew,
    Heed,
    Note,
    Settle,
    TakeOver,
    Report,
    Leave,
    Read,
    Cancel,
    Retry,
    ResumeWorker,
    Sweep,
    Check,
    Backup,
    KeepFile,
    Listen,
    HasChanged,
}

/// What is to go wrong, in how many of a thousand calls.
#[derive(Debug, Clone)]
pub struct Faults {
    /// Same seed, same faults.
    pub seed: u64,
    /// Only these verbs; empty is all.
    pub verbs: Vec<Verb>,
    /// Calls that fail before anything is done.
    pub refused: u32,
    /// Calls that are done, but whose answer says that they were not: a commit of unknown fate.
    pub unanswered: u32,
    /// Calls that wait first.
    pub delayed: u32,
    /// The longest such wait.
    pub longest: Duration,
}

impl Faults {
    /// No faults yet, to be filled in.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, verbs: Vec::new(), refused: 0, unanswered: 0, delayed: 0, longest: Duration::ZERO }
    }
}

/// What is to happen to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fate {
    pub(super) wait: Option<Duration>,
    pub(super) refused: bool,
    pub(super) unanswered: bool,
}

/// Draws fates.
#[derive(Debug)]
pub(super) struct Fates {
    faults: Faults,
    dice: fastrand::Rng,
}

impl Fates {
    pub(super) fn new(faults: Faults) -> Self {
        Self { dice: fastrand::Rng::with_seed(faults.seed), faults }
    }

    pub(super) fn draw(&mut self, verb: Verb) -> Fate {
        if !self.faults.verbs.is_empty() && !self.faults.verbs.contains(&verb) {
            return Fate::default();
        }
        let mut hit = |permille: u32| self.dice.u32(0..1_000) < permille;
        let (delayed, refused) = (hit(self.faults.delayed), hit(self.faults.refused));
        let unanswered = !refused && hit(self.faults.unanswered);
        let longest = u64::try_from(self.faults.longest.as_millis()).unwrap_or(u64::MAX);
        let wait = delayed.then(|| Duration::from_millis(self.dice.u64(0..=longest)));
        Fate { wait, refused, unanswered }
    }
}
