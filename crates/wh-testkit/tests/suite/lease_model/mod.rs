//! Claim, lease, take-over and fence as a model small enough to be looked at in every state it can reach.
//!
//! Messages are late at will: a settlement may arrive after its sender was paused, given up, or dead. The rules are
//! those of the stores, nothing else is.

mod action;
mod state;

use action::{Action, Answer, Rules, all};
use state::{Process, Standing, State};
use stateright::{Checker, HasDiscoveries, Model, Property};
use std::collections::BTreeSet;

const ALL_RULES: Rules =
    Rules { fence_on_settle: true, fence_grows_on_take_over: true, state_on_settle: true, take_over: true };

const ONCE: &str = "a task ends at most once";
const BY_HOLDER: &str = "who settles holds the task, under its fence";
const ALWAYS: &str = "once faults cease, every task comes to its end";

/// The model under some rules, up to some fence.
#[derive(Debug, Clone, Copy)]
struct Leases {
    rules: Rules,
    /// Claims and take-overs of one task.
    most_fences: u8,
}

impl Model for Leases {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(all().filter(|action| action.on(*state, self.rules).is_some()));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        action.on(*state, self.rules)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.tasks.iter().all(|task| task.fence <= self.most_fences)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONCE, |_, state: &State| state.tasks.iter().all(|task| task.ends <= 1)),
            Property::always(BY_HOLDER, |_, state: &State| !state.tasks.iter().any(|task| task.usurped)),
            Property::always(ALWAYS, |model: &Self, state| model.comes_to_an_end(state)),
            Property::sometimes("a task ends after it was taken over twice", |_, state: &State| {
                state.tasks.iter().any(|task| task.standing == Standing::Ended && task.fence > 2)
            }),
            Property::sometimes("all hosts are out or dead at once", |_, state: &State| {
                state.hosts.iter().all(|host| host.out || host.process == Process::Crashed)
            }),
        ]
    }
}

impl Leases {
    /// Whether hosts that only mend and work bring every task to its end.
    fn comes_to_an_end(self, state: &State) -> bool {
        const ENOUGH: usize = 60;
        let is_over = |state: &State| state.tasks.iter().all(|task| task.standing == Standing::Ended);
        let mut state = *state;
        for _ in 0..ENOUGH {
            if is_over(&state) {
                return true;
            }
            match all().filter(|action| mends_or_works(*action)).find_map(|it| it.on(state, self.rules)) {
                Some(next) => state = next,
                None => return false,
            }
        }
        is_over(&state)
    }
}

fn mends_or_works(action: Action) -> bool {
    match action {
        Action::Resume(_) | Action::Renew(_) | Action::Restart(_) | Action::TakeOver { .. } => true,
        Action::Claim(..) | Action::Send(..) | Action::Arrive(.., Answer::Heard) => true,
        Action::Arrive(.., Answer::Lost) | Action::Crash(_) | Action::Pause(_) | Action::Expire(_) => false,
    }
}

#[test]
fn no_order_of_events_ends_a_task_twice_or_never() {
    let model = Leases { rules: ALL_RULES, most_fences: 4 };
    let checked = model.checker().threads(2).spawn_bfs().join();
    let states = checked.unique_state_count();
    checked.assert_properties();
    assert!(states >= 500_000, "only {states} states were looked at");
}

#[test]
fn without_any_one_rule_some_order_of_events_breaks_a_promise() {
    let missed = [
        (Rules { fence_on_settle: false, ..ALL_RULES }, BY_HOLDER),
        (Rules { fence_grows_on_take_over: false, ..ALL_RULES }, BY_HOLDER),
        (Rules { state_on_settle: false, ..ALL_RULES }, ONCE),
        (Rules { take_over: false, ..ALL_RULES }, ALWAYS),
    ];
    for (rules, promise) in missed {
        let enough = HasDiscoveries::AllOf(BTreeSet::from([promise]));
        let checked = Leases { rules, most_fences: 4 }.checker().finish_when(enough).spawn_bfs().join();
        assert!(checked.discovery(promise).is_some(), "{rules:?}: {promise}");
    }
}
