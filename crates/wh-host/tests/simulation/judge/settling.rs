//! How attempts end.

use super::case::{Case, Print, Standing};
use super::{Charge, Judge};
use crate::marks::Mark;
use wh_domain::attempt::OutcomeName;
use wh_domain::id::{HostId, Seq, TaskId};
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::retry::RetryPolicy;
use wh_domain::task::{Counters, Due, NewTask, Payload, PoisonReason, StateName};
use wh_ports::claims::{Settled, Settlement};

impl Judge {
    /// A settlement was committed with that answer. `alive` are processes of the attempt that it speaks of; `born` are
    /// the tasks of its follow-ups' ids that the store has now.
    pub(crate) fn settled(
        &mut self,
        by: &HostId,
        settlement: &Settlement,
        answer: &Settled,
        alive: bool,
        born: &[(Seq, NewTask)],
    ) {
        let held = self.holds(by, settlement.seq, settlement.fence);
        let what = format!("{:?} by {by} under {}", settlement.seq, settlement.fence);
        match answer {
            Settled::Done => self.accepted(by, settlement, alive, born),
            Settled::Fenced if held => self.charge(Charge::Refused, format!("{what} was fenced")),
            Settled::Fenced if self.was_accepted(settlement) => {
                self.charge(Charge::Refused, format!("{what} is not known again"));
            }
            Settled::Fenced => self.marks.note(Mark::LateSettlementWasFenced),
            Settled::CancelWished => {
                let wished = self.cases.get(&settlement.seq).and_then(|case| case.cancel_wished);
                if !held || wished.is_none() {
                    self.charge(Charge::Refused, format!("{what} was sent back without a wish"));
                }
                if settlement.decision.next == Next::Completed {
                    self.marks.note(Mark::CancelRacedSuccess);
                }
            }
            Settled::FollowUpConflict(_) => {
                self.marks.note(Mark::FollowUpRefused);
                if !held {
                    self.charge(Charge::Refused, format!("{what} has a conflict, but no right to write"));
                }
            }
        }
    }

    fn was_accepted(&self, settlement: &Settlement) -> bool {
        let print = Print::of(settlement);
        let knows = |case: &Case| case.standing != Standing::Swept && case.settled.contains(&print);
        self.cases.get(&settlement.seq).is_some_and(knows)
    }

    fn accepted(&mut self, by: &HostId, settlement: &Settlement, alive: bool, born: &[(Seq, NewTask)]) {
        let print = Print::of(settlement);
        let Some(case) = self.cases.get(&settlement.seq) else {
            self.charge(Charge::Usurped, format!("{:?} was settled, which nobody knows", settlement.seq));
            return;
        };
        let id = case.task.id.clone();
        if self.was_accepted(settlement) {
            self.marks.note(Mark::SettlementRepeatedAfterLostAnswer);
            return;
        }
        if !case.is_held(by, settlement.fence) {
            let (standing, fence) = (&case.standing, case.fence);
            let charge = if case.has_ended() { Charge::EndedTwice } else { Charge::Usurped };
            let why = format!("{id} was settled by {by} under {}: {standing:?}, {fence}", settlement.fence);
            self.charge(charge, why);
            return;
        }
        if alive {
            self.charge(Charge::SettledAlive, format!("{id} was settled while its processes were alive"));
        }
        self.judge_decision(settlement, &id);
        self.judge_result(settlement, &id);
        self.judge_follow_ups(settlement, &id, born);
        self.apply(settlement, print);
    }

    fn judge_decision(&mut self, settlement: &Settlement, id: &TaskId) {
        let Some(case) = self.cases.get(&settlement.seq) else { return };
        let (next, after) = (settlement.decision.next, settlement.decision.counters);
        let outcome = settlement.record.as_ref().map(|record| record.outcome);
        let expected = counted(case.counters, outcome);
        let (wished, limit) = (case.cancel_wished, case.task.max_attempts);
        let (lost_is_final, was_lost) = (case.lost_is_final, case.lost.is_some());
        let of_attempt = case.lost.as_ref().map_or(settlement.fence, |(_, fence)| *fence);
        if wished.is_some() && next != Next::Cancelled {
            self.charge(Charge::CancelIgnored, format!("{id} became {next:?} after a wish to cancel it"));
        }
        if next == Next::Cancelled && wished.is_none() {
            self.charge(Charge::CancelIgnored, format!("{id} was cancelled, which nobody had wished"));
        }
        if next == Next::Cancelled {
            self.marks.note(Mark::CancelledWhileRunning);
        }
        // A success that was overruled by a wish is recorded as cancelled; it counts as neither.
        if after != expected {
            self.charge(Charge::Counters, format!("{id} has {after:?} after {outcome:?}, not {expected:?}"));
        }
        if matches!(next, Next::Pending { .. }) && !is_below(&self.policy, limit, &after) {
            self.charge(Charge::Counters, format!("{id} goes on with {after:?}"));
        }
        if next == Next::Completed && outcome != Some(OutcomeName::Succeeded) {
            self.charge(Charge::FalseFact, format!("{id} completed by {outcome:?}"));
        }
        if was_lost != (outcome == Some(OutcomeName::Lost)) && next != Next::Cancelled {
            let why = format!("{id} was lost: {was_lost}, and its end is told as {outcome:?}");
            self.charge(Charge::FalseFact, why);
        }
        if settlement.record.as_ref().is_some_and(|record| record.fence != of_attempt) {
            self.charge(Charge::FalseFact, format!("{id} has a record of another attempt: {settlement:?}"));
        }
        if was_lost && lost_is_final {
            self.marks.note(Mark::LostIsFinal);
            if matches!(next, Next::Pending { .. }) {
                self.charge(Charge::LostRetried, format!("{id} is to be started at most once"));
            }
        }
        match (outcome, next) {
            (None, Next::Pending { .. }) => self.marks.note(Mark::ClaimReleased),
            (_, Next::Poisoned(why)) => self.marks.note(poisoned(why)),
            (Some(OutcomeName::Interrupted), _) => self.marks.note(Mark::AttemptInterruptedByItsOwnHost),
            _ => {}
        }
    }

    fn judge_result(&mut self, settlement: &Settlement, id: &TaskId) {
        if settlement.decision.next != Next::Completed {
            return;
        }
        let expected = expected_result(id, settlement.fence.0);
        if settlement.result.as_ref().is_none_or(|result| result.payload != expected || result.partial) {
            let why = format!("{id} completed with {:?}", settlement.result);
            self.charge(Charge::WrongResult, why);
        }
    }

    fn judge_follow_ups(&mut self, settlement: &Settlement, id: &TaskId, born: &[(Seq, NewTask)]) {
        if settlement.decision.next != Next::Completed && !settlement.follow_ups.is_empty() {
            self.charge(Charge::FalseFact, format!("{id} brings forth tasks without having completed"));
        }
        // The key of a task that ends is free for what it brings forth.
        if let Some(case) = self.cases.get_mut(&settlement.seq)
            && settlement.decision.next == Next::Completed
        {
            case.standing = Standing::Ended(StateName::Completed);
        }
        for task in &settlement.follow_ups {
            let found = born.iter().find(|(_, it)| it.id == task.id);
            let known = self.case(&task.id).map(|case| case.seq);
            match found {
                Some((seq, _)) if known == Some(*seq) => {}
                Some((seq, born)) => {
                    self.add(*seq, born);
                    self.marks.note(Mark::FollowUpBorn);
                }
                None if self.holder(task).is_some() => {}
                None => self.charge(Charge::Lost, format!("{} was brought forth by {id}", task.id)),
            }
        }
    }

    fn apply(&mut self, settlement: &Settlement, print: Print) {
        let (wall, instant, now) = (self.wall, self.instant, self.now());
        let Some(case) = self.cases.get_mut(&settlement.seq) else { return };
        case.changed_at = now;
        case.counters = settlement.decision.counters;
        case.settled.push(print);
        case.cancel_wished = None;
        case.lost = None;
        case.standing = match settlement.decision.next {
            Next::Pending { wait, waiting_for } => {
                let due = match wait {
                    Wait::Now => Due { at: wall, instant: None },
                    Wait::For(wait) => Due { at: wall.after(wait), instant: Some(instant.after(wait)) },
                    Wait::Until(at) => Due { at, instant: None },
                };
                Standing::Pending { due, waiting_for }
            }
            Next::Completed => Standing::Ended(StateName::Completed),
            Next::Poisoned(_) => Standing::Ended(StateName::Poisoned),
            Next::Cancelled => Standing::Ended(StateName::Cancelled),
        };
        case.endings += u32::from(case.has_ended());
        let (endings, id) = (case.endings, case.task.id.clone());
        if endings > 1 {
            self.charge(Charge::EndedTwice, format!("{id} has ended {endings} times"));
        }
    }
}

/// What an attempt gives as its result.
pub(crate) fn expected_result(id: &TaskId, fence: i64) -> Payload {
    Payload::Json(format!("\"{id}:{fence}\"").into())
}

/// The counters after an ending: said again, in other words than the rules.
fn counted(before: Counters, outcome: Option<OutcomeName>) -> Counters {
    let mut after = before;
    let Some(outcome) = outcome else { return after };
    match outcome {
        OutcomeName::Succeeded | OutcomeName::Cancelled => {}
        OutcomeName::Failed | OutcomeName::ProtocolError => after.attempts += 1,
        OutcomeName::TimedOut => (after.attempts, after.timeouts) = (after.attempts + 1, after.timeouts + 1),
        OutcomeName::Crashed => (after.attempts, after.crashes) = (after.attempts + 1, after.crashes + 1),
        OutcomeName::Deferred => after.deferrals += 1,
        OutcomeName::WorkerBroken => after.worker_broken += 1,
        OutcomeName::Lost => after.lost += 1,
        OutcomeName::Interrupted => after.interruptions += 1,
    }
    after
}

fn is_below(policy: &RetryPolicy, max_attempts: Option<u32>, counters: &Counters) -> bool {
    let pairs = [
        (counters.attempts, max_attempts.unwrap_or(policy.max_attempts)),
        (counters.crashes, policy.max_crashes),
        (counters.timeouts, policy.max_timeouts),
        (counters.lost, policy.max_lost),
        (counters.worker_broken, policy.max_worker_broken),
        (counters.deferrals, policy.max_deferrals),
        (counters.interruptions, policy.max_interruptions),
    ];
    pairs.into_iter().all(|(counter, cap)| counter < cap)
}

fn poisoned(why: PoisonReason) -> Mark {
    match why {
        PoisonReason::NotRetriable => Mark::PoisonedAsNotRetriable,
        PoisonReason::Attempts => Mark::PoisonedByAttempts,
        PoisonReason::Crashes => Mark::PoisonedByCrashes,
        PoisonReason::Timeouts => Mark::PoisonedByTimeouts,
        PoisonReason::Lost => Mark::PoisonedByLosses,
        PoisonReason::WorkerBroken => Mark::PoisonedByWorker,
        PoisonReason::Deferrals => Mark::PoisonedByDeferrals,
        PoisonReason::Interruptions => Mark::PoisonedByInterruptions,
    }
}
