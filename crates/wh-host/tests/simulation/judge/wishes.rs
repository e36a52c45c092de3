//! What people ask of tasks.

use super::case::Standing;
use super::{Charge, Judge};
use crate::marks::Mark;
use wh_domain::id::TaskId;
use wh_domain::task::{Counters, Due, StateName};
use wh_ports::wishes::{Cancelled, Retried};

impl Judge {
    /// A wish to cancel was committed with these answers.
    pub(crate) fn cancelled(&mut self, ids: &[TaskId], answers: &[Cancelled]) {
        let now = self.now();
        for (id, answer) in ids.iter().zip(answers) {
            let Some(case) = self.seqs.get(id).and_then(|seq| self.cases.get_mut(seq)) else {
                if *answer != Cancelled::Unknown {
                    self.charge(Charge::Lost, format!("{id}, which nobody knows, was cancelled: {answer:?}"));
                }
                continue;
            };
            match (&case.standing, answer) {
                (Standing::Pending { .. }, Cancelled::Done) => {
                    case.standing = Standing::Ended(StateName::Cancelled);
                    case.endings += 1;
                    self.marks.note(Mark::CancelledWhilePending);
                }
                (Standing::Claimed { .. }, Cancelled::Wished) => {
                    case.cancel_wished.get_or_insert(now);
                }
                (Standing::Ended(state), Cancelled::Ended(said)) if state == said => {
                    self.marks.note(Mark::CancelCameTooLate);
                }
                (Standing::Swept, Cancelled::Unknown) => {}
                (standing, answer) => {
                    let why = format!("{id} is {standing:?}, and cancelling it is answered {answer:?}");
                    self.charge(Charge::EndedTwice, why);
                }
            }
        }
    }

    /// A wish to retry was committed with these answers.
    pub(crate) fn retried(&mut self, ids: &[TaskId], answers: &[Retried]) {
        for (id, answer) in ids.iter().zip(answers) {
            if *answer == Retried::Done {
                self.retry(id);
            }
        }
    }

    /// All poisoned tasks were retried, so many of them.
    pub(crate) fn retried_poisoned(&mut self, mut count: u64) {
        let poisoned = |case: &&super::Case| case.standing == Standing::Ended(StateName::Poisoned);
        let ids: Vec<TaskId> =
            self.cases.values().filter(poisoned).map(|case| case.task.id.clone()).collect();
        for id in ids {
            let is_free = self.case(&id).is_some_and(|case| self.holder(&case.task).is_none());
            if is_free && count > 0 {
                self.retry(&id);
                count -= 1;
            }
        }
        if count > 0 {
            self.charge(Charge::EndedTwice, format!("{count} tasks were retried that were not poisoned"));
        }
    }

    fn retry(&mut self, id: &TaskId) {
        if let Some(holder) = self.case(id).and_then(|case| self.holder(&case.task)) {
            self.charge(Charge::Double, format!("{id} was retried while {holder} holds its key"));
        }
        let (due, now) = (Due { at: self.wall, instant: None }, self.now());
        let Some(case) = self.seqs.get(id).and_then(|seq| self.cases.get_mut(seq)) else { return };
        if !matches!(case.standing, Standing::Ended(StateName::Poisoned | StateName::Cancelled)) {
            let why = format!("{id} was retried while {:?}", case.standing);
            self.charge(Charge::EndedTwice, why);
            return;
        }
        case.standing = Standing::Pending { due, waiting_for: None };
        case.changed_at = now;
        case.counters = Counters::default();
        case.endings = 0;
        self.marks.note(Mark::RetriedByPerson);
    }
}
