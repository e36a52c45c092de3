//! What people and the world do to hosts and tasks.

use crate::line::{Line, pass};
use crate::marks::Mark;
use crate::plan::one_in;
use crate::seat::Seat;
use crate::shared::Shared;
use crate::workers::{TYPES, WORKERS, everybody, task_type, worker};
use crate::world::World;
use fastrand::Rng;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::id::{TaskId, UniqueKey};
use wh_domain::task::{NewTask, Payload};
use wh_domain::worker::Worker;
use wh_host::Command;
use wh_ports::clock::Clock;
use wh_ports::intake::{Enqueued, Intake};
use wh_ports::wishes::Wishes;

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Enqueue,
    EnqueueKnown,
    Cancel,
    CancelUnfinished,
    Retry,
    RetryPoisoned,
    ResumeWorker,
    Reload,
    RefuseReload,
    Mend,
    Drain,
    Kill,
    Start,
    Pause,
    PauseLong,
    Resume,
    CutOne,
    CutAll,
    JumpCalendar,
    Sicken,
    Heal,
    Reboot,
}

impl Act {
    pub(crate) const ALL: [Self; 22] = [
        Self::Enqueue,
        Self::EnqueueKnown,
        Self::Cancel,
        Self::CancelUnfinished,
        Self::Retry,
        Self::RetryPoisoned,
        Self::ResumeWorker,
        Self::Reload,
        Self::RefuseReload,
        Self::Mend,
        Self::Drain,
        Self::Kill,
        Self::Start,
        Self::Pause,
        Self::PauseLong,
        Self::Resume,
        Self::CutOne,
        Self::CutAll,
        Self::JumpCalendar,
        Self::Sicken,
        Self::Heal,
        Self::Reboot,
    ];

    /// Without it nothing would go on.
    pub(crate) fn is_vital(self) -> bool {
        matches!(self, Self::Enqueue | Self::Start | Self::Resume | Self::Heal)
    }
}

impl World {
    /// Does one thing.
    pub(crate) async fn act(&mut self, act: Act) {
        let line = Arc::clone(&self.people);
        match act {
            Act::Enqueue => self.enqueue(),
            Act::EnqueueKnown => self.enqueue_known(),
            Act::Cancel => self.wish_for(false, |line, ids| async move { line.cancel(ids).await.is_ok() }),
            Act::CancelUnfinished => {
                self.wish_for(true, |line, ids| async move { line.cancel(ids).await.is_ok() });
            }
            Act::Retry => self.wish_for(false, |line, ids| async move { line.retry(ids).await.is_ok() }),
            Act::RetryPoisoned => drop(line.retry_poisoned(None, None, 1_000).await),
            Act::ResumeWorker => {
                let name = self.any_worker(1).name;
                drop(line.resume_worker(name).await);
            }
            Act::Reload => self.reload(),
            Act::RefuseReload | Act::Mend | Act::Drain => self.command(act),
            Act::Kill => {
                let at = self.any_seat();
                self.kill(at).await;
            }
            Act::Reboot if one_in(&mut self.rng, 4) => self.reboot().await,
            Act::Reboot => {}
            Act::Start => self.start_one(),
            Act::Pause | Act::PauseLong => self.pause(act == Act::PauseLong),
            Act::Resume => self.resume(),
            Act::CutOne | Act::CutAll => self.cut(act == Act::CutAll),
            Act::JumpCalendar => self.jump(),
            Act::Sicken => {
                let it = (self.any_seat(), self.any_worker(1).name);
                self.shared.trace(format_args!("{it:?} falls sick"));
                self.shared.sick.lock().unwrap().insert(it);
            }
            Act::Heal => self.shared.sick.lock().unwrap().clear(),
        }
    }

    fn any_seat(&mut self) -> usize {
        self.rng.usize(0..self.seats.len())
    }

    fn any_worker(&mut self, streams: u32) -> Worker {
        worker(self.rng.usize(0..WORKERS), streams, self.shared.plan.policy)
    }

    /// Some of all workers, or all.
    pub(crate) fn some_workers(&mut self) -> Vec<Worker> {
        let (policy, most) = (self.shared.plan.policy, self.rng.u32(1..6));
        if one_in(&mut self.rng, 2) {
            return everybody(most, policy);
        }
        let some: Vec<usize> = (0..WORKERS).filter(|_| one_in(&mut self.rng, 2)).collect();
        some.into_iter().map(|at| worker(at, self.rng.u32(1..=most), policy)).collect()
    }

    fn enqueue(&mut self) {
        let count = self.rng.u32(1..6);
        let tasks: Vec<NewTask> = (0..count).map(|_| self.new_task()).collect();
        hand_over(&self.shared, &self.people, tasks);
    }

    fn new_task(&mut self) -> NewTask {
        self.enqueued += 1;
        let rng = &mut self.rng;
        let is_given = one_in(rng, 2);
        let id =
            if is_given { format!("given-{}", self.enqueued) } else { format!("fresh-{}", self.enqueued) };
        let params = Payload::Json(self.enqueued.to_string().into());
        let of_type = task_type(TYPES[rng.usize(0..TYPES.len())]);
        let in_a_while = Duration::from_millis(rng.u64(0..30_000));
        NewTask {
            id_is_given: is_given,
            priority: rng.i32(-2..3),
            run_at: one_in(rng, 5).then(|| self.shared.clock.wall().after(in_a_while)),
            unique: one_in(rng, 6).then(|| UniqueKey::new(format!("key-{}", rng.u32(0..4))).unwrap()),
            max_attempts: one_in(rng, 5).then(|| rng.u32(1..5)),
            ..NewTask::new(TaskId::new(id).unwrap(), of_type, params)
        }
    }

    /// The same id again, with the same content or with another.
    fn enqueue_known(&mut self) {
        let ids = self.shared.judge().ids();
        if ids.is_empty() {
            return;
        }
        let id = ids[self.rng.usize(0..ids.len())].clone();
        let Some(known) = self.shared.judge().as_enqueued(&id) else { return };
        let other = Payload::Json("\"other\"".into());
        let params = if one_in(&mut self.rng, 3) { other } else { known.params.clone() };
        hand_over(&self.shared, &self.people, vec![NewTask { params, ..known }]);
    }

    /// Has a wish for one or two tasks; wishes it again until it is heard.
    fn wish_for<F>(&mut self, unfinished: bool, wish: fn(Arc<Line>, Vec<TaskId>) -> F)
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let judge = self.shared.judge();
        let ids = if unfinished { judge.unfinished() } else { judge.ids() };
        drop(judge);
        if ids.is_empty() {
            return;
        }
        let count = self.rng.usize(1..3);
        let ids: Vec<TaskId> = (0..count).map(|_| ids[self.rng.usize(0..ids.len())].clone()).collect();
        let line = Arc::clone(&self.people);
        tokio::spawn(async move {
            while !wish(Arc::clone(&line), ids.clone()).await {
                pass(Duration::from_millis(300)).await;
            }
        });
    }

    fn listeners(&self) -> Vec<usize> {
        let listens = |seat: &Seat| !seat.line.is_paused();
        (0..self.seats.len()).filter(|at| self.seats[*at].as_ref().is_some_and(listens)).collect()
    }

    fn any_listener(&mut self) -> Option<usize> {
        let seats = self.listeners();
        (!seats.is_empty()).then(|| seats[self.rng.usize(0..seats.len())])
    }

    fn reload(&mut self) {
        let workers = self.some_workers();
        if let Some(at) = self.any_listener() {
            self.reload_at(at, workers);
        }
    }

    pub(crate) fn reload_at(&mut self, at: usize, workers: Vec<Worker>) {
        let Some(seat) = &self.seats[at] else { return };
        self.shared.trace(format_args!("{} is to take {} workers", seat.host, workers.len()));
        self.shared.judge().reloaded(&seat.host, &workers);
        seat.tell(Command::Reload(workers));
    }

    fn command(&mut self, act: Act) {
        let mended = self.any_worker(1).name;
        let Some(seat) = self.any_listener().and_then(|at| self.seats[at].as_ref()) else { return };
        self.shared.trace(format_args!("{act:?} {}", seat.host));
        match act {
            Act::RefuseReload => seat.tell(Command::Refused("it is wrong".into())),
            Act::Mend => seat.tell(Command::Mended(vec![mended])),
            _ => {
                self.shared.judge().asked_to_drain(&seat.host);
                seat.tell(Command::Drain);
            }
        }
    }

    async fn kill(&mut self, at: usize) {
        if let Some(seat) = self.seats[at].take() {
            let carries = self.shared.judge().carries(&seat.host);
            seat.kill().await;
            if carries {
                self.shared.mark(Mark::HostCrashedWhileCarrying);
            }
        }
    }

    /// The machine goes down with everything on it and comes up again, with a host on every seat.
    async fn reboot(&mut self) {
        for at in 0..self.seats.len() {
            self.kill(at).await;
        }
        let up = Duration::from_secs(self.rng.u64(0..3_000));
        self.shared.trace(format_args!("the machine was started {up:?} ago"));
        self.shared.clock.reboot(up);
        self.shared.mark(Mark::MachineRebooted);
        for at in 0..self.seats.len() {
            let workers = self.some_workers();
            self.start(at, workers, self.shared.plan.until_idle);
        }
    }

    fn start_one(&mut self) {
        let empty: Vec<usize> = (0..self.seats.len()).filter(|at| self.seats[*at].is_none()).collect();
        if !empty.is_empty() {
            let at = empty[self.rng.usize(0..empty.len())];
            let workers = self.some_workers();
            self.start(at, workers, self.shared.plan.until_idle);
        }
    }

    /// Stops a host without killing it; a long stop outlasts its lease three times.
    fn pause(&mut self, long: bool) {
        let Some(at) = self.any_listener() else { return };
        let Some(seat) = &self.seats[at] else { return };
        let seconds = if long { 90 } else { self.rng.u64(1..20) };
        self.shared.trace(format_args!("{} is stopped for {seconds} s", seat.host));
        self.shared.judge().paused(&seat.host);
        seat.line.pause();
        let (line, host, shared) = (Arc::clone(&seat.line), seat.host.clone(), Arc::clone(&self.shared));
        tokio::spawn(async move {
            pass(Duration::from_secs(seconds)).await;
            resume(&shared, &line, &host);
        });
    }

    fn resume(&mut self) {
        for seat in self.seats.iter().flatten().filter(|_| one_in(&mut self.rng, 2)) {
            resume(&self.shared, &seat.line, &seat.host);
        }
    }

    /// The store is away for one host or for everybody.
    fn cut(&mut self, all: bool) {
        let seconds = if one_in(&mut self.rng, 3) { self.rng.u64(20..90) } else { self.rng.u64(1..10) };
        let how_long = Duration::from_secs(seconds);
        let one = self.any_seat();
        for (at, seat) in self.seats.iter().enumerate() {
            if let Some(seat) = seat.as_ref().filter(|_| all || at == one) {
                self.shared.trace(format_args!("the store is away for {} for {seconds} s", seat.host));
                seat.line.cut(how_long);
            }
        }
        if all {
            self.people.cut(how_long);
        }
        if seconds > 30 {
            self.shared.mark(Mark::StoreAwayForLong);
        }
    }

    fn jump(&mut self) {
        const YEAR: i64 = 365 * 86_400_000;
        let years = self.rng.i64(-10..=10);
        let by = if years == 0 { self.rng.i64(-90_000..90_000) } else { years * YEAR };
        self.shared.trace(format_args!("the calendar jumps by {by} ms"));
        self.jumped_by += by;
        self.shared.clock.jump_wall(by);
        self.shared.judge().calendar_jumped(by < 0);
    }
}

/// Lets a stopped host go on.
pub(crate) fn resume(shared: &Shared, line: &Line, host: &wh_domain::id::HostId) {
    if line.is_paused() {
        shared.trace(format_args!("{host} goes on"));
        shared.judge().resumed(host);
        line.resume();
    }
}

/// Hands tasks over as a producer does: until it has an answer.
fn hand_over(shared: &Arc<Shared>, line: &Arc<Line>, tasks: Vec<NewTask>) {
    let (shared, line) = (Arc::clone(shared), Arc::clone(line));
    tokio::spawn(async move {
        let mut tries = 0;
        let answers = loop {
            match line.enqueue(tasks.clone()).await {
                Ok(answers) => break answers,
                Err(_) => pass(Duration::from_millis(300)).await,
            }
            tries += 1;
        };
        let known = |answer: &Enqueued| matches!(answer, Enqueued::Existing { .. });
        if tries > 0 && answers.iter().any(known) {
            shared.mark(Mark::EnqueueRepeatedAfterLostAnswer);
        }
    });
}

/// A generator for the deeds of one life.
pub(crate) fn deeds(seed: u64) -> Rng {
    Rng::with_seed(seed ^ 0xDEED)
}
