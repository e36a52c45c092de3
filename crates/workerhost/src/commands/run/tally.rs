//! What a run has done, counted as it happens.

use crate::context::Context;
use crate::failure::Failure;
use crate::words::some;
use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use wh_domain::event::Event;
use wh_domain::lifecycle::Next;
use wh_domain::time::Timestamp;
use wh_ports::observe::Observer;

/// Tasks that ended in this run, and attempts that did not end their task.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counts>);

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) completed: u64,
    pub(super) poisoned: u64,
    pub(super) cancelled: u64,
    /// Attempts after which the task is tried again.
    pub(super) tried_again: u64,
    /// Types that tasks wait of and no worker takes.
    pub(super) without_worker: Vec<String>,
    /// Workers that are put aside, so that tasks may wait for them.
    pub(super) quarantined: Vec<Quarantined>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Quarantined {
    worker: String,
    why: String,
}

#[derive(Serialize)]
struct Summary {
    schema: &'static str,
    #[serde(flatten)]
    counts: Counts,
}

impl Counts {
    /// Whether something that was to be done was not, and will not be unless somebody sees to it.
    pub(super) fn is_incomplete(&self) -> bool {
        self.poisoned > 0 || !self.quarantined.is_empty()
    }
}

impl Tally {
    pub(super) fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells what the run has done.
    pub(super) fn tell(&self, context: &Context) -> Result<(), Failure> {
        let counts = self.counts();
        if context.terminal.json {
            return context.terminal.object(&Summary { schema: "workerhost.run/v1", counts });
        }
        context.terminal.print(&words(&counts))
    }
}

fn words(counts: &Counts) -> String {
    let mut line = format!("{} completed", some(counts.completed, "task"));
    for (count, what) in [(counts.poisoned, "given up"), (counts.cancelled, "cancelled")] {
        if count > 0 {
            line.extend([", ", &count.to_string(), " ", what]);
        }
    }
    if counts.tried_again > 0 {
        line.extend(["; ", &some(counts.tried_again, "attempt"), " had to be tried again"]);
    }
    line.push('.');
    if !counts.without_worker.is_empty() {
        let types = counts.without_worker.join(", ");
        line.extend(["\nTasks of these types wait, because no worker takes them: ", &types, "."]);
    }
    for Quarantined { worker, why } in &counts.quarantined {
        line.extend(["\nWorker ", worker, " is put aside, and its tasks wait: ", why]);
    }
    line
}

impl Observer for Tally {
    fn observe(&self, _at: Timestamp, event: &Event) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Settled { next, .. } => match next {
                Next::Completed => counts.completed += 1,
                Next::Poisoned(_) => counts.poisoned += 1,
                Next::Cancelled => counts.cancelled += 1,
                Next::Pending { .. } => counts.tried_again += 1,
            },
            Event::NoWorker { task_type } => {
                let task_type = task_type.to_string();
                if !counts.without_worker.contains(&task_type) {
                    counts.without_worker.push(task_type);
                }
            }
            Event::WorkerQuarantined { worker, why, .. } => {
                counts.quarantined.retain(|aside| aside.worker != worker.as_str());
                let (worker, why) = (worker.to_string(), why.to_string());
                counts.quarantined.push(Quarantined { worker, why });
            }
            Event::WorkerRecovered { worker } => {
                counts.quarantined.retain(|aside| aside.worker != worker.as_str());
            }
            Event::ConfigReloaded { changed, removed, .. } => {
                let is_new = |aside: &Quarantined| {
                    changed.iter().chain(removed).any(|worker| worker.as_str() == aside.worker)
                };
                counts.quarantined.retain(|aside| !is_new(aside));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_told_in_one_sentence_and_what_still_waits_in_another() {
        let mut counts = Counts { completed: 1, ..Counts::default() };
        assert_eq!(words(&counts), "1 task completed.");
        counts = Counts { completed: 15, poisoned: 3, tried_again: 4, ..counts };
        counts.without_worker.push("video.transcode".to_owned());
        assert_eq!(
            words(&counts),
            "15 tasks completed, 3 given up; 4 attempts had to be tried again.\n\
             Tasks of these types wait, because no worker takes them: video.transcode."
        );
        let aside =
            |worker: &str| Quarantined { worker: worker.to_owned(), why: "It is not there.".to_owned() };
        counts = Counts { quarantined: vec![aside("scan"), aside("mail")], ..Counts::default() };
        assert_eq!(
            words(&counts),
            "0 tasks completed.\n\
             Worker scan is put aside, and its tasks wait: It is not there.\n\
             Worker mail is put aside, and its tasks wait: It is not there."
        );
    }
}
