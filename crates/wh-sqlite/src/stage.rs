//! The stages of a task's row: the five states, with pending told apart by whether its moment has come.

use crate::failure::{Tried, damaged};
use wh_domain::task::StateName;

/// Where a task's row is; each stage has its own indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Pending, and due.
    Ready,
    /// Pending, and not known to be due.
    Waiting,
    Claimed,
    Completed,
    Poisoned,
    Cancelled,
}

impl Stage {
    /// The number in the file.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Ready => 0,
            Self::Waiting => 1,
            Self::Claimed => 2,
            Self::Completed => 3,
            Self::Poisoned => 4,
            Self::Cancelled => 5,
        }
    }

    /// The stage of that number.
    pub(crate) fn of(code: i64) -> Tried<Self> {
        Ok(match code {
            0 => Self::Ready,
            1 => Self::Waiting,
            2 => Self::Claimed,
            3 => Self::Completed,
            4 => Self::Poisoned,
            5 => Self::Cancelled,
            other => return Err(damaged(format_args!("a task has stage {other}"))),
        })
    }

    /// The state that others see.
    pub(crate) const fn state(self) -> StateName {
        match self {
            Self::Ready | Self::Waiting => StateName::Pending,
            Self::Claimed => StateName::Claimed,
            Self::Completed => StateName::Completed,
            Self::Poisoned => StateName::Poisoned,
            Self::Cancelled => StateName::Cancelled,
        }
    }

    /// The stages of a state.
    pub(crate) const fn of_state(state: StateName) -> &'static [Self] {
        match state {
            StateName::Pending => &[Self::Ready, Self::Waiting],
            StateName::Claimed => &[Self::Claimed],
            StateName::Completed => &[Self::Completed],
            StateName::Poisoned => &[Self::Poisoned],
            StateName::Cancelled => &[Self::Cancelled],
        }
    }
}
