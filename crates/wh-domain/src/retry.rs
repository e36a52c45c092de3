//! How often a task is tried and how long it waits in between.

use std::time::Duration;

/// A random number drawn by the caller, so that the rules stay pure.
#[derive(Debug, Clone, Copy)]
pub struct Dice(pub u64);

impl Dice {
    /// A share of `whole`, uniform over `0 ..= whole`, in milliseconds.
    fn share_of(self, whole: Duration) -> Duration {
        let millis = u64::try_from(whole.as_millis()).unwrap_or(u64::MAX);
        // Of the longest of all waits the last millisecond is never drawn; `+ 1` must not overflow.
        Duration::from_millis(self.0 % millis.saturating_add(1))
    }
}

/// How much of a wait is left to chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// Anything from [`Backoff::LEAST`] to the whole wait, so that a crowd spreads out ("full jitter", M. Brooker,
    /// *Exponential Backoff And Jitter*, AWS Architecture Blog, 2015).
    Full,
    /// Exactly the computed wait.
    None,
}

/// The growing wait between tries: `base × factor^(tries − 1)`, at most `max`, then jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first counted try.
    pub base: Duration,
    /// By how much it grows each time; at least 1.
    pub factor: u32,
    /// The longest wait.
    pub max: Duration,
    /// Chance.
    pub jitter: Jitter,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), factor: 2, max: Duration::from_secs(60), jitter: Jitter::Full }
    }
}

impl Backoff {
    /// No chance makes a wait shorter, unless the whole wait is: what failed a moment ago would fail again.
    pub const LEAST: Duration = Duration::from_millis(100);

    /// The wait after `tries` counted tries (1 after the first). Never above `max`, for any number.
    pub fn wait(&self, tries: u32, dice: Dice) -> Duration {
        // Beyond 2^63 milliseconds every wait is `max` anyway, so a clamped exponent changes no answer.
        let exponent = tries.saturating_sub(1).min(63);
        let growth = u128::from(self.factor.max(1)).saturating_pow(exponent);
        let millis = self.base.as_millis().saturating_mul(growth).min(self.max.as_millis());
        let whole = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        match self.jitter {
            Jitter::Full => dice.share_of(whole).max(whole.min(Self::LEAST)),
            Jitter::None => whole,
        }
    }
}

/// What to do with a task whose host died under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLost {
    /// Try again: the work may be done twice.
    Retry,
    /// Give up: the work is started at most once.
    Fail,
}

/// The caps of a worker's tasks: the N-th ending of a kind gives the task up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Counted tries of any kind.
    pub max_attempts: u32,
    /// Tries that killed the worker.
    pub max_crashes: u32,
    /// Tries that ran out of time.
    pub max_timeouts: u32,
    /// Hosts that died under it.
    pub max_lost: u32,
    /// Times the worker could not run.
    pub max_worker_broken: u32,
    /// Times the worker put it off.
    pub max_deferrals: u32,
    /// Times the host was stopped under it.
    pub max_interruptions: u32,
    /// The wait between counted tries.
    pub backoff: Backoff,
    /// What an unknown fate means.
    pub on_lost: OnLost,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            max_crashes: 2,
            max_timeouts: 2,
            max_lost: 5,
            max_worker_broken: 10,
            max_deferrals: 100,
            max_interruptions: 100,
            backoff: Backoff::default(),
            on_lost: OnLost::Retry,
        }
    }
}
