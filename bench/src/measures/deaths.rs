//! P7: from a death to the next attempt.

use super::latency::millis;
use crate::clock;
use crate::ground::Ground;
use crate::place::Place;
use crate::raw::{self, Commits};
use crate::report::{Goal, Row, Unit};
use crate::stamps::Stamps;
use crate::stats::Sorted;
use crate::trouble::{Trouble, trouble};
use crate::worker::Act;
use serde_json::{Value, json};
use std::time::Duration;

/// Streams, and so tasks that a dying host leaves.
const STREAMS: usize = 4;

pub(super) fn measure(ground: &Ground) -> Result<Vec<Row>, Trouble> {
    Ok(vec![of_workers(ground)?, of_hosts(ground)?])
}

fn worker(ground: &Ground, act: Act, stamps: &Stamps) -> Value {
    json!({
        "name": act.name(), "command": ground.worker(act, stamps.path()), "protocol": "raw",
        "task_types": [act.name()], "workspace": "none", "streams": STREAMS,
        // It writes where the measurement reads.
        "isolation": "none",
        "retry": {"base": 0, "jitter": "none"},
    })
}

/// A worker is killed in its first attempt; the next attempt begins as soon as it may.
fn of_workers(ground: &Ground) -> Result<Row, Trouble> {
    let mut stamps = Stamps::new(ground.dir.join("deaths"))?;
    let place = Place::new(ground, &[worker(ground, Act::Die, &stamps)])?;
    let mut commits = Commits::new(&place.path().join("raw.db"))?;
    let argv = ground.worker(Act::End, stamps.path());
    let host = place.host()?;
    let mut producer = place.producer()?;
    let (mut times, mut limits, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..ground.scale.rounds {
        let (time, limit) = ground.quiet.round(|| {
            let (mut times, mut limits) = (Vec::new(), Vec::new());
            for _ in 0..ground.scale.samples {
                let begun = clock::now();
                commits.commit()?;
                let committed = clock::now().saturating_sub(begun);
                limits.push(millis(committed + raw::start(&argv, &mut stamps)?));
                producer.give("{\"type\":\"die\"}")?;
                let died = stamps.next()?.at;
                times.push(millis(stamps.next()?.at.saturating_sub(died)));
                producer.take()?;
            }
            Ok((times, limits))
        })?;
        if ground.scale.counts(number) {
            ratios.push(middle(&time) / middle(&limit));
            times.extend(time);
            limits.extend(limit);
        }
    }
    producer.stop()?;
    host.stop()?;
    let what = "a worker's death to the next attempt's first instruction, p50";
    Ok(Row::new("P7", what, middle(&times), Unit::Millis)
        .beside(middle(&limits), ratios)
        .goal(Goal::AtMost(50.0))
        .note(format!("p99 {:.2}, backoff 0; raw: one commit and a start", Sorted::of(times).share(0.99))))
}

fn middle(times: &[f64]) -> f64 {
    Sorted::of(times.iter().copied()).share(0.5)
}

/// A host is killed with all its streams at work, and another one is started at once.
fn of_hosts(ground: &Ground) -> Result<Row, Trouble> {
    let mut stamps = Stamps::new(ground.dir.join("restarts"))?;
    let mut times = Vec::new();
    for _ in 0..ground.scale.restarts {
        times.push(ground.quiet.round(|| restarted(ground, &mut stamps))?);
    }
    let times = Sorted::of(times);
    Ok(Row::new(
        "P7",
        "kill -9 of a host to all its tasks running again under the next, p50",
        times.share(0.5),
        Unit::Millis,
    )
    .goal(Goal::AtMost(1_000.0))
    .note(format!("longest of {}: {:.0} ms; {STREAMS} tasks", ground.scale.restarts, times.share(1.0))))
}

fn restarted(ground: &Ground, stamps: &mut Stamps) -> Result<f64, Trouble> {
    let place = Place::new(ground, &[worker(ground, Act::Hold, stamps)])?;
    place.tasks("tasks", (0..STREAMS).map(|no| format!("{{\"type\":\"hold\",\"id\":\"{no}\"}}")))?;
    place.ok(&["enqueue", "--file", "tasks"])?;
    let host = place.host()?;
    all_begin(stamps)?;
    let killed = clock::now();
    host.kill()?;
    let host = place.host_that_starts()?;
    let began = all_begin(stamps)?;
    host.kill()?;
    Ok(millis(began.saturating_sub(killed)))
}

/// Waits until each of the tasks has begun; answers when the last one did.
fn all_begin(stamps: &mut Stamps) -> Result<Duration, Trouble> {
    let mut begun = std::collections::BTreeMap::new();
    for _ in 0..STREAMS {
        let stamp = stamps.next()?;
        begun.insert(stamp.task, stamp.at);
    }
    if begun.len() < STREAMS {
        return Err(trouble("a task began twice while another one waited"));
    }
    begun.into_values().max().ok_or_else(|| trouble("no task began"))
}
