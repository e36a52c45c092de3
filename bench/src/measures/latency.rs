//! P6 and P12: from a task in one process to the first instruction of its worker in another, on an idle machine.

use crate::clock;
use crate::fill::Filling;
use crate::ground::Ground;
use crate::place::{Place, Producer};
use crate::raw::{self, Commits};
use crate::report::{Goal, Row, Unit};
use crate::stamps::Stamps;
use crate::stats::Sorted;
use crate::trouble::Trouble;
use crate::worker::Act;
use serde_json::json;
use std::time::Duration;

/// Long enough for everybody to fall asleep in between.
const PAUSE: Duration = Duration::from_millis(20);
/// Types of the tasks that nobody takes.
const OTHERS: u64 = 100;

/// Times of a round, in milliseconds.
#[derive(Debug, Default)]
struct Round {
    raw: Vec<f64>,
    idle: Vec<f64>,
    beside: Vec<f64>,
}

pub(super) fn measure(ground: &Ground) -> Result<Vec<Row>, Trouble> {
    let scale = ground.scale;
    let mut stamps = Stamps::new(ground.dir.join("latency"))?;
    let worker = ground.worker(Act::End, stamps.path());
    let list = [json!({
        "name": "stamp", "command": worker, "protocol": "raw", "task_types": ["stamp"], "workspace": "none",
        // It writes where the measurement reads.
        "isolation": "none",
    })];
    let (alone, crowded) = (Place::new(ground, &list)?, Place::new(ground, &list)?);
    crowd(&crowded, scale.million)?;
    let mut commits = Commits::new(&alone.path().join("raw.db"))?;
    let (first, second) = (alone.host()?, crowded.host()?);
    let (mut to_first, mut to_second) = (alone.producer()?, crowded.producer()?);
    let mut rounds = Vec::new();
    for number in 0..scale.rounds {
        let round = ground.quiet.round(|| {
            let mut round = Round::default();
            for _ in 0..scale.samples {
                round.raw.push(least(&mut commits, &worker, &mut stamps)?);
                round.idle.push(begins(&mut to_first, &mut stamps)?);
                round.beside.push(begins(&mut to_second, &mut stamps)?);
            }
            Ok(round)
        })?;
        if scale.counts(number) {
            rounds.push(round);
        }
    }
    to_first.stop()?;
    to_second.stop()?;
    first.stop()?;
    second.stop()?;
    let crowd = thousands(scale.million);
    Ok(vec![
        told("one-shot, idle", &rounds, |round| &round.idle),
        told(&format!("one-shot, {crowd} tasks of other types pending"), &rounds, |round| &round.beside),
        from_start(ground, &crowded, &mut stamps, &crowd)?,
    ])
}

/// Tasks of many types, none of which any worker takes.
fn crowd(place: &Place, count: u64) -> Result<(), Trouble> {
    place.tasks(
        "others",
        (0..OTHERS).map(|no| format!("{{\"type\":\"other-{no}\",\"params\":{{\"no\":{no}}}}}")),
    )?;
    place.ok(&["enqueue", "--file", "others"])?;
    let filling = Filling::hasty(&place.database())?;
    filling.tasks()?.into_iter().try_for_each(|seq| filling.pending(seq, count / OTHERS, None))
}

/// What nobody can save: a commit that makes the task durable, one that makes the claim durable, and the start.
fn least(commits: &mut Commits, worker: &[String], stamps: &mut Stamps) -> Result<f64, Trouble> {
    std::thread::sleep(PAUSE);
    let begun = clock::now();
    commits.commit()?;
    commits.commit()?;
    let committed = clock::now().saturating_sub(begun);
    Ok(millis(committed + raw::start(worker, stamps)?))
}

/// From handing a task to a producer until its worker has begun.
pub(super) fn begins(producer: &mut Producer, stamps: &mut Stamps) -> Result<f64, Trouble> {
    std::thread::sleep(PAUSE);
    let begun = clock::now();
    producer.give("{\"type\":\"stamp\"}")?;
    let began = stamps.next()?.at;
    producer.take()?;
    Ok(millis(began.saturating_sub(begun)))
}

fn told(what: &str, rounds: &[Round], of: fn(&Round) -> &[f64]) -> Row {
    let raw: fn(&Round) -> &[f64] = |round| &round.raw;
    let all = |of: fn(&Round) -> &[f64]| Sorted::of(rounds.iter().flat_map(of).copied());
    let middle = |times: &[f64]| Sorted::of(times.iter().copied()).share(0.5);
    let (these, limit) = (all(of), all(raw));
    Row::new("P6", format!("{what}: task to worker, p50"), these.share(0.5), Unit::Millis)
        .beside(limit.share(0.5), rounds.iter().map(|round| middle(of(round)) / middle(raw(round))))
        .goal(Goal::RatioAtMost(1.3))
        .note(format!(
            "p99 {:.2}, raw {:.2}; raw: two commits and a start",
            these.share(0.99),
            limit.share(0.99)
        ))
}

/// From starting a host until the first worker has begun.
fn from_start(ground: &Ground, place: &Place, stamps: &mut Stamps, crowd: &str) -> Result<Row, Trouble> {
    let mut times = Vec::new();
    for _ in 0..ground.scale.restarts {
        times.push(ground.quiet.round(|| {
            place.ok(&["enqueue", "stamp"])?;
            let begun = clock::now();
            let host = place.host_that_starts()?;
            let began = stamps.next()?.at;
            host.stop()?;
            Ok(millis(began.saturating_sub(begun)))
        })?);
    }
    let sorted = Sorted::of(times);
    let what = format!("start of a host to its first worker, {crowd} tasks pending, p50");
    Ok(Row::new("P12", what, sorted.share(0.5), Unit::Millis).goal(Goal::AtMost(100.0)).note(format!(
        "longest of {}: {:.1} ms",
        ground.scale.restarts,
        sorted.share(1.0)
    )))
}

/// A time in milliseconds.
pub(super) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A large number as words have it.
pub(super) fn thousands(count: u64) -> String {
    match count {
        count if count.is_multiple_of(1_000_000) => format!("{} million", count / 1_000_000),
        count => count.to_string(),
    }
}
