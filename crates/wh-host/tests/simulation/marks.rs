//! Situations that are worth having been in, each counted.

use std::collections::BTreeMap;

macro_rules! marks {
    ($($name:ident,)*) => {
        /// A situation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Mark { $($name,)* }

        impl Mark {
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

marks! {
    LateSettlementWasFenced,
    CancelRacedSuccess,
    CancelledWhilePending,
    CancelledWhileRunning,
    CancelCameTooLate,
    ReclaimDuringDrain,
    ReclaimFromSilentHost,
    ReclaimFromDeadHost,
    OrphanOrphanedAgain,
    SettlementRepeatedAfterLostAnswer,
    StoreAwayAtSettlement,
    StoreAwayForLong,
    RenewalRefusedAndHostLivedOn,
    WorkerQuarantined,
    WorkerQuarantinedThenRecovered,
    WorkerQuarantinedForGoodThenResumed,
    DrainFinishedByItself,
    DrainKilled,
    DrainHurried,
    HostExpelled,
    HostExpelledWhileCarrying,
    HostIdle,
    HostCrashedWhileCarrying,
    MachineRebooted,
    PausedBeyondItsLease,
    ClaimReleased,
    WallClockJumpedDuringBackoff,
    WallClockJumpedBackDuringWait,
    UnknownTypeWaitedThenWorkerCame,
    StuckTreeHeldItsTask,
    FollowUpBorn,
    FollowUpRefused,
    SameIdAgain,
    SameIdOtherContent,
    UniqueKeyHeld,
    StoreFull,
    EnqueueRepeatedAfterLostAnswer,
    BellLost,
    CheckpointHandedOn,
    RetriedByPerson,
    ReloadedWhileCarrying,
    LostIsFinal,
    AttemptInterruptedByItsOwnHost,
    Swept,
    PoisonedByAttempts,
    PoisonedByCrashes,
    PoisonedByTimeouts,
    PoisonedByLosses,
    PoisonedByWorker,
    PoisonedByDeferrals,
    PoisonedByInterruptions,
    PoisonedAsNotRetriable,
}

/// How often each situation was met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks(BTreeMap<Mark, u64>);

impl Marks {
    pub(crate) fn note(&mut self, mark: Mark) {
        *self.0.entry(mark).or_default() += 1;
    }

    pub(crate) fn add(&mut self, others: &Self) {
        for (mark, times) in &others.0 {
            *self.0.entry(*mark).or_default() += times;
        }
    }

    pub(crate) fn times(&self, mark: Mark) -> u64 {
        self.0.get(&mark).copied().unwrap_or(0)
    }

    /// Those that were never met.
    pub(crate) fn missed(&self) -> Vec<Mark> {
        Mark::ALL.iter().copied().filter(|mark| self.times(*mark) == 0).collect()
    }
}
