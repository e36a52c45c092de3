//! P1 and P2: whole tasks, from enqueueing to settlement, against starting the same program and nothing else.

use crate::clock;
use crate::ground::Ground;
use crate::place::{Host, Place, Reading};
use crate::raw::{self, Cost};
use crate::report::{Goal, Row, Unit};
use crate::stats::Spread;
use crate::trouble::{Trouble, trouble};
use crate::usage;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

/// A task's params, and so what its worker reads and writes.
const INPUT: &str =
    r#"{"url": "https://example.org/a/rather/long/path?with=a&query=too", "tries": 3, "tags": ["a", "b"]}"#;

const PYTHON: &str =
    "import sys\nsys.stdout.write(open(sys.argv[1]).read() if sys.argv[1:] else sys.stdin.read())";

/// What a round brought.
struct Round {
    raw: Cost,
    xargs: Cost,
    bare: Cost,
    full: Cost,
    isolated: Cost,
}

pub(super) fn measure(ground: &Ground) -> Result<Vec<Row>, Trouble> {
    let interpreter = interpreter()?;
    let python: Vec<String> = [&*interpreter, "-S", "-E", "-c", PYTHON].map(str::to_owned).into();
    let cat = vec!["/bin/cat".to_owned()];
    let mut rows = Vec::new();
    for streams in [2, 4] {
        let rounds = rounds(ground, &cat, streams, ground.scale.carried)?;
        rows.extend(told(&format!("cat, {streams} streams"), &rounds));
    }
    let rounds = rounds(ground, &python, 4, ground.scale.interpreted)?;
    rows.extend(told("Python, 4 streams", &rounds));
    Ok(rows)
}

/// The interpreter itself: what stands in the path may be a script that looks for it, and costs more than it does.
fn interpreter() -> Result<String, Trouble> {
    let said = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output()?;
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}

fn rounds(ground: &Ground, argv: &[String], streams: u32, count: u32) -> Result<Vec<Round>, Trouble> {
    let free = json!({"memory_mb": "unlimited", "processes": "unlimited", "workspace_mb": "unlimited", "inodes": "unlimited"});
    let worker = |name: &str, workspace: &str, isolation: Value, limits: Value| {
        json!({
            "name": name, "command": argv, "protocol": "raw", "task_types": [name],
            "workspace": workspace, "streams": streams, "isolation": isolation, "limits": limits,
        })
    };
    let required = json!({"level": "strict", "required": true});
    let workers = [
        worker("bare", "none", json!("none"), free.clone()),
        worker("full", "full", json!("none"), free),
        worker("isolated", "full", required, json!({})),
    ];
    let place = Place::new(ground, &workers)?;
    for name in ["bare", "full", "isolated"] {
        let task = format!("{{\"type\":\"{name}\",\"params\":{INPUT}}}");
        place.tasks(name, std::iter::repeat_n(task, count as usize))?;
    }
    let host = place.host()?;
    let reading = place.reading()?;
    let mut rounds = Vec::new();
    for round in 0..ground.scale.rounds {
        let brought = ground.quiet.round(|| {
            Ok(Round {
                raw: raw::spawning(argv, INPUT, streams, count)?,
                bare: carried(&place, &host, &reading, "bare", count)?,
                xargs: raw::xargs(argv, (&ground.dir, INPUT), streams, count)?,
                full: carried(&place, &host, &reading, "full", count)?,
                isolated: carried(&place, &host, &reading, "isolated", count)?,
            })
        })?;
        if ground.scale.counts(round) {
            rounds.push(brought);
        }
    }
    host.stop()?;
    Ok(rounds)
}

/// From the start of the producer to the last settlement.
fn carried(place: &Place, host: &Host, reading: &Reading, file: &str, count: u32) -> Result<Cost, Trouble> {
    let before = reading.ended()?;
    let cpu = || usage::own_cpu() + usage::cpu_with_ended(&usage::tree(host.pid()));
    let (begun, cpu_before) = (clock::wall_millis(), cpu());
    place.ok(&["enqueue", "--file", file])?;
    let ended = reading.until_ended(before + i64::from(count))?;
    let cpu = cpu().saturating_sub(cpu_before);
    let millis = u64::try_from(ended - begun).map_err(|_| trouble("the clock was set back"))?;
    Ok(Cost::of(count, Duration::from_millis(millis).as_secs_f64(), cpu))
}

/// One of a round's costs.
type Of = fn(&Round) -> Cost;

fn told(what: &str, rounds: &[Round]) -> Vec<Row> {
    let rate = |of: Of| Spread::of(rounds.iter().map(|round| of(round).per_s)).median;
    let cpu = |of: Of| Spread::of(rounds.iter().map(|round| of(round).cpu_ms)).median;
    let ratios = |of: Of, to: Of| -> Vec<f64> {
        rounds.iter().map(|round| of(round).per_s / to(round).per_s).collect()
    };
    let raw: Of = |round| round.raw;
    let xargs: Of = |round| round.xargs;
    let bare: Of = |round| round.bare;
    let full: Of = |round| round.full;
    let isolated: Of = |round| round.isolated;
    let is_fast = what.starts_with("cat");
    let row = |name, words: &str, of, to, goal| {
        Row::new(name, format!("{what}, {words}"), rate(of), Unit::PerSecond)
            .beside(rate(to), ratios(of, to))
            .goal(goal)
            .note(format!("{:.2} ms CPU each, raw {:.2}", cpu(of), cpu(to)))
    };
    let more = cpu(full) - cpu(bare);
    let mut rows = vec![
        row("P1", "no workspace", bare, raw, if is_fast { Goal::RatioAtLeast(0.85) } else { Goal::None }),
        // Of an interpreter's start nothing can be saved, so level with others is all there is; 3 % is noise.
        row(
            "P1",
            "no workspace, against xargs",
            bare,
            xargs,
            Goal::RatioAtLeast(if is_fast { 1.0 } else { 0.97 }),
        ),
        row("P1", "full workspace", full, raw, Goal::None),
        row(
            "P2",
            "workspace, strict and limits",
            isolated,
            raw,
            if is_fast { Goal::RatioAtLeast(0.7) } else { Goal::None },
        ),
        row(
            "P2",
            "workspace, strict and limits, against xargs",
            isolated,
            xargs,
            if is_fast { Goal::RatioAtLeast(1.0) } else { Goal::None },
        ),
    ];
    if is_fast {
        let name = format!("{what}, processor time that a workspace adds");
        rows.push(Row::new("P2", name, more, Unit::Millis).goal(Goal::AtMost(0.2)));
    }
    rows
}
