//! What a host asks about tasks, as it goes over the line.

use super::Line;
use crate::sabotage::Sabotage;
use crate::shared::{Missing, Shared};
use std::fmt::Write;
use std::sync::Arc;
use wh_domain::id::{AttemptId, HostId, Seq, TaskId};
use wh_domain::lifecycle::{Decision, Next, Wait};
use wh_domain::task::{NewTask, Task};
use wh_ports::claims::{
    Claim, Claimed, Claims, Cursor, Heeded, Introduction, Lane, Membership, Note, Orphan, Settled,
    Settlement, Want, WorkerReport,
};
use wh_ports::reader::Reader;
use wh_ports::store::{Answer, StoreError};
use wh_testkit::memory::Verb;

impl Claims for Line {
    fn join(&self, introduction: Introduction) -> Answer<'_, Membership> {
        Box::pin(self.call(Verb::Join, |shared| async move {
            let host = introduction.host.clone();
            let answer = shared.store.join(introduction).await;
            shared.judge().joined(&host);
            shared.trace(format_args!("{host} joins"));
            answer
        }))
    }

    fn lanes(&self) -> Answer<'_, (u64, Vec<Lane>)> {
        let who = self.who().to_owned();
        Box::pin(self.call(Verb::Lanes, |shared| async move {
            shared.trace(format_args!("{who} asks for lanes"));
            shared.store.lanes().await
        }))
    }

    fn claim(&self, host: HostId, wants: Vec<Want>, most: u32) -> Answer<'_, Claimed> {
        Box::pin(self.call(Verb::Claim, move |shared| claim(shared, host, wants, most)))
    }

    fn renew(&self, host: HostId) -> Answer<'_, ()> {
        Box::pin(async move {
            let (sent_at, whose) = (self.shared.now(), host.clone());
            let answer = self.call(Verb::Renew, move |shared| renew(shared, host)).await;
            if answer.is_ok() {
                self.shared.judge().renewed(&whose, sent_at);
            }
            answer
        })
    }

    fn heed(&self, host: HostId, after: Cursor) -> Answer<'_, Heeded> {
        Box::pin(self.call(Verb::Heed, move |shared| async move {
            let mut heeded = shared.store.heed(host.clone(), after).await?;
            shared.trace(format_args!("{host} heeds {:?} {:?}", heeded.cancel, heeded.resume));
            if shared.lacks(Sabotage::Wishes) {
                heeded.cancel.clear();
            }
            Ok(heeded)
        }))
    }

    fn note(&self, notes: Vec<Note>) -> Answer<'_, Vec<bool>> {
        let by = self.host.clone();
        Box::pin(self.call(Verb::Note, move |shared| async move {
            let answers = shared.store.note(notes.clone()).await?;
            if let Some(by) = by {
                shared.judge().noted(&by, &notes, &answers);
                shared.trace(format_args!("{by} notes {answers:?}"));
            }
            Ok(answers)
        }))
    }

    fn settle(&self, settlements: Vec<Settlement>) -> Answer<'_, Vec<Settled>> {
        let by = self.host.clone();
        Box::pin(async move {
            let count = settlements.len();
            let answer = self.call(Verb::Settle, move |shared| settle(shared, by, settlements)).await;
            match answer {
                Err(_) if self.shared.lacks(Sabotage::Repetition) => Ok(vec![Settled::Fenced; count]),
                answer => answer,
            }
        })
    }

    fn take_over(&self, host: HostId, most: u32) -> Answer<'_, Vec<Orphan>> {
        Box::pin(self.call(Verb::TakeOver, move |shared| async move {
            if shared.lacks(Sabotage::TakeOver) {
                return Ok(Vec::new());
            }
            let orphans = shared.store.take_over(host.clone(), most).await?;
            shared.judge().took_over(&host, &orphans);
            let lost: Vec<String> = orphans.iter().map(|it| format!("{}:{}", it.id, it.lost_fence)).collect();
            shared.trace(format_args!("{host} takes over {lost:?}"));
            Ok(orphans)
        }))
    }

    fn report(&self, host: HostId, workers: Vec<WorkerReport>) -> Answer<'_, ()> {
        Box::pin(self.call(Verb::Report, |shared| async move {
            let mut line = String::new();
            for it in &workers {
                let (busy, health) = (it.busy, it.health);
                write!(line, " {busy}/{} {} {health}", it.streams, it.worker)
                    .expect("a string takes everything");
            }
            shared.trace(format_args!("{host} reports{line}"));
            shared.store.report(host, workers).await
        }))
    }

    fn leave(&self, host: HostId) -> Answer<'_, ()> {
        Box::pin(self.call(Verb::Leave, |shared| async move {
            let answer = shared.store.leave(host.clone()).await;
            shared.judge().left(&host);
            shared.trace(format_args!("{host} leaves"));
            answer
        }))
    }
}

async fn claim(
    shared: Arc<Shared>,
    host: HostId,
    wants: Vec<Want>,
    most: u32,
) -> Result<Claimed, StoreError> {
    let answer = shared.store.claim(host.clone(), wants.clone(), most).await;
    match &answer {
        Ok(claimed) if shared.lacks(Sabotage::CommitBeforeSpawn) => {
            shared.store.settle(claimed.claims.iter().map(undone).collect()).await?;
        }
        Ok(claimed) => {
            shared.judge().claimed(&host, &wants, most, &claimed.claims);
            let mut line = String::new();
            for want in &wants {
                write!(line, " {} {}", want.most, want.worker).expect("a string takes everything");
            }
            line.push_str(", gets");
            for claim in &claimed.claims {
                write!(line, " {}", claim.attempt_id()).expect("a string takes everything");
            }
            shared.trace(format_args!("{host} claims{line}, more in {:?}", claimed.next_due));
        }
        Err(error) => shared.trace(format_args!("{host} may not claim: {error}")),
    }
    answer
}

fn undone(claim: &Claim) -> Settlement {
    let next = Next::Pending { wait: Wait::Now, waiting_for: None };
    Settlement {
        seq: claim.seq,
        fence: claim.fence,
        decision: Decision { next, counters: claim.history.counters },
        saw_cancel: true,
        record: None,
        result: None,
        follow_ups: Vec::new(),
    }
}

async fn renew(shared: Arc<Shared>, host: HostId) -> Result<(), StoreError> {
    if shared.lacks(Sabotage::Renewal) {
        return Ok(());
    }
    let answer = shared.store.renew(host.clone()).await;
    if answer.is_ok() {
        shared.judge().renewal_came(&host);
    }
    shared.trace(format_args!("{host} renews: {answer:?}"));
    answer
}

async fn settle(
    shared: Arc<Shared>,
    by: Option<HostId>,
    mut settlements: Vec<Settlement>,
) -> Result<Vec<Settled>, StoreError> {
    if shared.lacks(Sabotage::CommitBeforeAcknowledgement) {
        return Ok(vec![Settled::Done; settlements.len()]);
    }
    if shared.lacks(Sabotage::AskAboutWishes) {
        for settlement in &mut settlements {
            settlement.saw_cancel = true;
        }
    }
    let mut answers = shared.store.settle(settlements.clone()).await?;
    for (settlement, answer) in settlements.iter().zip(&answers) {
        let born = born(&shared, &settlement.follow_ups).await?;
        let Some(by) = &by else { continue };
        let mut judge = shared.judge();
        let alive = judge.attempt_of(settlement).is_some_and(|attempt| shared.witness.is_alive(&attempt));
        judge.settled(by, settlement, answer, alive, &born);
        drop(judge);
        let (seq, fence, next) = (settlement.seq.0, settlement.fence, settlement.decision.next);
        shared.trace(format_args!("{by} settles {seq}:{fence} as {next:?}: {answer:?}"));
    }
    if shared.missing == Missing::Duty(Sabotage::Fence) {
        for answer in answers.iter_mut().filter(|answer| **answer == Settled::Fenced) {
            *answer = Settled::Done;
        }
    }
    Ok(answers)
}

/// The tasks that the store has now under the ids of these. Of two of the same id, the one came into being whose key was
/// free.
async fn born(shared: &Shared, follow_ups: &[NewTask]) -> Result<Vec<(Seq, NewTask)>, StoreError> {
    if follow_ups.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<TaskId> = follow_ups.iter().map(|task| task.id.clone()).collect();
    let found = shared.store.tasks(ids).await?;
    let pairs = follow_ups.iter().zip(found);
    let born = |(task, found): (&NewTask, Option<Task>)| {
        found.map(|found| (found.seq, NewTask { unique: found.unique, ..task.clone() }))
    };
    Ok(pairs.filter_map(born).collect())
}

impl crate::judge::Judge {
    /// The attempt whose processes must be gone before this is settled.
    fn attempt_of(&self, settlement: &Settlement) -> Option<AttemptId> {
        let record = settlement.record.as_ref()?;
        let task = self.id_of(settlement.seq)?;
        Some(AttemptId { task, fence: record.fence })
    }
}
