//! From lines to tasks: inputs go to the store batch by batch, and what was left of an earlier run is told apart from
//! what is no input any more.

use super::input::{Identity, Input, index_of};
use super::lines::Batch;
use super::name::Name;
use super::window::Known;
use crate::exit::Exit;
use crate::failure::Failure;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::id::TaskId;
use wh_domain::task::{NewTask, StateName};
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::reader::{Filter, Reader};
use wh_ports::store::StoreError;
use wh_ports::wishes::{Retried, Wishes};
use wh_sqlite::SqliteStore;

/// Between two tries at a store that is away.
const PAUSE: Duration = Duration::from_millis(500);
/// A page of what an earlier run left.
const PAGE: u32 = 1_000;

/// Brings inputs into a map's store.
#[derive(Clone)]
pub(super) struct Feed {
    pub(super) store: Arc<SqliteStore>,
    pub(super) map: Name,
    /// Whether inputs that were given up get a new chance.
    pub(super) retry_failed: bool,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Fed {
    /// Every input with its task and where that stands.
    pub(super) inputs: Vec<(Known, StateName)>,
    /// Lines that are no inputs, and why.
    pub(super) refused: Vec<(u64, String)>,
}

impl Feed {
    /// Brings a batch in. Comes back once it is durable.
    pub(super) async fn bring(self, batch: Batch) -> Result<Fed, Failure> {
        let mut fed = Fed::default();
        let (mut identities, mut tasks) = (Vec::new(), Vec::new());
        for line in batch {
            match line {
                Ok(input) => {
                    identities.push(input.identity);
                    tasks.push(self.task(input)?);
                }
                Err(refused) => fed.refused.push(refused),
            }
        }
        let again: Vec<TaskId> = tasks.iter().map(|task| task.id.clone()).collect();
        let answers = self.enqueue(tasks).await?;
        for (identity, answer) in identities.into_iter().zip(answers) {
            fed.inputs.push(standing(identity, answer)?);
        }
        self.give_new_chances(&mut fed, &again).await?;
        Ok(fed)
    }

    fn task(&self, input: Input) -> Result<NewTask, Failure> {
        let index = input.identity.index;
        input
            .task(&self.map)
            .map_err(|error| Failure::new(Exit::Failed, format!("line {index}: its id {error}")))
    }

    async fn enqueue(&self, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        loop {
            match self.store.enqueue(tasks.clone()).await {
                // The host has told it, and waits as well.
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(PAUSE).await,
                answer => return answer,
            }
        }
    }

    /// What was cancelled is an input again because it came again; what was given up, if that is asked for.
    async fn give_new_chances(&self, fed: &mut Fed, ids: &[TaskId]) -> Result<(), StoreError> {
        let wants = |state| match state {
            StateName::Cancelled => true,
            StateName::Poisoned => self.retry_failed,
            StateName::Pending | StateName::Claimed | StateName::Completed => false,
        };
        let (places, ids): (Vec<usize>, Vec<TaskId>) = fed
            .inputs
            .iter()
            .zip(ids)
            .enumerate()
            .filter(|(_, ((_, state), _))| wants(*state))
            .map(|(place, (_, id))| (place, id.clone()))
            .unzip();
        if ids.is_empty() {
            return Ok(());
        }
        let answers = loop {
            match self.store.retry(ids.clone()).await {
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(PAUSE).await,
                answer => break answer?,
            }
        };
        for (place, answer) in places.into_iter().zip(answers) {
            if let (Some((_, state)), Retried::Done) = (fed.inputs.get_mut(place), answer) {
                *state = StateName::Pending;
            }
        }
        Ok(())
    }
}

fn standing(identity: Identity, answer: Enqueued) -> Result<(Known, StateName), Failure> {
    let (seq, state) = match answer {
        Enqueued::Created(seq) => (seq, StateName::Pending),
        Enqueued::Existing { seq, state } => (seq, state),
        Enqueued::Conflict
        | Enqueued::Duplicate { .. }
        | Enqueued::Full { .. }
        | Enqueued::MissingInput(_) => {
            let message =
                format!("line {}: the map's store does not take it; it holds foreign tasks", identity.index);
            return Err(Failure::new(Exit::Store, message));
        }
    };
    Ok((Known { identity, seq }, state))
}

/// Tasks that an earlier run left unfinished, until their lines have come again. A line that has changed in the
/// meantime is another input, and the old one must not run: therefore no host begins before all of them are known to
/// be inputs still or have been cancelled.
#[derive(Debug, Default)]
pub(super) struct LeftOver {
    tasks: BTreeSet<(u64, TaskId)>,
    /// Lines up to this one have come.
    passed: u64,
}

impl LeftOver {
    /// Asks the store.
    pub(super) async fn of(store: &SqliteStore) -> Result<Self, StoreError> {
        let mut left = BTreeSet::new();
        let mut before = None;
        loop {
            let states = vec![StateName::Pending, StateName::Claimed];
            let page = store.list(Filter { states, before, most: PAGE, ..Filter::default() }).await?;
            for task in page.tasks {
                // A task of another make is none of the lines.
                left.insert((index_of(&task.id).unwrap_or(0), task.id));
            }
            before = page.next;
            if before.is_none() {
                return Ok(Self { tasks: left, passed: 0 });
            }
        }
    }

    /// An input has come, perhaps again.
    pub(super) fn confirm(&mut self, map: &Name, identity: &Identity) {
        self.passed = self.passed.max(identity.index);
        if let Ok(id) = identity.task_id(map) {
            self.tasks.remove(&(identity.index, id));
        }
    }

    /// Whether the lines that have come tell all about them.
    pub(super) fn is_known(&self) -> bool {
        self.tasks.last().is_none_or(|(last, _)| *last <= self.passed)
    }

    /// Those that did not come again.
    pub(super) fn take(&mut self) -> Vec<TaskId> {
        std::mem::take(&mut self.tasks).into_iter().map(|(_, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::map::input::Digest;

    #[test]
    fn a_left_over_task_is_known_once_its_line_has_come_or_another_one_in_its_place() {
        let map = Name::parse("m").unwrap();
        let identity = |index, line: &[u8]| Identity { index, digest: Digest::of(line) };
        let left = [identity(2, b"b"), identity(5, b"e")];
        let tasks = left.iter().map(|one| (one.index, one.task_id(&map).unwrap())).collect();
        let mut left_over = LeftOver { tasks, passed: 0 };
        let mut known = Vec::new();
        for (index, line) in [(1, b"a"), (2, b"x"), (3, b"c"), (4, b"d"), (5, b"e")] {
            assert!(!left_over.is_known());
            left_over.confirm(&map, &identity(index, line));
            known.push(left_over.is_known());
        }
        assert_eq!(known, [false, false, false, false, true]);
        assert_eq!(left_over.take(), [left[0].task_id(&map).unwrap()]);
        assert!(left_over.is_known());
    }
}
