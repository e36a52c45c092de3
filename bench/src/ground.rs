//! What every measurement stands on: the program, a directory on the disk that is measured, and how much is wanted.

use crate::quiet::Quiet;
use crate::worker::{Act, WORKER};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What every measurement stands on.
#[derive(Debug)]
pub(crate) struct Ground {
    /// The program that is measured.
    pub(crate) program: PathBuf,
    /// This program, for workers that tell when they began.
    pub(crate) own: PathBuf,
    /// Where files go.
    pub(crate) dir: PathBuf,
    pub(crate) scale: Scale,
    pub(crate) quiet: Quiet,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Rounds; the first of them only warms up where there is more than one.
    pub(crate) rounds: usize,
    /// Tasks carried in a round.
    pub(crate) carried: u32,
    /// Tasks of the slow interpreter in a round.
    pub(crate) interpreted: u32,
    /// How long a rate is measured in a round.
    pub(crate) time: Duration,
    /// Tasks that come in at once in a round.
    pub(crate) bulk: u32,
    /// How often a latency is measured in a round.
    pub(crate) samples: u32,
    /// How often a host is started or killed.
    pub(crate) restarts: u32,
    /// Rows that are called a million.
    pub(crate) million: u64,
    /// Rows that are called ten million; none: that is left out.
    pub(crate) ten_million: Option<u64>,
    /// How long an idle host is watched.
    pub(crate) idle: Duration,
}

impl Scale {
    /// What the published numbers come from.
    pub(crate) const WHOLE: Self = Self {
        rounds: 6,
        carried: 1_000,
        interpreted: 300,
        time: Duration::from_secs(1),
        bulk: 100_000,
        samples: 40,
        restarts: 10,
        million: 1_000_000,
        ten_million: None,
        idle: Duration::from_secs(60),
    };

    /// Enough to see that every measurement works, and not enough to believe any.
    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        carried: 20,
        interpreted: 4,
        time: Duration::from_millis(50),
        bulk: 1_000,
        samples: 3,
        restarts: 1,
        million: 2_000,
        ten_million: None,
        idle: Duration::from_millis(500),
    };

    /// The rounds that count.
    pub(crate) fn counts(&self, round: usize) -> bool {
        round > 0 || self.rounds == 1
    }
}

impl Ground {
    /// The command line of a worker that tells when it began.
    pub(crate) fn worker(&self, act: Act, stamps: &Path) -> Vec<String> {
        let own = self.own.to_string_lossy().into_owned();
        vec![own, WORKER.to_owned(), act.name().to_owned(), stamps.to_string_lossy().into_owned()]
    }
}
