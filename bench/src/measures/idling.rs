//! P9: what a host uses that has nothing to do.

use crate::ground::Ground;
use crate::place::{Host, Place};
use crate::report::{Goal, Row, Unit};
use crate::trouble::Trouble;
use crate::usage;
use crate::wal::commits;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Workers in the configuration.
const WORKERS: u32 = 20;
/// Until a host that has started, or has worked, has come to rest.
const REST: Duration = Duration::from_secs(3);
/// How often a host tells the store that it lives, by default.
const HEARTBEAT: Duration = Duration::from_millis(7_500);

pub(super) fn measure(ground: &Ground) -> Result<Vec<Row>, Trouble> {
    let workers: Vec<Value> = (0..WORKERS)
        .map(|no| {
            let (name, task_type) = (format!("worker-{no}"), format!("type-{no}"));
            json!({"name": name, "command": ["/bin/cat"], "protocol": "raw", "task_types": [task_type]})
        })
        .collect();
    let place = Place::new(ground, &workers)?;
    let host = place.host()?;
    std::thread::sleep(REST.min(ground.scale.idle));
    let mut rows = at_rest(ground, &place, &host)?;
    let count = ground.scale.carried;
    let tasks = (0..count).map(|no| format!("{{\"type\":\"type-{}\",\"params\":{no}}}", no % WORKERS));
    place.tasks("tasks", tasks)?;
    place.ok(&["enqueue", "--file", "tasks"])?;
    place.reading()?.until_ended(i64::from(count))?;
    std::thread::sleep(REST.min(ground.scale.idle));
    rows.push(memory(&host, &format!("after {count} tasks"), Goal::None)?);
    host.stop()?;
    Ok(rows)
}

fn at_rest(ground: &Ground, place: &Place, host: &Host) -> Result<Vec<Row>, Trouble> {
    let pids = usage::tree(host.pid());
    let log = place.path().join(".workerhost/tasks.db-wal");
    let (begun, before, written) = (Instant::now(), usage::life(&pids), commits(&log)?);
    std::thread::sleep(ground.scale.idle);
    let (after, seconds) = (usage::life(&pids), begun.elapsed().as_secs_f64());
    let beats = (seconds / HEARTBEAT.as_secs_f64()).max(1.0);
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
    let minute = |before: u64, after: u64| after.saturating_sub(before) as f64 / seconds * 60.0;
    let watched = format!("over {seconds:.0} s");
    Ok(vec![
        memory(host, "that has done nothing yet", Goal::AtMost(8.0))?,
        Row::new("P9", "idle host: processor", cpu / seconds * 100.0, Unit::Percent)
            .goal(Goal::AtMost(0.05))
            .note(format!("{:.1} ms {watched}", cpu * 1e3)),
        Row::new("P9", "idle host: wake-ups a minute", minute(before.wakes, after.wakes), Unit::Count)
            .note(watched),
        Row::new(
            "P9",
            "idle host: commits a heartbeat",
            f64::from(commits(&log)? - written) / beats,
            Unit::Count,
        )
        .goal(Goal::AtMost(1.0))
        .note(format!(
            "{:.1} calls that write a heartbeat",
            minute(before.writes, after.writes) * seconds / 60.0 / beats
        )),
    ])
}

fn memory(host: &Host, when: &str, goal: Goal) -> Result<Row, Trouble> {
    let pids = usage::tree(host.pid());
    let what = format!("host with {WORKERS} workers {when}: memory (PSS) with what it started");
    let note = format!(
        "host alone {:.1} MiB PSS, {:.1} MiB RSS; {} processes",
        usage::pss_mib(&[host.pid()])?,
        usage::rss_mib(host.pid()),
        pids.len()
    );
    Ok(Row::new("P9", what, usage::pss_mib(&pids)?, Unit::Mib).goal(goal).volatile().note(note))
}
