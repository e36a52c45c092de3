//! One of the two stores with all that its users remember: the same for both, but for the store's own numbers.

use super::step::{End, Offer, Step};
use crate::conformance::harness::{
    Harness, StoreUnderTest, ending, given, id, json, of_type, one, secs, unique, wall, want,
};
use std::collections::BTreeMap;
use std::time::Duration;
use wh_domain::attempt::{OutcomeName, Progress};
use wh_domain::id::{HostId, Seq, TaskId};
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::task::{NewTask, PoisonReason, Task, WaitingFor};
use wh_domain::time::Timestamp;
use wh_ports::claims::{Claim, Cursor, Note, Orphan, Settlement, Want};
use wh_ports::intake::Enqueued;
use wh_ports::reader::{Fact, Filter};
use wh_ports::upkeep::Retention;

/// Renewals come so often while time passes.
const RHYTHM: u64 = 5;

pub(super) struct Side {
    harness: Harness,
    /// The host at each place, if one has joined there.
    hosts: BTreeMap<u8, HostId>,
    joined: u32,
    /// Everything that was ever claimed or taken over.
    claims: Vec<Claim>,
    /// The settlement of a claim by each end: sending it again is sending the same.
    settlements: BTreeMap<(usize, End), Settlement>,
    ids: Vec<TaskId>,
    names: BTreeMap<Seq, TaskId>,
    facts: Cursor,
    heeded: Cursor,
}

impl Side {
    pub(super) fn new(under_test: impl StoreUnderTest + 'static) -> Self {
        Self {
            harness: Harness::new(under_test),
            hosts: BTreeMap::new(),
            joined: 0,
            claims: Vec::new(),
            settlements: BTreeMap::new(),
            ids: Vec::new(),
            names: BTreeMap::new(),
            facts: Cursor::default(),
            heeded: Cursor::default(),
        }
    }

    /// Takes a step; answers what the store said, in words that do not depend on its own numbers.
    pub(super) async fn take(&mut self, step: &Step) -> String {
        let store = self.harness.store();
        match step {
            Step::Enqueue(offers) => self.enqueue(offers).await,
            Step::Join(place) => self.join(*place).await,
            Step::Leave(_) | Step::Kill(_) | Step::Renew(_) | Step::TakeOver(_) | Step::Heed(_) => {
                self.as_host(step).await
            }
            Step::Claim { host, each, most } => self.claim(*host, *each, *most).await,
            Step::Crash => {
                self.harness.crash().await;
                String::new()
            }
            Step::Settle { claim, end, saw_cancel, follow_ups } => {
                self.settle(*claim, *end, *saw_cancel, follow_ups).await
            }
            Step::Note { claim, percent, checkpoint } => self.note(*claim, *percent, *checkpoint).await,
            Step::Cancel(tasks) => said(&store.cancel(self.meant(tasks)).await),
            Step::Retry(tasks) => said(&store.retry(self.meant(tasks)).await),
            Step::RetryPoisoned(task_type) => self.retry_poisoned(*task_type).await,
            Step::Resume(worker) => {
                said(&store.resume_worker(want(&worker_name(*worker), Vec::new(), 0).worker).await)
            }
            Step::Sweep { seconds } => self.sweep(secs(*seconds)).await,
            Step::Pass { .. } | Step::JumpCalendar { .. } | Step::Reboot { .. } => self.pass(step).await,
        }
    }

    // --- producers and people ---

    fn task(&mut self, offer: &Offer) -> NewTask {
        let run_at = offer.in_minutes.map(|minutes| self.wall().after(secs(60) * minutes));
        let params = json(&offer.content.to_string());
        let of_type = of_type(&type_name(offer.task_type));
        let mut task =
            NewTask { run_at, params, priority: offer.priority, ..self.harness.task_of(of_type.as_str()) };
        if let Some(key) = offer.unique {
            task = unique(&format!("key-{key}"), task);
        }
        if let Some(no) = offer.id {
            task = given(&format!("given-{no}"), task);
        }
        if !self.ids.contains(&task.id) {
            self.ids.push(task.id.clone());
        }
        task
    }

    async fn enqueue(&mut self, offers: &[Offer]) -> String {
        let tasks: Vec<NewTask> = offers.iter().map(|offer| self.task(offer)).collect();
        let words = self.harness.offer_all(tasks).await.into_iter().map(|answer| match answer {
            Enqueued::Created(_) => "created".to_owned(),
            Enqueued::Existing { state, .. } => format!("existing, {state:?}"),
            other => format!("{other:?}"),
        });
        words.collect::<Vec<_>>().join("; ")
    }

    fn meant(&self, positions: &[usize]) -> Vec<TaskId> {
        let known = |at: &usize| self.ids.get(at % self.ids.len().max(1)).cloned();
        positions.iter().map(|at| known(at).unwrap_or_else(|| id("never-was"))).collect()
    }

    async fn retry_poisoned(&self, task_type: Option<u8>) -> String {
        let task_type = task_type.map(|no| of_type(&type_name(no)));
        let (mut after, mut sum) = (None, 0);
        loop {
            let answer = self.harness.store().retry_poisoned(task_type.clone(), after, 2).await;
            let (retried, next) = answer.expect("the store answers");
            sum += retried;
            match next {
                Some(_) => after = next,
                None => return format!("{sum} retried"),
            }
        }
    }

    async fn sweep(&self, keep: Duration) -> String {
        let retention =
            Retention { completed: keep, poisoned: keep * 3, cancelled: keep * 2, ..Retention::default() };
        format!("{:?} swept", self.harness.store().sweep(retention).await.map(|swept| swept.tasks))
    }

    // --- hosts ---

    async fn join(&mut self, place: u8) -> String {
        self.joined += 1;
        let host = self.harness.join(&format!("host-{}", self.joined)).await;
        let before = self.hosts.insert(place, host);
        // Who was there is gone for good: in earnest nobody takes the place of a living host.
        if let Some(before) = before {
            self.harness.kill(&before);
        }
        String::new()
    }

    async fn as_host(&mut self, step: &Step) -> String {
        let (Step::Leave(place)
        | Step::Kill(place)
        | Step::Renew(place)
        | Step::TakeOver(place)
        | Step::Heed(place)) = step
        else {
            return String::new();
        };
        let Some(host) = self.hosts.get(place).cloned() else { return "nobody there".to_owned() };
        match step {
            Step::Leave(_) => {
                self.hosts.remove(place);
                self.harness.leave(&host).await;
                String::new()
            }
            Step::Kill(_) => {
                self.hosts.remove(place);
                self.harness.kill(&host);
                String::new()
            }
            Step::Renew(_) => said(&self.harness.renew(&host).await),
            Step::TakeOver(_) => self.take_over(host).await,
            _ => self.heed(host).await,
        }
    }

    async fn claim(&mut self, place: u8, each: u32, most: u32) -> String {
        let Some(host) = self.hosts.get(&place).cloned() else { return "nobody there".to_owned() };
        let (_, lanes) = self.harness.store().lanes().await.expect("the store answers");
        let of = |types: [u8; 2]| {
            let names = types.map(type_name);
            lanes
                .iter()
                .filter(|lane| names.iter().any(|name| name == lane.task_type.as_str()))
                .map(|lane| lane.id)
                .collect()
        };
        let wants = vec![
            want("worker-0", of([0, 1]), each),
            Want { lost_is_final: true, ..want("worker-1", of([1, 2]), each) },
        ];
        match self.harness.store().claim(host, wants, most).await {
            Err(error) => said(&error),
            Ok(claimed) => {
                let words = format!(
                    "{:?}, next due {:?}",
                    claimed.claims.iter().map(anonymous).collect::<Vec<_>>(),
                    claimed.next_due
                );
                self.claims.extend(claimed.claims);
                words
            }
        }
    }

    async fn take_over(&mut self, host: HostId) -> String {
        match self.harness.store().take_over(host, 1_000).await {
            Err(error) => said(&error),
            Ok(mut orphans) => {
                orphans.sort_by(|one, two| one.id.cmp(&two.id));
                for orphan in &orphans {
                    let known =
                        self.claims.iter().find(|claim| claim.id == orphan.id).expect("it was claimed once");
                    let held = Claim { fence: orphan.fence, history: orphan.history, ..known.clone() };
                    self.claims.push(held);
                }
                said(&orphans.into_iter().map(|orphan| Orphan { seq: Seq(0), ..orphan }).collect::<Vec<_>>())
            }
        }
    }

    async fn heed(&mut self, host: HostId) -> String {
        let heeded = self.harness.store().heed(host, self.heeded).await.expect("the store answers");
        self.heeded = heeded.cursor;
        let mut cancel: Vec<_> =
            heeded.cancel.iter().map(|(seq, fence)| (self.names.get(seq), fence)).collect();
        cancel.sort_unstable();
        format!("cancel {cancel:?}, resume {:?}", heeded.resume)
    }

    async fn settle(&mut self, claim: usize, end: End, saw_cancel: bool, follow_ups: &[Offer]) -> String {
        let at = claim % self.claims.len().max(1);
        let Some(claim) = self.claims.get(at).cloned() else { return "nothing claimed".to_owned() };
        if !self.settlements.contains_key(&(at, end)) {
            let follow_ups = follow_ups.iter().map(|offer| self.task(offer)).collect();
            let settlement = Settlement { follow_ups, ..settlement(&claim, end, self.wall()) };
            self.settlements.insert((at, end), settlement);
        }
        let settlement = self.settlements[&(at, end)].clone();
        said(&self.harness.settle(Settlement { saw_cancel, ..settlement }).await)
    }

    async fn note(&self, claim: usize, percent: u8, checkpoint: bool) -> String {
        let Some(claim) = self.claims.get(claim % self.claims.len().max(1)) else {
            return "nothing claimed".to_owned();
        };
        let progress = Some(Progress { percent: Some(f64::from(percent)), ..Progress::default() });
        let checkpoint = checkpoint.then(|| percent.to_string().into());
        let note = Note { seq: claim.seq, fence: claim.fence, progress, checkpoint };
        said(&one(self.harness.store().note(vec![note]).await.expect("the store answers")))
    }

    // --- time ---

    fn wall(&self) -> Timestamp {
        wall(&self.harness)
    }

    async fn pass(&mut self, step: &Step) -> String {
        match step {
            Step::JumpCalendar { minutes } => self.harness.clock().jump_wall(minutes * 60_000),
            // Alone, to see what the store makes of old instants; a crash is a step of its own.
            Step::Reboot { up_seconds } => self.harness.clock().reboot(secs(*up_seconds)),
            Step::Pass { seconds, alive } => {
                for _ in 0..seconds / RHYTHM {
                    self.harness.pass(secs(RHYTHM));
                    for (place, host) in &self.hosts {
                        if alive & (1 << place) != 0 {
                            // One that was given up finds out by its own step.
                            drop(self.harness.renew(host).await);
                        }
                    }
                }
            }
            _ => {}
        }
        String::new()
    }

    // --- what is kept ---

    /// The facts since the last account, and all tasks.
    pub(super) async fn account(&mut self) -> String {
        let (facts, mut words) = (self.harness.facts(self.facts).await, Vec::new());
        self.facts = self.harness.latest().await;
        for fact in facts {
            match fact {
                Fact::Enqueued { from, to } => {
                    for seq in from.0..=to.0 {
                        words.push(format!("{} came in", self.name(Seq(seq)).await));
                    }
                }
                Fact::Settled { seq, fence, outcome, state } => {
                    words.push(format!("{}:{fence} {outcome:?}, so {state:?}", self.name(seq).await));
                }
                Fact::Wished { seq, state } => {
                    words.push(format!("{} wished, so {state:?}", self.name(seq).await));
                }
            }
        }
        // Two facts of one commit have no order.
        words.sort_unstable();
        let tasks = self.harness.store().list(Filter { most: 10_000, ..Filter::default() }).await;
        let tasks =
            tasks.expect("the store answers").tasks.into_iter().map(|task| Task { seq: Seq(0), ..task });
        format!("{words:?}, {:?}", tasks.collect::<Vec<_>>())
    }

    async fn name(&mut self, seq: Seq) -> TaskId {
        if let Some(name) = self.names.get(&seq) {
            return name.clone();
        }
        let task = one(self.harness.store().tasks_by_seq(vec![seq]).await.expect("the store answers"));
        let name = task.expect("a fact speaks of a task").id;
        self.names.insert(seq, name.clone());
        name
    }

    /// Everything about every task.
    pub(super) async fn inventory(&self) -> String {
        let mut words = Vec::new();
        for id in &self.ids {
            let dossier = self.harness.store().dossier(id.clone()).await.expect("the store answers");
            words.push(said(&dossier.map(|mut dossier| {
                dossier.task.seq = Seq(0);
                dossier
            })));
        }
        let mut counts = self.harness.store().counts().await.expect("the store answers");
        counts.retain(|count| count.tasks > 0);
        counts.sort_by(|one, two| (&one.task_type, one.state).cmp(&(&two.task_type, two.state)));
        let findings = self.harness.store().check().await;
        format!("{words:?}, {counts:?}, {findings:?}")
    }
}

fn said(answer: &impl std::fmt::Debug) -> String {
    format!("{answer:?}")
}

fn type_name(no: u8) -> String {
    format!("type.{no}")
}

fn worker_name(no: u8) -> String {
    format!("worker-{no}")
}

fn anonymous(claim: &Claim) -> Claim {
    Claim { seq: Seq(0), ..claim.clone() }
}

fn settlement(claim: &Claim, end: End, wall: Timestamp) -> Settlement {
    let pending = |wait, waiting_for| Next::Pending { wait, waiting_for };
    let (next, outcome) = match end {
        End::Succeeds => (Next::Completed, OutcomeName::Succeeded),
        End::BacksOff => (pending(Wait::For(secs(60)), Some(WaitingFor::Backoff)), OutcomeName::Failed),
        End::GoesBack => (pending(Wait::Now, None), OutcomeName::Interrupted),
        End::IsPoisoned => (Next::Poisoned(PoisonReason::Timeouts), OutcomeName::TimedOut),
        End::IsCancelled => (Next::Cancelled, OutcomeName::Cancelled),
        End::IsDeferred => {
            (pending(Wait::Until(wall.after(secs(90))), Some(WaitingFor::Deferral)), OutcomeName::Deferred)
        }
    };
    let mut settlement = ending(claim, next);
    if let Some(record) = &mut settlement.record {
        record.outcome = outcome;
    }
    settlement
}
