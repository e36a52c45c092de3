//! Who ran when: an account that runners write and tests read, to see that no task ran twice at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use wh_domain::id::{AttemptId, Fence, TaskId};
use wh_ports::clock::Clock;

/// One attempt as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The attempt.
    pub attempt: AttemptId,
    /// When its processes were started.
    pub began_at: Duration,
    /// When none was left; `None` while there is one.
    pub ended_at: Option<Duration>,
}

/// Shared by the runners of all hosts that work on one store.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct Witness {
    clock: Arc<dyn Clock>,
    account: Arc<Mutex<Account>>,
}

#[derive(Default)]
struct Account {
    seen: Vec<Seen>,
    alive: BTreeMap<(TaskId, Fence), (usize, Arc<Notify>)>,
    overlaps: Vec<(AttemptId, AttemptId)>,
}

impl Witness {
    /// A witness that has seen nothing yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, account: Arc::default() }
    }

    /// All attempts so far, in order of their starts.
    pub fn seen(&self) -> Vec<Seen> {
        self.account().seen.clone()
    }

    /// Pairs of attempts at the same task that were alive at the same time.
    pub fn overlaps(&self) -> Vec<(AttemptId, AttemptId)> {
        self.account().overlaps.clone()
    }

    /// Whether processes of this attempt are alive.
    pub fn is_alive(&self, attempt: &AttemptId) -> bool {
        self.account().alive.contains_key(&(attempt.task.clone(), attempt.fence))
    }

    /// How many attempts have living processes.
    pub fn alive(&self) -> usize {
        self.account().alive.len()
    }

    /// Notes a start. The end is noted when the answer is dropped.
    pub(crate) fn begin(&self, attempt: AttemptId) -> Alive {
        let killed = Arc::new(Notify::new());
        let mut account = self.account();
        let at = account.seen.len();
        let key = (attempt.task.clone(), attempt.fence);
        let of_task = (key.0.clone(), Fence(i64::MIN))..=(key.0.clone(), Fence(i64::MAX));
        let others: Vec<AttemptId> = account
            .alive
            .range(of_task)
            .map(|((task, fence), _)| AttemptId { task: task.clone(), fence: *fence })
            .collect();
        account.overlaps.extend(others.into_iter().map(|other| (other, attempt.clone())));
        let began_at = self.clock.running();
        account.seen.push(Seen { attempt, began_at, ended_at: None });
        account.alive.insert(key.clone(), (at, Arc::clone(&killed)));
        Alive { witness: self.clone(), key, killed }
    }

    /// Ends an attempt's processes wherever they run.
    pub(crate) fn kill(&self, attempt: &AttemptId) {
        self.end(&(attempt.task.clone(), attempt.fence));
    }

    fn end(&self, key: &(TaskId, Fence)) {
        let now = self.clock.running();
        let mut account = self.account();
        let Some((at, killed)) = account.alive.remove(key) else { return };
        if let Some(seen) = account.seen.get_mut(at) {
            seen.ended_at = Some(now);
        }
        killed.notify_one();
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().expect("no holder of this lock panics")
    }
}

/// An attempt whose processes are alive until this is dropped.
pub(crate) struct Alive {
    witness: Witness,
    key: (TaskId, Fence),
    killed: Arc<Notify>,
}

impl Alive {
    /// Returns when somebody else has ended its processes.
    pub(crate) async fn killed(&self) {
        self.killed.notified().await;
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.witness.end(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    fn attempt(task: &str, fence: i64) -> AttemptId {
        AttemptId { task: TaskId::new(task).unwrap(), fence: Fence(fence) }
    }

    #[test]
    fn two_attempts_at_one_task_at_a_time_are_an_overlap() {
        let witness = Witness::new(Arc::new(FakeClock::new()));
        let first = witness.begin(attempt("a", 1));
        let other = witness.begin(attempt("b", 1));
        assert_eq!(witness.overlaps(), []);
        let second = witness.begin(attempt("a", 2));
        assert_eq!(witness.overlaps(), [(attempt("a", 1), attempt("a", 2))]);
        drop((first, other, second));
    }

    #[test]
    fn one_attempt_after_the_other_is_none_even_in_the_same_millisecond() {
        let witness = Witness::new(Arc::new(FakeClock::new()));
        drop(witness.begin(attempt("a", 1)));
        let second = witness.begin(attempt("a", 2));
        witness.kill(&attempt("a", 2));
        let third = witness.begin(attempt("a", 3));
        assert_eq!(witness.overlaps(), []);
        drop((second, third));
    }
}
