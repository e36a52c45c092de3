//! Duties of a host that can be taken from it from outside: what it does for them no longer reaches the world.

/// One duty that is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// A claim is answered, and then not committed.
    CommitBeforeSpawn,
    /// A settlement is acknowledged and never written.
    CommitBeforeAcknowledgement,
    /// An attempt counts as ended while its processes are alive.
    EmptyBeforeSettlement,
    /// The lease is not renewed.
    Renewal,
    /// What people wish does not reach the host before its attempts have ended.
    Wishes,
    /// Settlements say that they know of every wish.
    AskAboutWishes,
    /// No bell is heard, and nothing is found by looking.
    News,
    /// Nothing is taken over from the dead.
    TakeOver,
    /// Nothing of the dead is ended before their tasks go on.
    Burial,
    /// A refused settlement counts as done.
    Fence,
    /// A lost answer is as good as none: what was asked is not asked again.
    Repetition,
}

impl Sabotage {
    pub(crate) const ALL: [Self; 11] = [
        Self::CommitBeforeSpawn,
        Self::CommitBeforeAcknowledgement,
        Self::EmptyBeforeSettlement,
        Self::Renewal,
        Self::Wishes,
        Self::AskAboutWishes,
        Self::News,
        Self::TakeOver,
        Self::Burial,
        Self::Fence,
        Self::Repetition,
    ];
}
