//! The ladder of one attempt: what the host does next, as a pure function of where it stands and what happened.

use wh_domain::ending::Stop;
use wh_ports::runner::Order;

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The worker works.
    Running {
        /// Whether the worker knows that the host is going down.
        draining: bool,
    },
    /// The worker has ended by itself; its guardian ends what it left behind.
    Emptying,
    /// SIGTERM is out and the grace runs.
    Terminating(Stop),
    /// SIGKILL is out, again and again.
    Killing(Stop),
    /// Something is alive that SIGKILL has not ended in its time; why the attempt was to end, if not by itself.
    Stuck(Option<Stop>),
    /// No process of it is alive.
    Over(Option<Stop>),
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// The soft limit was reached.
    SoftDue,
    /// The hard limit was reached.
    HardDue,
    /// The worker has said nothing for its stall limit.
    StallDue,
    /// The worker wrote more than it may.
    TooMuch,
    /// Its files have reached a limit.
    Full,
    /// The host wants something.
    Ordered(Order),
    /// The time between SIGTERM and SIGKILL is over.
    GraceOver,
    /// SIGKILL has had its time.
    PatienceOver,
    /// The worker has ended; processes of its own live on.
    Exited,
    /// The tree is empty.
    Ended,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Tell the worker, the log and the host that the soft limit was reached; send the worker's own signal for it.
    WarnSoft,
    /// Tell the worker that a person wants it ended.
    TellCancel,
    /// Tell the worker that the host is going down.
    TellDrain,
    /// SIGTERM to the whole tree.
    Terminate,
    /// SIGKILL to the whole tree until it is empty.
    Kill,
}

impl State {
    /// The start.
    pub(crate) const START: Self = Self::Running { draining: false };

    /// Why the host wanted the attempt to end, if it did.
    pub(crate) const fn stop(self) -> Option<Stop> {
        match self {
            Self::Running { .. } | Self::Emptying => None,
            Self::Terminating(stop) | Self::Killing(stop) => Some(stop),
            Self::Stuck(stop) | Self::Over(stop) => stop,
        }
    }

    /// The next state, and what is to be done on the way, in this order. The first reason to end counts; a later
    /// one can only make it quicker.
    pub(crate) fn step(self, input: Input) -> (Self, &'static [Effect]) {
        use Effect::{Kill, TellCancel, TellDrain, Terminate, WarnSoft};
        match (self, input) {
            (Self::Over(_), _) => (self, &[]),
            (_, Input::Ended) => (Self::Over(self.stop()), &[]),
            (Self::Running { .. }, Input::SoftDue) => (self, &[WarnSoft]),
            (Self::Running { .. }, Input::HardDue) => (Self::Terminating(Stop::Timeout), &[Terminate]),
            (Self::Running { .. }, Input::StallDue) => (Self::Terminating(Stop::Stall), &[Terminate]),
            (Self::Running { .. }, Input::TooMuch) => (Self::Terminating(Stop::Output), &[Terminate]),
            // Whoever fills the disk is given no time to go on with it.
            (Self::Running { .. }, Input::Full) => (Self::Killing(Stop::Limit), &[Kill]),
            (Self::Running { .. }, Input::Exited) => (Self::Emptying, &[]),
            (Self::Running { draining }, Input::Ordered(order)) => match order {
                Order::Cancel => (Self::Terminating(Stop::Cancel), &[TellCancel, Terminate]),
                Order::Drain if draining => (self, &[]),
                Order::Drain => (Self::Running { draining: true }, &[TellDrain]),
                Order::Stop => (Self::Terminating(Stop::Drain), &[Terminate]),
                Order::Kill if draining => (Self::Killing(Stop::Drain), &[Kill]),
                Order::Kill => (Self::Killing(Stop::LeaseLost), &[Kill]),
            },
            (Self::Terminating(stop), Input::GraceOver | Input::Ordered(Order::Kill)) => {
                (Self::Killing(stop), &[Kill])
            }
            (Self::Emptying, Input::Ordered(Order::Kill)) => (self, &[Kill]),
            (Self::Emptying | Self::Killing(_), Input::PatienceOver) => (Self::Stuck(self.stop()), &[]),
            (
                Self::Running { .. }
                | Self::Emptying
                | Self::Terminating(_)
                | Self::Killing(_)
                | Self::Stuck(_),
                _,
            ) => (self, &[]),
        }
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    const RUNNING: State = State::START;
    const DRAINING: State = State::Running { draining: true };

    #[track_caller]
    fn check(from: State, input: Input, to: State, effects: &[Effect]) {
        assert_eq!(from.step(input), (to, effects), "{from:?} + {input:?}");
    }

    #[test]
    fn a_running_worker_is_warned_asked_and_ended_for_the_reason_that_came_first() {
        use Effect::{Kill, TellCancel, TellDrain, Terminate, WarnSoft};
        use Input::Ordered;
        check(RUNNING, Input::SoftDue, RUNNING, &[WarnSoft]);
        check(RUNNING, Input::HardDue, State::Terminating(Stop::Timeout), &[Terminate]);
        check(RUNNING, Input::StallDue, State::Terminating(Stop::Stall), &[Terminate]);
        check(RUNNING, Input::TooMuch, State::Terminating(Stop::Output), &[Terminate]);
        check(RUNNING, Input::Full, State::Killing(Stop::Limit), &[Kill]);
        check(RUNNING, Input::Exited, State::Emptying, &[]);
        check(RUNNING, Input::Ended, State::Over(None), &[]);
        check(RUNNING, Ordered(Order::Cancel), State::Terminating(Stop::Cancel), &[TellCancel, Terminate]);
        check(RUNNING, Ordered(Order::Drain), DRAINING, &[TellDrain]);
        check(DRAINING, Ordered(Order::Drain), DRAINING, &[]);
        check(RUNNING, Ordered(Order::Stop), State::Terminating(Stop::Drain), &[Terminate]);
        check(RUNNING, Ordered(Order::Kill), State::Killing(Stop::LeaseLost), &[Kill]);
        check(DRAINING, Ordered(Order::Kill), State::Killing(Stop::Drain), &[Kill]);
        check(DRAINING, Input::HardDue, State::Terminating(Stop::Timeout), &[Terminate]);
    }

    #[test]
    fn grace_ends_in_a_kill_and_a_kill_in_an_empty_tree_or_a_stuck_one() {
        for stop in Stop::ALL {
            let (terminating, killing) = (State::Terminating(stop), State::Killing(stop));
            check(terminating, Input::GraceOver, killing, &[Effect::Kill]);
            check(terminating, Input::Ordered(Order::Kill), killing, &[Effect::Kill]);
            check(terminating, Input::Ended, State::Over(Some(stop)), &[]);
            check(killing, Input::Ended, State::Over(Some(stop)), &[]);
            check(killing, Input::PatienceOver, State::Stuck(Some(stop)), &[]);
            check(State::Stuck(Some(stop)), Input::Ended, State::Over(Some(stop)), &[]);
            for input in [
                Input::SoftDue,
                Input::HardDue,
                Input::StallDue,
                Input::TooMuch,
                Input::Exited,
                Input::Ordered(Order::Cancel),
                Input::Ordered(Order::Drain),
                Input::Ordered(Order::Stop),
            ] {
                check(terminating, input, terminating, &[]);
                check(killing, input, killing, &[]);
            }
        }
    }

    #[test]
    fn a_worker_that_has_ended_by_itself_is_given_no_other_reason() {
        for input in [Input::HardDue, Input::StallDue, Input::Ordered(Order::Cancel), Input::TooMuch] {
            check(State::Emptying, input, State::Emptying, &[]);
        }
        check(State::Emptying, Input::Ordered(Order::Kill), State::Emptying, &[Effect::Kill]);
        check(State::Emptying, Input::PatienceOver, State::Stuck(None), &[]);
        check(State::Emptying, Input::Ended, State::Over(None), &[]);
    }
}
