//! Classes of failure, and what each class calls for.

/// What kind of trouble a worker met; it may name one itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// Passes by itself: a network, a busy server.
    Transient,
    /// Memory, disk or another resource ran short.
    Resource,
    /// The input or the program is wrong; the same again fails again.
    Logic,
    /// A rate limit or a used-up allowance.
    Quota,
}

/// What a class calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Try again after the backoff.
    Wait,
    /// Try again after the backoff with a cleared cache, less at a time, or more room.
    WaitAndShrink,
    /// Trying again cannot help.
    GiveUp,
}

impl FailureClass {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Transient, Self::Resource, Self::Logic, Self::Quota];

    /// The word of the worker protocol.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Resource => "resource",
            Self::Logic => "logic",
            Self::Quota => "quota",
        }
    }

    /// The class of that name, in any case; `None` for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str().eq_ignore_ascii_case(word))
    }

    /// What to do when the worker said nothing more.
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::Transient | Self::Quota => Remedy::Wait,
            Self::Resource => Remedy::WaitAndShrink,
            Self::Logic => Remedy::GiveUp,
        }
    }
}
