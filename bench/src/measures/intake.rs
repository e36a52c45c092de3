//! P5: tasks that come in, against what plain SQLite does with as many rows.

use crate::fill::Filling;
use crate::ground::Ground;
use crate::place::{Place, Producer};
use crate::raw::{self, Commits};
use crate::report::{Goal, Row, Unit};
use crate::stats::Spread;
use crate::store;
use crate::trouble::Trouble;
use std::io::Write;
use std::time::Instant;
use wh_sqlite::Writing;

/// A line of a producer.
const LINE: &str = r#"{"type":"echo","params":{"text":"hello"}}"#;
/// Lines that share a commit of the program, and rows that share one of plain SQL.
const AT_ONCE: u64 = 500;

/// Rates of a round.
#[derive(Debug)]
struct Round {
    commits: f64,
    piped_commits: f64,
    one_by_one: f64,
    within: f64,
    processes: f64,
    stream: f64,
    callers: f64,
    plain: f64,
    bulk: f64,
}

pub(super) fn measure(ground: &Ground) -> Result<Vec<Row>, Trouble> {
    let scale = ground.scale;
    let place = Place::new(ground, &[])?;
    let mut commits = Commits::new(&place.path().join("raw.db"))?;
    place.ok(&["enqueue", "echo", "--params", "{\"text\":\"hello\"}"])?;
    let alone = store::open(&place.path().join("alone"), Writing::InPlace)?;
    let shared = store::open(&place.path().join("shared"), Writing::Apart)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut rounds = Vec::new();
    let mut next = 0;
    for number in 0..scale.rounds {
        let round = ground.quiet.round(|| {
            let (plain, bulk) = in_bulk(ground)?;
            Ok(Round {
                commits: raw::rate(scale.time, || commits.commit().map(|()| 1))?,
                piped_commits: piped_commits(ground)?,
                one_by_one: one_by_one(ground, &place)?,
                processes: raw::rate(scale.time, || {
                    place.ok(&["enqueue", "echo", "--params", "{\"text\":\"hello\"}"]).map(|()| 1)
                })?,
                stream: stream(&place, scale.bulk / 5)?,
                within: raw::rate(scale.time, || {
                    next += 1;
                    runtime.block_on(store::bring_in(&alone, next, 1)).map(|()| 1)
                })?,
                callers: raw::rate(scale.time, || {
                    let count = runtime.block_on(store::many_callers(&shared, next + 1))?;
                    next += u64::from(count);
                    Ok(count)
                })?,
                plain,
                bulk,
            })
        })?;
        if scale.counts(number) {
            rounds.push(round);
        }
    }
    Ok(told(&rounds))
}

/// A producer that waits for each acknowledgement before it gives the next task.
fn one_by_one(ground: &Ground, place: &Place) -> Result<f64, Trouble> {
    let mut producer = place.producer()?;
    let rate = raw::rate(ground.scale.time, || {
        producer.give(LINE)?;
        producer.take()?;
        Ok(1)
    })?;
    producer.stop()?;
    Ok(rate)
}

/// The same with nothing behind the pipes but commits of one narrow row.
fn piped_commits(ground: &Ground) -> Result<f64, Trouble> {
    // Of its own: a round that others disturbed is measured again.
    let place = Place::new(ground, &[])?;
    let mut producer = Producer::plain(&ground.own, &place.path().join("raw.db"))?;
    let rate = raw::rate(ground.scale.time, || {
        producer.give(LINE)?;
        producer.take_back(LINE)?;
        Ok(1)
    })?;
    producer.stop()?;
    Ok(rate)
}

/// A producer that does not wait.
fn stream(place: &Place, count: u32) -> Result<f64, Trouble> {
    let (mut lines, mut answers, mut child) = place.producer()?.apart();
    let begun = Instant::now();
    let giving = std::thread::spawn(move || -> std::io::Result<()> {
        let mut lines = std::io::BufWriter::new(&mut lines);
        (0..count).try_for_each(|_| writeln!(lines, "{LINE}"))?;
        lines.flush()
    });
    let answered = std::io::BufRead::lines(&mut answers).count();
    let seconds = begun.elapsed().as_secs_f64();
    giving.join().map_err(|_| "a thread died")??;
    if !child.wait()?.success() || answered != count as usize {
        return Err("the producer did not answer every line".into());
    }
    Ok(f64::from(count) / seconds)
}

/// A file of many tasks, and plain SQL that fills the same tables: each into a new store.
fn in_bulk(ground: &Ground) -> Result<(f64, f64), Trouble> {
    let count = ground.scale.bulk;
    let (plain, filled) = (Place::new(ground, &[])?, Place::new(ground, &[])?);
    for place in [&plain, &filled] {
        place.ok(&["enqueue", "echo", "--params", "{\"text\":\"hello\"}"])?;
    }
    filled.tasks("tasks", std::iter::repeat_n(LINE.to_owned(), count as usize))?;
    let begun = Instant::now();
    Filling::durable(&plain.database())?.pending(1, u64::from(count), Some(AT_ONCE))?;
    let by_sql = f64::from(count) / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    filled.ok(&["enqueue", "--file", "tasks"])?;
    Ok((by_sql, f64::from(count) / begun.elapsed().as_secs_f64()))
}

fn told(rounds: &[Round]) -> Vec<Row> {
    let row = |what: &str, of: fn(&Round) -> f64, to: fn(&Round) -> f64, goal: Option<f64>| {
        let median = |of: fn(&Round) -> f64| Spread::of(rounds.iter().map(of)).median;
        Row::new("P5", what, median(of), Unit::PerSecond)
            .beside(median(to), rounds.iter().map(|round| of(round) / to(round)))
            .goal(goal.map_or(Goal::None, Goal::RatioAtLeast))
    };
    vec![
        row("enqueue one by one, within a process", |it| it.within, |it| it.commits, Some(0.6))
            .note("written in place, as `enqueue --file` does; raw: commits of one narrow row"),
        row("enqueue one by one, through pipes", |it| it.one_by_one, |it| it.piped_commits, Some(0.6)).note(
            "`enqueue --file -`, line by line; raw: a process that commits one narrow row for each line",
        ),
        row("enqueue, a process for each task", |it| it.processes, |it| it.commits, None),
        row("enqueue, lines of one stream", |it| it.stream, |it| it.commits, Some(8.0))
            .note("the start of the process is part of it"),
        row("enqueue, 256 callers of one process", |it| it.callers, |it| it.commits, Some(8.0)),
        row("enqueue a file", |it| it.bulk, |it| it.plain, Some(0.5))
            .note("raw: prepared inserts into the same tables, 500 tasks a commit"),
    ]
}
