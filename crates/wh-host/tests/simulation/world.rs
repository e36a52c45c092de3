//! One life of the whole world, from its first host to its last task.

use crate::judge::{Charge, Standing};
use crate::line::{Line, look, pass};
use crate::marks::Marks;
use crate::people::{deeds, resume};
use crate::plan::{Plan, one_in, pick};
use crate::seat::Seat;
use crate::shared::{Missing, Shared};
use crate::workers::{WORKERS, everybody, worker};
use fastrand::Rng;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::worker::Worker;
use wh_host::{Command, Why};
use wh_ports::wishes::Wishes;

/// How often the judge looks around.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Once all trouble is over, everything comes to its end within this time,
const TIME_TO_END: Duration = Duration::from_secs(3_600);
/// and this much more for every task, of which a host may carry one at a time, each for a minute or two.
const TIME_PER_TASK: Duration = Duration::from_secs(120);
/// A drain takes this much longer than it is allowed to wait: the grace of a worker, and what follows SIGKILL.
const TIME_TO_GO: Duration = Duration::from_secs(13);
/// More acts than this are not needed to see enough.
const MOST_ACTS: u32 = 2_000;

/// What came of a life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) digest: u64,
    pub(crate) events: u64,
    pub(crate) took: Duration,
    pub(crate) marks: Marks,
}

/// The world.
pub(crate) struct World {
    pub(crate) shared: Arc<Shared>,
    pub(crate) people: Arc<Line>,
    pub(crate) seats: Vec<Option<Seat>>,
    pub(crate) rng: Rng,
    pub(crate) enqueued: u32,
    pub(crate) jumped_by: i64,
    begun: Vec<u32>,
    is_calm: bool,
    /// Whether whoever goes now has gone for good.
    is_over: bool,
}

/// A promise was broken.
pub(crate) type Broken = (Charge, String);

/// Lives one life. The error is the first promise that was broken.
pub(crate) fn live(plan: Plan, missing: Missing, prints: bool) -> Result<Life, Broken> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let begun = Instant::now();
        let mut world = World::new(plan, missing, prints);
        world.go().await?;
        let shared = &world.shared;
        Ok(Life {
            digest: shared.trace.digest(),
            events: shared.trace.lines(),
            took: begun.elapsed(),
            marks: shared.judge().marks.clone(),
        })
    })
}

impl World {
    fn new(plan: Plan, missing: Missing, prints: bool) -> Self {
        let (seats, seed) = (plan.streams.len(), plan.seed);
        let shared = Shared::new(plan, missing, prints);
        Self {
            people: Line::new(&shared, None, seed),
            shared,
            seats: (0..seats).map(|_| None).collect(),
            rng: deeds(seed),
            enqueued: 0,
            jumped_by: 0,
            begun: vec![0; seats],
            is_calm: false,
            is_over: false,
        }
    }

    async fn go(&mut self) -> Result<(), Broken> {
        for at in 0..self.seats.len() {
            let workers = self.some_workers();
            self.start(at, workers, self.shared.plan.until_idle);
        }
        for acts in 0.. {
            if acts == MOST_ACTS || self.shared.trace.lines() >= self.shared.plan.events {
                break;
            }
            self.wait_a_while().await?;
            let act = pick(&mut self.rng, &self.shared.plan.acts);
            self.act(act).await;
            self.judge()?;
        }
        self.calm().await?;
        self.end_everything().await?;
        look(&self.shared).await;
        self.judge()?;
        self.go_home().await
    }

    pub(crate) fn start(&mut self, at: usize, workers: Vec<Worker>, until_idle: bool) {
        self.begun[at] += 1;
        let seat = Seat::begin(&self.shared, (at, self.begun[at]), workers, until_idle && !self.is_calm);
        if self.is_calm {
            seat.line.calm();
        }
        self.seats[at] = Some(seat);
    }

    fn judge(&self) -> Result<(), Broken> {
        let overlaps = self.shared.witness.overlaps();
        if !overlaps.is_empty() {
            self.shared.judge().charge(Charge::Overlap, format!("{overlaps:?}"));
        }
        self.shared.judge().verdict().map_or(Ok(()), Err)
    }

    async fn wait_a_while(&mut self) -> Result<(), Broken> {
        let gap = u64::try_from(self.shared.plan.gap.as_millis()).unwrap();
        let longest = if one_in(&mut self.rng, 10) { gap * 10 } else { gap };
        let how_long = Duration::from_millis(self.rng.u64(0..longest));
        self.wait(how_long).await
    }

    /// Lets time pass, and sees to those who have gone.
    async fn wait(&mut self, mut how_long: Duration) -> Result<(), Broken> {
        while !how_long.is_zero() {
            let step = how_long.min(LOOK_EVERY);
            pass(step).await;
            how_long -= step;
            self.see_to_the_seats().await;
            self.shared.judge().looks_around();
            self.judge()?;
        }
        Ok(())
    }

    async fn see_to_the_seats(&mut self) {
        for at in 0..self.seats.len() {
            if !self.seats[at].as_ref().is_some_and(Seat::has_ended) {
                continue;
            }
            let Some(seat) = self.seats[at].take() else { continue };
            let (host, until_idle) = (seat.host.clone(), seat.until_idle);
            match seat.end().await {
                Ok(farewell) => {
                    self.shared.trace(format_args!("{host} has gone: {farewell:?}"));
                    self.shared.judge().said(&host, &farewell, until_idle);
                    if farewell.why == Why::Expelled && !self.is_over {
                        let workers = self.some_workers();
                        self.start(at, workers, until_idle);
                    }
                }
                Err(why) => self.shared.judge().charge(Charge::HostEnded, format!("{host} broke: {why}")),
            }
        }
    }

    /// All trouble ends: every line is good, every worker is well, every seat is taken, the calendar is right.
    async fn calm(&mut self) -> Result<(), Broken> {
        self.shared.trace(format_args!("from now on all is well"));
        self.is_calm = true;
        self.people.calm();
        self.shared.sick.lock().unwrap().clear();
        self.shared.clock.jump_wall(-self.jumped_by);
        if self.jumped_by != 0 {
            self.shared.judge().calendar_jumped(self.jumped_by > 0);
        }
        self.mend_the_seats();
        // What is still on its way arrives.
        self.wait(self.shared.plan.weather.longest * 2 + Duration::from_secs(5)).await
    }

    fn mend_the_seats(&mut self) {
        let policy = self.shared.plan.policy;
        for at in 0..self.seats.len() {
            match &self.seats[at] {
                Some(seat) => {
                    seat.line.calm();
                    resume(&self.shared, &seat.line, &seat.host);
                }
                None => self.start(at, everybody(2, policy), false),
            }
        }
    }

    async fn end_everything(&mut self) -> Result<(), Broken> {
        let left = u32::try_from(self.shared.judge().unfinished().len()).unwrap();
        let deadline = Instant::now() + TIME_TO_END + TIME_PER_TASK * left;
        for at in 0..self.seats.len() {
            self.reload_at(at, everybody(2, self.shared.plan.policy));
        }
        while !self.shared.judge().unfinished().is_empty() {
            if Instant::now() > deadline {
                let left = self.shared.judge().still_open();
                return Err((Charge::NotDrained, left));
            }
            for at in 0..WORKERS {
                let name = worker(at, 1, self.shared.plan.policy).name;
                drop(self.people.resume_worker(name).await);
            }
            let far_off = self.shared.judge().far_off();
            if !far_off.is_empty() {
                drop(self.people.cancel(far_off).await);
            }
            self.wait(Duration::from_secs(20)).await?;
            self.mend_the_seats();
        }
        Ok(())
    }

    /// All hosts go, in time and without killing anything.
    async fn go_home(&mut self) -> Result<(), Broken> {
        self.is_over = true;
        for seat in self.seats.iter().flatten() {
            self.shared.judge().asked_to_drain(&seat.host);
            seat.tell(Command::Drain);
        }
        self.wait(self.shared.plan.drain + TIME_TO_GO).await?;
        let still_here = self.seats.iter().flatten().map(|seat| seat.host.to_string()).collect::<Vec<_>>();
        if !still_here.is_empty() || self.shared.witness.alive() > 0 {
            let why = format!("{still_here:?} and {} attempts are still there", self.shared.witness.alive());
            return Err((Charge::HostEnded, why));
        }
        look(&self.shared).await;
        self.judge()
    }
}

impl crate::judge::Judge {
    /// Tasks that wait for a moment of a calendar that was wrong.
    fn far_off(&self) -> Vec<wh_domain::id::TaskId> {
        let far = self.wall_now().after(Duration::from_secs(600));
        let now = self.instant_now();
        let waits = self.open().filter(|case| match case.standing {
            Standing::Pending { due, .. } => {
                due.at > far && due.instant.is_none_or(|instant| instant.boot != now.boot)
            }
            _ => false,
        });
        waits.map(|case| case.task.id.clone()).collect()
    }

    fn still_open(&self) -> String {
        self.open().map(|case| format!("{case:?}")).collect::<Vec<_>>().join("\n")
    }
}
