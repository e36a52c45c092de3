//! Which of two waiting tasks goes first: priorities that age, without ever touching a waiting task.

use crate::time::Timestamp;

/// How much waiting outweighs one step of priority, in milliseconds, unless configured.
pub const DEFAULT_STEP_MILLIS: i64 = 60_000;

/// How priority and age are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ageing {
    /// One step of priority is worth this many milliseconds of waiting.
    Step(i64),
    /// A higher priority always goes first; equals go by age.
    Strict,
}

impl Default for Ageing {
    fn default() -> Self {
        Self::Step(DEFAULT_STEP_MILLIS)
    }
}

/// The place in line: the smallest goes first. It is computed once, when the task becomes due, because two tasks
/// that both wait grow old at the same pace and so never change places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(pub i64);

impl Ageing {
    /// The rank of a task of `priority` that may run from `due` on.
    pub fn rank(self, priority: i32, due: Timestamp) -> Rank {
        match self {
            Self::Step(step) => {
                Rank(due.as_millis().saturating_sub(i64::from(priority).saturating_mul(step)))
            }
            // 2^42 milliseconds are 139 years: no age outweighs a step.
            Self::Strict => Rank(
                (due.as_millis().clamp(0, (1 << 42) - 1))
                    .saturating_sub(i64::from(priority.clamp(-1_000_000, 1_000_000)) << 42),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn one_step_of_priority_is_worth_a_minute_of_waiting() {
        let ageing = Ageing::default();
        assert!(ageing.rank(1, at(59_999)) < ageing.rank(0, at(0)));
        assert!(ageing.rank(1, at(60_001)) > ageing.rank(0, at(0)), "the old one is not starved");
    }

    #[test]
    fn strict_priority_is_never_outweighed_by_age() {
        let ageing = Ageing::Strict;
        assert!(ageing.rank(1, at(4_000_000_000_000)) < ageing.rank(0, at(0)));
        assert!(ageing.rank(0, at(1)) < ageing.rank(0, at(2)));
    }

    #[test]
    fn extreme_numbers_keep_their_order() {
        for ageing in [Ageing::default(), Ageing::Strict, Ageing::Step(i64::MAX)] {
            for due in [i64::MIN, 0, i64::MAX] {
                assert!(ageing.rank(i32::MAX, at(due)) < ageing.rank(i32::MIN, at(due)), "{ageing:?} {due}");
            }
        }
        assert!(Ageing::Strict.rank(i32::MAX, at(i64::MAX)) < Ageing::Strict.rank(i32::MIN, at(0)));
    }
}
