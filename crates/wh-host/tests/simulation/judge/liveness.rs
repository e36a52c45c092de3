//! That what can be done is done, in time.

use super::case::{Case, Standing};
use super::hosts::HostWatch;
use super::{Charge, Judge};
use crate::marks::Mark;
use std::time::Duration;
use wh_domain::id::{HostId, TaskType, WorkerName};
use wh_domain::routing::{Route, route};

impl Judge {
    /// Looks whether somebody waits who should not. To be called often.
    pub(crate) fn looks_around(&mut self) {
        let mut waits = std::collections::BTreeMap::new();
        let (now, mut idle) = (self.now(), Vec::new());
        let due: Vec<&Case> = self.cases.values().filter(|case| self.is_due(case)).collect();
        for (id, host) in self.hosts.iter().filter(|(_, host)| self.is_well(host)) {
            for case in due.iter().filter(|case| host.takes(&case.task.task_type, now)) {
                let key = (id.clone(), case.seq);
                let since = self.waits.get(&key).copied().unwrap_or(now);
                if now.saturating_sub(since) > self.patience {
                    idle.push(format!("{id} could take {} since {since:?}: {host:?}", case.task.id));
                }
                waits.insert(key, since);
            }
        }
        self.waits = waits;
        for why in idle {
            self.charge(Charge::Idle, why);
        }
        self.looks_for_wishes();
    }

    fn is_due(&self, case: &Case) -> bool {
        matches!(case.standing, Standing::Pending { due, .. } if self.has_come(due))
    }

    /// Whether nothing has kept a host from its work for long enough.
    fn is_well(&self, host: &HostWatch) -> bool {
        let undisturbed = self.now() > host.trouble_at + self.patience;
        host.works && !host.drains && !host.is_out && host.paused_at.is_none() && undisturbed
    }

    /// A wish to cancel what runs reaches it.
    fn looks_for_wishes(&mut self) {
        let now = self.now();
        let late = |case: &&Case| case.cancel_wished.is_some_and(|at| now > at + self.patience);
        let mut ignored = Vec::new();
        for case in self.cases.values().filter(late) {
            let Standing::Claimed { by } = &case.standing else { continue };
            let Some(host) = self.hosts.get(by).filter(|host| self.is_well(host)) else { continue };
            if host.running.get(&(case.seq, case.fence)).is_some_and(|run| !run.cancel_ordered && !run.stuck)
            {
                ignored.push(format!("{by} has not heard that {} is to be cancelled", case.task.id));
            }
        }
        for why in ignored {
            self.charge(Charge::CancelIgnored, why);
        }
    }

    /// A host has gone because nothing is left to do: nothing was due, and nothing will be by itself.
    pub(super) fn judge_idleness(&mut self, host: &HostId) {
        let Some(watch) = self.hosts.get(host) else { return };
        let serves = |case: &&Case| {
            let workers = watch.workers.iter().map(|worker| {
                let gone_for_good = watch.aside.get(&worker.name) == Some(&None);
                (&*worker.task_types, !gone_for_good)
            });
            matches!(route(&case.task.task_type, workers), Route::To(_))
        };
        // What changed or became due only now may have come too late for it.
        let left = |case: &&Case| match case.standing {
            Standing::Pending { due, waiting_for } => {
                let was_due = due.at.after(self.patience) < self.wall;
                case.changed_at + self.patience < self.now() && (waiting_for.is_some() || was_due)
            }
            Standing::Claimed { .. } | Standing::Ended(_) | Standing::Swept => false,
        };
        if self.jumped {
            return;
        }
        let ids: Vec<String> =
            self.cases.values().filter(left).filter(serves).map(|case| case.task.id.to_string()).collect();
        if !ids.is_empty() {
            self.charge(Charge::Idle, format!("{host} went, though these can be done: {ids:?}"));
        }
    }

    pub(crate) fn calendar_jumped(&mut self, back: bool) {
        self.jumped = true;
        // Hosts find out with their next heartbeat.
        let found_out = self.now() + Duration::from_secs(8);
        for host in self.hosts.values_mut() {
            host.trouble_at = host.trouble_at.max(found_out);
        }
        let waits =
            |case: &&Case| matches!(case.standing, Standing::Pending { due, .. } if !self.has_come(due));
        if back && self.cases.values().any(|case| waits(&case)) {
            self.marks.note(Mark::WallClockJumpedBackDuringWait);
        }
    }
}

impl HostWatch {
    /// Whether it has a free stream for a task of that type.
    fn takes(&self, task_type: &TaskType, now: Duration) -> bool {
        let may_run = |name: &WorkerName| match self.aside.get(name) {
            None => true,
            Some(until) => until.is_some_and(|until| until <= now),
        };
        let workers = self.workers.iter().map(|worker| (&*worker.task_types, may_run(&worker.name)));
        let Route::To(at) = route(task_type, workers) else { return false };
        let Some(worker) = self.workers.get(at) else { return false };
        let carried = self.running.values().filter(|run| !run.stuck).count();
        // A stuck stream is one less.
        let of_worker = self.running.values().filter(|run| run.worker == worker.name).count();
        let within = |count: usize, most: u32| u32::try_from(count).is_ok_and(|count| count < most);
        let most = if self.aside.contains_key(&worker.name) { 1 } else { worker.streams };
        within(carried, self.streams) && within(of_worker, most)
    }
}
