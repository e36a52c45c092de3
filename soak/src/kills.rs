//! Hosts are killed, over and over, while tasks come in and run; afterwards nothing may be missing.

use crate::arena::{Arena, Stage, alive};
use crate::history::History;
use crate::judge::{Verdict, judge};
use crate::kind::{Kind, id_of, line_of};
use crate::ledger::Ledger;
use crate::points::{FIRST, Lure, POINTS, Point};
use crate::process::{Host, Pulse, wait_until};
use crate::producer::{Producer, Shared, prepare};
use crate::runs::Runs;
use crate::{Tried, load};
use fastrand::Rng;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// So long a host may take to come to the point at which it is to die.
const TO_A_POINT: Duration = Duration::from_secs(4);
/// So long another host may take to see that one does not move.
const TO_A_TAKEOVER: Duration = Duration::from_secs(10);
/// So long the last host may take to bring everything to its end.
const TO_THE_END: Duration = Duration::from_secs(180);
/// So long whatever came from a killed host may live on.
const AFTERLIFE: Duration = Duration::from_secs(2);
/// Tasks that hosts bring themselves begin with this number.
const BROUGHT: u64 = 500_000;
/// As many tasks are to wait at most, so that what is killed is in the middle of everything.
const MOST_WAITING: u64 = 600;

/// How large a soak is.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often a host is killed.
    pub kills: usize,
    /// How often each point is hit at least; with 0, only a few points are.
    pub hits: usize,
    /// How often a host is stopped for so long that another one takes over.
    pub stops: usize,
    /// How many tasks are sent, beside those that hosts bring.
    pub tasks: u64,
    /// A host that is killed at work has lived at most so long.
    pub longest: Duration,
    /// What chance begins with.
    pub seed: u64,
}

/// How a host is killed.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// At a point, the time it is passed that often.
    At(Point, u64),
    /// So soon after its start that it may not have begun.
    Early(Duration),
    /// In the midst of its work.
    Late(Duration),
    /// In the midst of its work, beside another host, which takes over and is killed a moment later.
    Beside(Duration),
    /// Stopped until another host has taken over, then let go on, then both are killed.
    Stopped,
}

impl Blow {
    /// How long it will take, roughly.
    fn length(self) -> Duration {
        match self {
            Self::At(..) => Duration::from_millis(700),
            Self::Early(after) | Self::Late(after) => after,
            Self::Beside(after) => after * 3 / 2,
            Self::Stopped => Duration::from_secs(5),
        }
    }
}

/// What a soak came to.
#[derive(Debug)]
pub struct Outcome {
    /// What the judge says.
    pub verdict: Verdict,
    /// The accounts.
    pub history: History,
    /// What was done.
    pub deeds: Deeds,
    /// The producers.
    pub producers: std::sync::Arc<Shared>,
    /// How long all of it took.
    pub took: Duration,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Deeds {
    /// Kills within the first moments of a host.
    pub early: usize,
    /// Kills in the midst of its work.
    pub late: usize,
    /// Kills of two hosts that lived beside each other.
    pub beside: usize,
    /// Kills of hosts that had been stopped, and of those beside them.
    pub stopped: usize,
    /// How often another host took over from one that was stopped.
    pub overtaken: usize,
    /// Of all these, those at which workers were alive.
    pub with_workers: usize,
    /// Kills at each named point.
    pub points: BTreeMap<&'static str, usize>,
    /// How long what came from a killed host lived on, where that was looked at.
    pub afterlife: Vec<Duration>,
    /// How often something lived on for too long.
    pub survivors: usize,
}

impl Deeds {
    /// Kills in all.
    pub fn kills(&self) -> usize {
        self.early + self.late + self.beside + self.stopped + self.points.values().sum::<usize>()
    }
}

/// Soaks `program` in `dir`, with its store in `data`; both are there and empty.
pub fn soak(plan: &Plan, dir: &Path, data: &Path, program: &Path) -> Tried<Outcome> {
    let begun = Instant::now();
    let arena = Arena::new(dir, data, program)?;
    let mut soak = Soak {
        pulse: Pulse::listen(&alive(&arena.ground()))?,
        books: Ledger::open(&arena.acknowledgements())?,
        runs: Runs::new(&arena)?,
        arena,
        plan: *plan,
        producer: None,
        rng: Rng::with_seed(plan.seed),
        brought: BROUGHT,
        deeds: Deeds::default(),
        length: Duration::ZERO,
        done: Duration::ZERO,
    };
    soak.run()?;
    let producer = soak.producer.take().ok_or("there is no producer")?;
    // Whatever the machine could not keep up with comes now, while nobody is killed.
    producer.allow(plan.tasks);
    let producers = producer.finish()?;
    soak.finish()?;
    let history = load::history(&soak.arena)?;
    let verdict = judge(&history);
    Ok(Outcome { verdict, history, deeds: soak.deeds, producers, took: begun.elapsed() })
}

struct Soak {
    arena: Arena,
    pulse: Pulse,
    runs: Runs,
    books: Ledger,
    plan: Plan,
    producer: Option<Producer>,
    rng: Rng,
    brought: u64,
    deeds: Deeds,
    /// How long all blows take, roughly, and those that are done.
    length: Duration,
    done: Duration,
}

impl Soak {
    fn run(&mut self) -> Tried<()> {
        // Only before the first task is there a data directory to be made.
        for _ in 0..self.plan.hits {
            self.strike(Blow::At(FIRST, 1))?;
        }
        self.producer = Some(Producer::start(&self.arena, 0, self.rng.u64(..), true)?);
        let mut blows = self.blows();
        self.length = blows.iter().map(|blow| blow.length()).sum();
        self.done = Duration::ZERO;
        let mut again = self.plan.kills / 2;
        while let Some(blow) = blows.pop() {
            // A point that was not reached is tried again later.
            if !self.strike(blow)?
                && let Blow::At(point, _) = blow
                && again > 0
            {
                again -= 1;
                blows.insert(0, Blow::At(point, 1));
            }
            self.done += blow.length();
        }
        while self.deeds.kills() < self.plan.kills {
            self.strike(Blow::Late(self.plan.longest / 2))?;
        }
        Ok(())
    }

    /// Every kill in advance, in the order of chance.
    fn blows(&mut self) -> Vec<Blow> {
        let mut blows = Vec::new();
        let chosen: Vec<&Point> = match self.plan.hits {
            0 => self.rng.choose_multiple(POINTS, self.plan.kills / 4),
            _ => POINTS.iter().collect(),
        };
        for point in chosen {
            blows.extend((0..self.plan.hits.max(1)).map(|hit| {
                let count = if hit == 0 { 1 } else { self.rng.u64(1..=point.most) };
                Blow::At(*point, count)
            }));
        }
        blows.extend((0..self.plan.stops).map(|_| Blow::Stopped));
        let rest = self.plan.kills.saturating_sub(blows.len() + self.plan.stops + self.deeds.kills());
        let longest = u64::try_from(self.plan.longest.as_micros()).unwrap_or(u64::MAX);
        for no in 0..rest {
            let late = Duration::from_micros(self.rng.u64(longest / 8..longest));
            blows.push(match no % 8 {
                0 | 2 | 4 | 6 => Blow::Early(Duration::from_micros(self.rng.u64(0..50_000))),
                // Each of these is two kills.
                1 => Blow::Beside(late),
                3 => continue,
                _ => Blow::Late(late),
            });
        }
        self.rng.shuffle(&mut blows);
        blows
    }

    /// Starts a host and kills it; whether it died as intended.
    fn strike(&mut self, blow: Blow) -> Tried<bool> {
        match blow {
            Blow::At(point, count) => self.strike_at(point, count, blow),
            Blow::Early(after) | Blow::Late(after) => {
                let mut host = Host::start(&self.arena, &["run"], None)?;
                self.wait(&mut host, after, blow)?;
                self.kill(&mut host)?;
                match blow {
                    Blow::Early(_) => self.deeds.early += 1,
                    _ => self.deeds.late += 1,
                }
                self.bury_now_and_then(&host)?;
                Ok(true)
            }
            Blow::Beside(after) => {
                let mut first = Host::start(&self.arena, &["run"], None)?;
                let mut second = Host::start(&self.arena, &["run"], None)?;
                self.wait(&mut first, after, blow)?;
                self.kill(&mut first)?;
                self.wait(&mut second, after / 2, blow)?;
                self.kill(&mut second)?;
                self.deeds.beside += 2;
                Ok(true)
            }
            Blow::Stopped => self.strike_a_stopped_one(blow),
        }
    }

    fn kill(&mut self, host: &mut Host) -> Tried<()> {
        self.must_live(host)?;
        self.deeds.with_workers += usize::from(self.pulse.beats()?);
        host.kill()
    }

    /// Kills a host that was stopped for so long that another one has taken over, and that has gone on since.
    fn strike_a_stopped_one(&mut self, blow: Blow) -> Tried<bool> {
        let mut stopped = Host::start(&self.arena, &["run"], None)?;
        let mut other = Host::start(&self.arena, &["run"], None)?;
        self.wait(&mut other, Duration::from_millis(500), blow)?;
        let before = self.reclaimed();
        stopped.signal(Signal::STOP)?;
        let begun = Instant::now();
        while self.reclaimed() == before && begun.elapsed() < TO_A_TAKEOVER {
            self.wait(&mut other, Duration::from_millis(50), blow)?;
        }
        self.deeds.overtaken += usize::from(self.reclaimed() > before);
        stopped.signal(Signal::CONT)?;
        let after = Duration::from_millis(self.rng.u64(0..500));
        self.wait(&mut other, after, blow)?;
        self.kill(&mut stopped)?;
        self.kill(&mut other)?;
        self.deeds.stopped += 2;
        Ok(true)
    }

    /// How many claims of hosts that were given up have been taken over.
    fn reclaimed(&self) -> usize {
        let told = fs::read_to_string(self.arena.told()).unwrap_or_default();
        told.lines().filter(|line| line.starts_with("reclaimed")).count()
    }

    /// Starts a host that is to die by itself at a point.
    fn strike_at(&mut self, point: Point, count: u64, blow: Blow) -> Tried<bool> {
        let brings = self.prepare(point.lure)?;
        let arguments: &[&str] = if brings { &["run", "--enqueue", "brought.jsonl"] } else { &["run"] };
        let mut host = Host::start(&self.arena, arguments, Some(&format!("{}:{count}", point.name)))?;
        let at = Duration::from_millis(self.rng.u64(100..500));
        self.wait(&mut host, at, blow)?;
        self.entice(point.lure, &mut host)?;
        self.wait(&mut host, TO_A_POINT, blow)?;
        let hit = host.has_ended()?.is_some_and(|status| status.signal() == Some(9));
        if hit {
            *self.deeds.points.entry(point.name).or_default() += 1;
        } else if host.has_ended()?.is_none() || point.lure != Lure::Stop {
            self.kill(&mut host)?;
            self.deeds.late += 1;
        }
        self.undo(point.lure)?;
        self.bury_now_and_then(&host)?;
        Ok(hit)
    }

    fn bury_now_and_then(&mut self, host: &Host) -> Tried<()> {
        if self.rng.u32(0..4) == 0 { self.bury(host) } else { Ok(()) }
    }

    /// A host dies by our hand or at its point, by nothing else.
    fn must_live(&self, host: &mut Host) -> Tried<()> {
        match host.has_ended()? {
            None => Ok(()),
            Some(status) => {
                let talk = fs::read_to_string(self.arena.talk())?;
                let last = talk.lines().last().unwrap_or_default();
                Err(format!("a host ended by itself with {status}: {last}").into())
            }
        }
    }

    /// Waits for the host's end, for so long at most; lets the producer go on meanwhile.
    fn wait(&mut self, host: &mut Host, limit: Duration, blow: Blow) -> Tried<()> {
        if let Some(producer) = self.producer.take_if(|producer| producer.has_ended()) {
            producer.join()?;
            return Err("the producer has ended before its time".into());
        }
        let begun = Instant::now();
        wait_until(limit, || {
            if let Some(producer) = &self.producer {
                let now = self.done + begun.elapsed().min(blow.length());
                let share = now.min(self.length).as_micros() * u128::from(self.plan.tasks);
                let wished = share / self.length.as_micros().max(1);
                self.runs.look()?;
                producer.allow(u64::try_from(wished)?.min(self.runs.over + MOST_WAITING));
            }
            Ok(host.has_ended()?.is_some())
        })?;
        Ok(())
    }

    /// Whether the host is to bring tasks of its own, which lie ready then.
    fn prepare(&mut self, lure: Lure) -> Tried<bool> {
        let kind = match lure {
            Lure::Bring => Kind::File,
            Lure::Break | Lure::Mend => Kind::Fickle,
            Lure::None | Lure::Stop | Lure::Reload | Lure::Spoil => return Ok(false),
        };
        if kind == Kind::Fickle {
            fs::rename(self.arena.fickle(), self.arena.fickle_away())?;
        }
        let mut lines = String::new();
        while lines.lines().count() < 3 {
            self.brought += 1;
            if Kind::of(self.brought) == kind {
                prepare(self.brought, &self.arena)?;
                self.books.add(&format!("sent {}", id_of(self.brought)))?;
                lines.push_str(&line_of(self.brought, &self.arena.files()));
                lines.push('\n');
            }
        }
        fs::write(self.arena.dir.join("brought.jsonl"), lines)?;
        Ok(true)
    }

    fn entice(&mut self, lure: Lure, host: &mut Host) -> Tried<()> {
        match lure {
            Lure::None | Lure::Bring | Lure::Break => Ok(()),
            Lure::Stop => host.signal(Signal::TERM),
            Lure::Reload => self.arena.configure(Stage::Soak),
            Lure::Spoil => {
                self.tell_of_the_configuration();
                self.arena.spoil_configuration()
            }
            Lure::Mend => Ok(fs::rename(self.arena.fickle_away(), self.arena.fickle())?),
        }
    }

    /// The producer's commands are to know when they may find it spoilt.
    fn tell_of_the_configuration(&self) {
        if let Some(producer) = &self.producer {
            producer.shared.spoilt.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn undo(&mut self, lure: Lure) -> Tried<()> {
        match lure {
            Lure::Spoil => {
                self.arena.configure(Stage::Soak)?;
                self.tell_of_the_configuration();
                Ok(())
            }
            Lure::Break => Ok(fs::rename(self.arena.fickle_away(), self.arena.fickle())?),
            Lure::None | Lure::Bring | Lure::Stop | Lure::Reload | Lure::Mend => Ok(()),
        }
    }

    /// Looks how long what came from a killed host lives on.
    fn bury(&mut self, host: &Host) -> Tried<()> {
        match host.deserted(&self.pulse, AFTERLIFE)? {
            Some(after) => self.deeds.afterlife.push(after),
            None => self.deeds.survivors += 1,
        }
        Ok(())
    }

    /// A host that is let live brings everything to its end.
    fn finish(&mut self) -> Tried<()> {
        self.arena.configure(Stage::Last)?;
        // What is left of the allowance is sent by now.
        let mut host = Host::start(&self.arena, &["run", "--drain"], None)?;
        let status = host.end(TO_THE_END)?.ok_or("the last host does not come to its end")?;
        if !status.success() {
            return Err(format!("the last host ended with {status}").into());
        }
        self.bury(&host)
    }
}
