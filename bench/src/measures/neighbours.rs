//! What a stream suffers from another one beside it that takes all the memory it may, and is ended for it, over and over.

use super::latency::begins;
use crate::ground::Ground;
use crate::place::Place;
use crate::report::{Goal, Row, Unit};
use crate::stamps::Stamps;
use crate::stats::Sorted;
use crate::trouble::Trouble;
use crate::worker::Act;
use serde_json::{Value, json};
use std::time::Duration;

/// So many samples make a percentile of a percentile.
const TIMES: u32 = 4;
/// More than are ended while anybody measures.
const HUNGRY: usize = 2_000;
/// Four processes that take 300 MiB each.
const HUNGER: &str = "cat > /dev/null; for i in 1 2 3 4; do (head -c 314572800 /dev/zero | tail -c 314572800 > /dev/null) & done; wait; exit 1";
/// Until they are all at work.
const BEGINNING: Duration = Duration::from_millis(500);

/// The 99th percentiles of a round, in milliseconds.
#[derive(Debug)]
struct Round {
    alone: f64,
    beside: f64,
    held: f64,
}

pub(super) fn measure(ground: &Ground) -> Result<Vec<Row>, Trouble> {
    let mut stamps = Stamps::new(ground.dir.join("neighbours"))?;
    let mut rounds = Vec::new();
    for number in 0..ground.scale.rounds {
        let round = ground.quiet.round(|| {
            Ok(Round {
                alone: slowest(ground, &mut stamps, None)?,
                beside: slowest(ground, &mut stamps, Some(json!("unlimited")))?,
                held: slowest(ground, &mut stamps, Some(json!(25)))?,
            })
        })?;
        if ground.scale.counts(number) {
            rounds.push(round);
        }
    }
    Ok(vec![
        told("beside 4 × 300 MiB of 512 that are ended for it", &rounds, |round| round.beside)
            .goal(Goal::RatioAtMost(1.1)),
        told("the same, held to a quarter of a processor", &rounds, |round| round.held),
    ])
}

fn told(what: &str, rounds: &[Round], of: fn(&Round) -> f64) -> Row {
    let middle = |of: fn(&Round) -> f64| Sorted::of(rounds.iter().map(of)).share(0.5);
    Row::new("neighbour", format!("{what}: task to worker of another stream, p99"), middle(of), Unit::Millis)
        .beside(middle(|round| round.alone), rounds.iter().map(|round| of(round) / round.alone))
        .note("raw: the same stream without anybody beside it")
}

/// The 99th percentile from a task to its worker, beside hungry ones where there are any.
fn slowest(ground: &Ground, stamps: &mut Stamps, hungry: Option<Value>) -> Result<f64, Trouble> {
    let worker = ground.worker(Act::End, stamps.path());
    let mut list = vec![json!({
        "name": "stamp", "command": worker, "protocol": "raw", "task_types": ["stamp"], "workspace": "none",
        // It writes where the measurement reads.
        "isolation": "none",
    })];
    list.extend(hungry.map(|cpu_percent| {
        json!({
            "name": "hungry", "command": ["sh", "-c", HUNGER], "protocol": "raw", "task_types": ["hungry"],
            "max_attempts": 1, "limits": {"memory_mb": 512, "cpu_percent": cpu_percent},
        })
    }));
    let place = Place::new(ground, &list)?;
    if list.len() > 1 {
        place.tasks("hungry", (0..HUNGRY).map(|_| "{\"type\":\"hungry\"}".to_owned()))?;
        place.ok(&["enqueue", "--file", "hungry"])?;
    }
    let (host, mut producer) = (place.host()?, place.producer()?);
    std::thread::sleep(BEGINNING);
    let mut times = Vec::new();
    for _ in 0..ground.scale.samples * TIMES {
        times.push(begins(&mut producer, stamps)?);
    }
    producer.stop()?;
    host.kill()?;
    Ok(Sorted::of(times).share(0.99))
}
