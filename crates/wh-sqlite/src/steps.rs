//! Named places where a test may stop or kill the process, and what is called there.

use std::sync::Arc;

/// Every step, in the order in which one call passes them.
pub const STEPS: &[&str] = &[
    "mark.after_write",
    "mark.after_rename",
    "blob.after_write",
    "blob.after_rename",
    "enqueue.before_commit",
    "enqueue.after_commit",
    "join.before_commit",
    "join.after_commit",
    "claim.before_commit",
    "claim.after_commit",
    "renew.before_commit",
    "renew.after_commit",
    "note.before_commit",
    "note.after_commit",
    "settle.before_commit",
    "settle.after_commit",
    "takeover.before_commit",
    "takeover.after_commit",
    "wish.before_commit",
    "wish.after_commit",
    "sweep.before_commit",
    "sweep.after_commit",
    "leave.before_commit",
    "leave.after_commit",
    "report.before_commit",
    "report.after_commit",
    "bell.before",
    "bell.after",
];

/// Called with the name of each step that is passed.
pub type OnStep = Arc<dyn Fn(&'static str) + Send + Sync>;

/// Tells whoever wants to know; costs one test for nothing when nobody does.
#[derive(Clone, Default)]
pub(crate) struct Steps(pub(crate) Option<OnStep>);

impl Steps {
    pub(crate) fn pass(&self, step: &'static str) {
        if let Some(on_step) = &self.0 {
            on_step(step);
        }
    }
}

/// What a write is for: names its steps and says how durable it must be before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Enqueue,
    Join,
    Claim,
    Renew,
    /// Progress alone.
    Progress,
    /// At least one checkpoint.
    Note,
    Settle,
    TakeOver,
    Wish,
    Sweep,
    Leave,
    Report,
}

impl Verb {
    /// The steps before and after its commit.
    pub(crate) const fn steps(self) -> (&'static str, &'static str) {
        match self {
            Self::Enqueue => ("enqueue.before_commit", "enqueue.after_commit"),
            Self::Join => ("join.before_commit", "join.after_commit"),
            Self::Claim => ("claim.before_commit", "claim.after_commit"),
            Self::Renew => ("renew.before_commit", "renew.after_commit"),
            Self::Progress | Self::Note => ("note.before_commit", "note.after_commit"),
            Self::Settle => ("settle.before_commit", "settle.after_commit"),
            Self::TakeOver => ("takeover.before_commit", "takeover.after_commit"),
            Self::Wish => ("wish.before_commit", "wish.after_commit"),
            Self::Sweep => ("sweep.before_commit", "sweep.after_commit"),
            Self::Leave => ("leave.before_commit", "leave.after_commit"),
            Self::Report => ("report.before_commit", "report.after_commit"),
        }
    }

    /// Whether a power cut right after the answer may undo it. A lease ends with its boot anyway, and progress is
    /// only for looking at.
    pub(crate) const fn may_be_lost(self) -> bool {
        matches!(self, Self::Renew | Self::Progress | Self::Report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verbs_steps_are_in_the_list_and_the_list_has_no_twins() {
        use Verb::{
            Claim, Enqueue, Join, Leave, Note, Progress, Renew, Report, Settle, Sweep, TakeOver, Wish,
        };
        for verb in
            [Enqueue, Join, Claim, Renew, Progress, Note, Settle, TakeOver, Wish, Sweep, Leave, Report]
        {
            let (before, after) = verb.steps();
            assert!(STEPS.contains(&before) && STEPS.contains(&after), "{verb:?}");
        }
        let distinct: std::collections::BTreeSet<_> = STEPS.iter().collect();
        assert_eq!(distinct.len(), STEPS.len());
    }
}
