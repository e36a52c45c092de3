//! How long an attempt may take, and the steps by which it is ended.

use std::time::Duration;

/// The share of the hard limit at which a worker is asked to wrap up, where nothing else is configured.
pub const DEFAULT_SOFT_PERCENT: u32 = 80;

/// The time limits of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeoutPolicy {
    /// The attempt is ended at this age.
    pub hard: Duration,
    /// The worker is asked to wrap up at this age.
    pub soft: Duration,
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Ends a worker that has sent no event for this long; off when `None`.
    pub stall_after: Option<Duration>,
    /// A signal sent with the soft timeout, for workers that ask for one.
    pub soft_signal: Option<i32>,
}

/// Why limits do not fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadTimeout {
    /// The hard limit is zero.
    Zero,
    /// The soft limit is not below the hard one.
    SoftNotBelowHard,
}

impl std::fmt::Display for BadTimeout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Zero => "the timeout must be longer than nothing",
            Self::SoftNotBelowHard => "soft must be below timeout",
        })
    }
}

impl std::error::Error for BadTimeout {}

impl Default for TimeoutPolicy {
    fn default() -> Self {
        Self {
            hard: Duration::from_secs(300),
            soft: Duration::from_secs(240),
            grace: Duration::from_secs(10),
            stall_after: None,
            soft_signal: None,
        }
    }
}

impl TimeoutPolicy {
    /// Limits with the soft one at `soft`, or at [`DEFAULT_SOFT_PERCENT`] of `hard`.
    ///
    /// # Errors
    /// [`BadTimeout`] when the limits contradict each other.
    pub fn new(hard: Duration, soft: Option<Duration>, grace: Duration) -> Result<Self, BadTimeout> {
        if hard.is_zero() {
            return Err(BadTimeout::Zero);
        }
        let soft = soft.unwrap_or_else(|| hard.mul_f64(f64::from(DEFAULT_SOFT_PERCENT) / 100.0));
        if soft >= hard {
            return Err(BadTimeout::SoftNotBelowHard);
        }
        Ok(Self { hard, soft, grace, stall_after: None, soft_signal: None })
    }
}
