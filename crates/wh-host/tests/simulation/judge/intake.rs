//! What comes in, and what is still there in the end.

use super::case::{Case, Standing};
use super::{Charge, Judge};
use crate::marks::Mark;
use wh_domain::id::{Seq, TaskId};
use wh_domain::task::{Due, NewTask, Task};
use wh_ports::intake::Enqueued;

impl Judge {
    /// A batch was committed with these answers.
    pub(crate) fn enqueued(&mut self, tasks: &[NewTask], answers: &[Enqueued]) {
        for (task, answer) in tasks.iter().zip(answers) {
            match answer {
                Enqueued::Created(seq) => self.created(*seq, task),
                Enqueued::Existing { seq, state } => {
                    self.marks.note(Mark::SameIdAgain);
                    let known = self.case(&task.id).map(|case| (case.seq, case.state(), is_same(case, task)));
                    if known != Some((*seq, Some(*state), true)) {
                        self.charge(Charge::Double, format!("{} is said to exist: {known:?}", task.id));
                    }
                }
                Enqueued::Conflict => {
                    self.marks.note(Mark::SameIdOtherContent);
                    if self.case(&task.id).is_none_or(|case| is_same(case, task)) {
                        self.charge(Charge::Double, format!("{} is said to be another task", task.id));
                    }
                }
                Enqueued::Duplicate { of } => {
                    self.marks.note(Mark::UniqueKeyHeld);
                    if self.holder(task) != Some(of.clone()) {
                        self.charge(Charge::Double, format!("{of} does not hold the key of {}", task.id));
                    }
                }
                Enqueued::Full { .. } => {
                    self.marks.note(Mark::StoreFull);
                    if self.pending() < self.max_pending {
                        self.charge(Charge::Lost, format!("{} was refused by a store with room", task.id));
                    }
                }
                Enqueued::MissingInput(name) => {
                    self.charge(Charge::Lost, format!("{} has no input {name}", task.id));
                }
            }
        }
    }

    fn created(&mut self, seq: Seq, task: &NewTask) {
        let known = self.case(&task.id).map(|case| case.standing.clone());
        if known.as_ref().is_some_and(|standing| *standing != Standing::Swept) {
            self.charge(Charge::Double, format!("{} was created again; it is {known:?}", task.id));
        }
        if self.pending() >= self.max_pending {
            self.charge(Charge::Double, format!("{} was taken by a store that is full", task.id));
        }
        self.add(seq, task);
    }

    /// A task is there that was not there before.
    pub(super) fn add(&mut self, seq: Seq, task: &NewTask) {
        if let Some(holder) = self.holder(task) {
            self.charge(Charge::Double, format!("{} and {holder} share a unique key", task.id));
        }
        if self.cases.contains_key(&seq) {
            self.charge(Charge::Double, format!("{} was given a number that was given before", task.id));
        }
        let due = Due { at: task.run_at.unwrap_or(self.wall).max(self.wall), instant: None };
        let mut case = Case::new(seq, task.clone(), due, self.now());
        let before = self.seqs.insert(task.id.clone(), seq).and_then(|old| self.cases.remove(&old));
        case.spent = before.map_or(case.spent, |before| before.fence.max(before.spent));
        self.cases.insert(seq, case);
    }

    fn pending(&self) -> u64 {
        let pending = self.cases.values().filter(|case| matches!(case.standing, Standing::Pending { .. }));
        u64::try_from(pending.count()).unwrap()
    }

    /// The unfinished task that holds the key of this one.
    pub(super) fn holder(&self, task: &NewTask) -> Option<TaskId> {
        let key = task.unique.as_ref()?;
        let holds = |case: &&Case| !case.has_ended() && case.task.unique.as_ref() == Some(key);
        self.cases.values().find(holds).map(|case| case.task.id.clone())
    }

    /// Everything that the store holds now, and nothing else, is what the judge knows.
    pub(crate) fn compares(&mut self, found: &[Task]) {
        let mut missing: Vec<Seq> = self.cases.keys().copied().collect();
        for task in found {
            missing.retain(|seq| *seq != task.seq);
            let Some(case) = self.cases.get(&task.seq) else {
                self.charge(Charge::Double, format!("nobody knows where {} comes from", task.id));
                continue;
            };
            let same = case.state() == Some(task.state.name())
                && (case.fence, case.counters) == (task.fence, task.counters);
            if !same {
                let why = format!("{} is {:?}, but it was left as {case:?}", task.id, task);
                self.charge(Charge::EndedTwice, why);
            }
        }
        for seq in missing {
            match self.cases.get_mut(&seq) {
                // A given id is known for a day.
                Some(case) if self.sweeps && case.has_ended() && (self.jumped || !case.task.id_is_given) => {
                    if !matches!(case.standing, Standing::Swept) {
                        self.marks.note(Mark::Swept);
                    }
                    case.standing = Standing::Swept;
                }
                Some(case) => {
                    let why = format!("{} is gone, having been {:?}", case.task.id, case.standing);
                    self.charge(Charge::Lost, why);
                }
                None => {}
            }
        }
    }
}

fn is_same(case: &Case, task: &NewTask) -> bool {
    (&case.task.task_type, &case.task.params) == (&task.task_type, &task.params)
}
