//! The guards of the reference store by name, each of which can be taken out to prove that it is missed.

/// One rule without which a store breaks a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// A settlement must carry the task's own fence.
    FenceOnSettle,
    /// A note must carry the task's own fence.
    FenceOnNote,
    /// Only a claimed task can be settled.
    StateOnSettle,
    /// A settlement that does not know of a wish to cancel is sent back.
    CancelOnSettle,
    /// One unfinished task per unique key.
    Unique,
    /// The same id with other content is a conflict.
    IdDigest,
    /// A given id is known for a day after the end.
    IdMemory,
    /// No more pending tasks than allowed.
    MaxPending,
    /// A settlement that was made durable before is known again.
    ReplayRecord,
    /// Who was given up cannot renew.
    ExpelledOnRenew,
    /// Who was given up cannot claim.
    ExpelledOnClaim,
    /// Follow-up tasks are added with their settlement or not at all.
    FollowUpsAtomic,
    /// A take-over gives a new fence.
    FenceGrowsOnTakeOver,
    /// A second take-over tells of the first loss.
    FirstLossOnTakeOver,
    /// A lease of another boot is over.
    BootOnLease,
    /// A wait of another boot is not over.
    BootOnWait,
    /// No more claims for a want than it says.
    LimitPerWant,
    /// No more claims in all than the call says.
    LimitInAll,
    /// Nobody's lease is judged after a gap of one's own.
    Amnesty,
    /// A lease that has not run out protects its claims.
    LeaseProtects,
    /// A retry by a person sets the counters to zero.
    CountersOnRetry,
    /// Retention never touches what has not ended.
    SweepEndedOnly,
    /// A fence that was given out with an id is not given out with it again, even after its task was deleted.
    FenceFloor,
}

impl Guard {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::FenceOnSettle,
        Self::FenceOnNote,
        Self::StateOnSettle,
        Self::CancelOnSettle,
        Self::Unique,
        Self::IdDigest,
        Self::IdMemory,
        Self::MaxPending,
        Self::ReplayRecord,
        Self::ExpelledOnRenew,
        Self::ExpelledOnClaim,
        Self::FollowUpsAtomic,
        Self::FenceGrowsOnTakeOver,
        Self::FirstLossOnTakeOver,
        Self::BootOnLease,
        Self::BootOnWait,
        Self::LimitPerWant,
        Self::LimitInAll,
        Self::Amnesty,
        Self::LeaseProtects,
        Self::CountersOnRetry,
        Self::SweepEndedOnly,
        Self::FenceFloor,
    ];
}

/// All guards, but perhaps one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Guards {
    missing: Option<Guard>,
}

impl Guards {
    pub(super) fn without(guard: Guard) -> Self {
        Self { missing: Some(guard) }
    }

    /// Whether a guard is in its place.
    pub(super) fn hold(self, guard: Guard) -> bool {
        self.missing != Some(guard)
    }
}
