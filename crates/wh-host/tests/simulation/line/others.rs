//! Everything else that goes over a line.

use super::Line;
use super::gate::Gate;
use crate::marks::Mark;
use crate::plan::Weather;
use crate::sabotage::Sabotage;
use crate::shared::Shared;
use fastrand::Rng;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wh_domain::id::{HostId, LaneId, Seq, TaskId, TaskType, WorkerName};
use wh_domain::task::{InputFile, NewTask, Task};
use wh_ports::blobs::Blobs;
use wh_ports::claims::Cursor;
use wh_ports::doorbell::{Bell, Doorbell};
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::reader::{Backlog, Count, Dossier, Fact, Filter, HostView, Page, Reader, RecentAttempt};
use wh_ports::store::{Answer, BoxFuture};
use wh_ports::upkeep::{Retention, Swept, Upkeep};
use wh_ports::wishes::{Cancelled, Retried, Wishes};
use wh_testkit::memory::Verb;

impl Intake for Line {
    fn enqueue(&self, tasks: Vec<NewTask>) -> Answer<'_, Vec<Enqueued>> {
        Box::pin(self.call(Verb::Enqueue, |shared| async move {
            let answers = shared.store.enqueue(tasks.clone()).await?;
            shared.judge().enqueued(&tasks, &answers);
            let ids: Vec<String> = tasks.iter().map(|task| task.id.to_string()).collect();
            shared.trace(format_args!("people enqueue {ids:?}: {answers:?}"));
            Ok(answers)
        }))
    }
}

impl Wishes for Line {
    fn cancel(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Cancelled>> {
        Box::pin(self.call(Verb::Cancel, |shared| async move {
            let answers = shared.store.cancel(ids.clone()).await?;
            shared.judge().cancelled(&ids, &answers);
            shared.trace(format_args!("people cancel {ids:?}: {answers:?}"));
            Ok(answers)
        }))
    }

    fn retry(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Retried>> {
        Box::pin(self.call(Verb::Retry, |shared| async move {
            let answers = shared.store.retry(ids.clone()).await?;
            shared.judge().retried(&ids, &answers);
            shared.trace(format_args!("people retry {ids:?}: {answers:?}"));
            Ok(answers)
        }))
    }

    fn retry_poisoned(
        &self,
        task_type: Option<TaskType>,
        after: Option<Seq>,
        most: u32,
    ) -> Answer<'_, (u64, Option<Seq>)> {
        Box::pin(self.call(Verb::Retry, move |shared| async move {
            let answer = shared.store.retry_poisoned(task_type, after, most).await?;
            shared.judge().retried_poisoned(answer.0);
            shared.trace(format_args!("people retry all that is poisoned: {}", answer.0));
            Ok(answer)
        }))
    }

    fn resume_worker(&self, worker: WorkerName) -> Answer<'_, ()> {
        Box::pin(self.call(Verb::ResumeWorker, |shared| async move {
            shared.trace(format_args!("people resume {worker}"));
            shared.store.resume_worker(worker).await
        }))
    }
}

impl Upkeep for Line {
    fn sweep(&self, retention: Retention) -> Answer<'_, Swept> {
        let who = self.who().to_owned();
        Box::pin(self.call(Verb::Sweep, move |shared| async move {
            let swept = shared.store.sweep(retention).await?;
            if swept.tasks > 0 {
                look(&shared).await;
            }
            shared.trace(format_args!("{who} sweeps {}", swept.tasks));
            Ok(swept)
        }))
    }

    fn check(&self) -> Answer<'_, Vec<String>> {
        self.shared.store.check()
    }

    fn backup(&self, to: PathBuf) -> Answer<'_, ()> {
        self.shared.store.backup(to)
    }
}

/// Has the judge compare all that is in the store with what it knows.
pub(crate) async fn look(shared: &Shared) {
    let filter = Filter { most: 10_000, ..Filter::default() };
    let page = shared.store.list(filter).await.expect("reading does not fail here");
    shared.judge().compares(&page.tasks);
}

impl Doorbell for Line {
    fn listen(&self) -> Answer<'_, Box<dyn Bell>> {
        let seed = self.rng.lock().unwrap().u64(..);
        let (gate, weather) = (Arc::clone(&self.gate), self.weather());
        Box::pin(self.call(Verb::Listen, move |shared| async move {
            let bell = shared.store.listen().await?;
            let rng = Rng::with_seed(seed);
            Ok(Box::new(LineBell { bell, gate, weather, rng, shared }) as Box<dyn Bell>)
        }))
    }

    /// Tells of what others have written, as a store of its own process would.
    fn has_changed(&self) -> Answer<'_, bool> {
        Box::pin(async move {
            self.call(Verb::HasChanged, |_| async { Ok(()) }).await?;
            let others = self.shared.store.changes() - self.own.load(Ordering::Relaxed);
            let changed = self.seen.swap(others, Ordering::Relaxed) != others;
            Ok(changed && !self.shared.lacks(Sabotage::News))
        })
    }
}

struct LineBell {
    bell: Box<dyn Bell>,
    gate: Arc<Gate>,
    weather: Weather,
    rng: Rng,
    shared: Arc<Shared>,
}

impl Bell for LineBell {
    fn rung(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                self.gate.passes().await;
                self.bell.rung().await;
                let is_lost = self.weather.bells_lost > 0 && self.rng.u32(0..1_000) < self.weather.bells_lost;
                if is_lost {
                    self.shared.mark(Mark::BellLost);
                }
                if !is_lost && !self.shared.lacks(Sabotage::News) {
                    return;
                }
            }
        })
    }
}

impl Blobs for Line {
    fn keep_file(&self, name: Box<str>, from: PathBuf) -> Answer<'_, InputFile> {
        self.shared.store.keep_file(name, from)
    }

    fn blob_path(&self, sha256: &str) -> PathBuf {
        self.shared.store.blob_path(sha256)
    }
}

impl Reader for Line {
    fn tasks(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Option<Task>>> {
        self.shared.store.tasks(ids)
    }

    fn tasks_by_seq(&self, seqs: Vec<Seq>) -> Answer<'_, Vec<Option<Task>>> {
        self.shared.store.tasks_by_seq(seqs)
    }

    fn dossier(&self, id: TaskId) -> Answer<'_, Option<Dossier>> {
        self.shared.store.dossier(id)
    }

    fn attempts_made(&self, seqs: Vec<Seq>) -> Answer<'_, Vec<u32>> {
        self.shared.store.attempts_made(seqs)
    }

    fn list(&self, filter: Filter) -> Answer<'_, Page> {
        self.shared.store.list(filter)
    }

    fn counts(&self) -> Answer<'_, Vec<Count>> {
        self.shared.store.counts()
    }

    fn retrying(&self, lanes: Vec<LaneId>) -> Answer<'_, u64> {
        let who = self.host.clone();
        Box::pin(self.call(Verb::Read, move |shared| async move {
            let waiting = shared.store.retrying(lanes).await?;
            shared.trace(format_args!("{:?} asks what waits: {waiting}", who.as_ref().map(HostId::as_str)));
            Ok(waiting)
        }))
    }

    fn backlog(&self, most: u32) -> Answer<'_, Vec<Backlog>> {
        self.shared.store.backlog(most)
    }

    fn recent_attempts(&self, most: u32) -> Answer<'_, Vec<RecentAttempt>> {
        self.shared.store.recent_attempts(most)
    }

    fn facts(&self, after: Cursor, most: u32) -> Answer<'_, (Vec<Fact>, Cursor)> {
        self.shared.store.facts(after, most)
    }

    fn latest(&self) -> Answer<'_, Cursor> {
        self.shared.store.latest()
    }

    fn hosts(&self) -> Answer<'_, Vec<HostView>> {
        self.shared.store.hosts()
    }
}
