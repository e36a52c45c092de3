//! What a soak says when it ends: a table of what was done and what was found, and whether that is good enough.

use crate::judge::{Rule, Verdict};
use crate::points::POINTS;
use crate::table::{Table, spread};
use crate::tamper::trials;
use crate::trees::Rounds;
use crate::{cuts, kills, syncs};
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many tampered histories the judge is tried with.
const TRIALS: usize = 1_000;
/// So soon must run again what a killed host was at work on.
const BACK: Duration = Duration::from_secs(5);

/// A text, and whether all went well.
pub type Report = (String, bool);

/// Of the kill soak.
pub fn kills(plan: &kills::Plan, outcome: &kills::Outcome) -> Report {
    let kills::Outcome { verdict, history, deeds, producers, took } = outcome;
    let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
    let least = deeds.points.values().min().copied().unwrap_or(0);
    let mut table = Table::default();
    table.row("hosts killed", deeds.kills());
    table.row("  within 50 ms of their start", deeds.early);
    table.row("  in the midst of their work", deeds.late);
    table.row("  two beside each other", deeds.beside);
    table.pair("  stopped until another took over, takeovers", deeds.stopped, deeds.overtaken);
    table.row("  at named points", deeds.points.values().sum::<usize>());
    table.row("  of all these, while workers were alive", deeds.with_workers);
    table.pair("distinct points, each hit at least", deeds.points.len(), least);
    table.pair("producers killed, ended", count(&producers.killed), count(&producers.ended));
    table.row("commands to cancel killed", count(&producers.cancels_killed));
    tally(&mut table, verdict);
    table.row("endings that came too late and changed nothing", history.fenced);
    table.row("last process gone after a kill, middle and most", spread(&deeds.afterlife));
    table.row("processes left over", deeds.survivors);
    rules(&mut table, verdict);
    let (mut tried, mut rejected) = (0, 0);
    if verdict.is_clean() {
        for (_, (of_sort, seen)) in trials(history, TRIALS, plan.seed) {
            tried += of_sort;
            rejected += seen;
        }
        table.pair("tampered histories, rejected", tried, rejected);
    }
    end(&mut table, *took, plan.seed);
    let points: Vec<String> = deeds.points.iter().map(|(point, hits)| format!("{point} {hits}")).collect();
    let is_full = plan.kills >= 300;
    let counts = &verdict.counts;
    let all_points = deeds.points.len() > POINTS.len() && least >= plan.hits;
    let weak = [
        (is_full && counts.acknowledged < 20_000, "fewer than 20000 tasks were acknowledged"),
        (is_full && counts.killed_in_mid_run < 500, "fewer than 500 attempts were killed in mid-run"),
        (plan.hits > 0 && !all_points, "a point was hit too rarely"),
        (rejected < tried, "a tampered history was not rejected"),
        (deeds.survivors > 0, "something was left over"),
    ];
    let weak: Vec<&str> = weak.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what).collect();
    let ok = verdict.is_clean() && weak.is_empty();
    let points = format!("points: {}\n", points.join(", "));
    (table.text("kill soak") + &points + &breaches(verdict) + &listed("WEAK", weak), ok)
}

/// Of the power cuts.
pub fn cuts(plan: &cuts::Plan, outcome: &cuts::Outcome) -> Report {
    let cuts::Outcome { verdict, cuts, at_stake, careless, careful, took } = outcome;
    let mut table = Table::default();
    table.row("power cuts under host and producer", cuts);
    table.row("promises held against the disk after the last", at_stake);
    tally(&mut table, verdict);
    rules(&mut table, verdict);
    let control = |(rows, cuts): &(usize, usize)| format!("{rows} rows in {cuts} of {}", plan.controls);
    table.row("lost by a program that does not wait for the disk", control(careless));
    table.row("lost by a program that does", control(careful));
    end(&mut table, *took, plan.seed);
    // A cut under which nobody loses anything is no cut.
    let ok = verdict.is_clean() && careful.0 == 0 && (plan.controls == 0 || careless.0 > 0);
    (table.text("power cuts") + &breaches(verdict), ok)
}

/// Of the system calls.
pub fn syncs(outcome: &syncs::Outcome) -> Report {
    let syncs::Outcome { producer, host, files, without_syncs } = outcome;
    let mut table = Table::default();
    table.row("producer: acknowledgements on standard output", producer.acknowledged);
    table.row("  commits that must be durable", producer.commits);
    table.row("  fsync or fdatasync of the log", producer.syncs);
    table.pair("  files, and syncs of them and of their directories", files, producer.blob_syncs);
    table.row("  promised before the disk had confirmed", producer.early.len());
    table.row("host: settlements told to be durable", host.told);
    table.row("  verbs whose commit must be durable", host.commits);
    table.row("  fsync or fdatasync of the log", host.syncs);
    table.row("  promised before the disk had confirmed", host.early.len());
    let (of_producer, of_host) = without_syncs;
    table.pair("found when the syncs are taken out of the traces", of_producer, of_host);
    let is_strong = producer.acknowledged > 0
        && host.told > 0
        && *of_producer >= producer.acknowledged
        && *of_host > 0
        && producer.blob_syncs >= 2 * files;
    let early: Vec<&String> = producer.early.iter().chain(&host.early).collect();
    (table.text("system calls") + &listed("EARLY", early.iter().take(10)), early.is_empty() && is_strong)
}

/// Of the process trees.
pub fn trees(all: &[Rounds], user: u32) -> Report {
    let (mut table, mut wrong, mut ok) = (Table::default(), String::new(), true);
    for done in all {
        table.row(format!("rounds: {}", done.victim.words()), done.rounds);
        table.row("  rounds with survivors", done.survivors);
        table.row("  told otherwise than it should be", done.wrong.len());
        table.row("  until nothing was left, middle and most", spread(&done.took));
        if !done.again.is_empty() {
            let late = done.again.iter().filter(|after| **after > BACK).count();
            table.row("  until all interrupted tasks ran again", spread(&done.again));
            table.row("  of these, later than 5 s", late);
        }
        table.row("  attempts of other streams meanwhile", done.others);
        ok &= done.survivors == 0 && done.wrong.is_empty() && done.others > 0;
        wrong += &listed("WRONG", done.wrong.iter().take(3));
    }
    (table.text(&format!("process trees, as user {user}")) + &wrong, ok)
}

fn tally(table: &mut Table, verdict: &Verdict) {
    let counts = &verdict.counts;
    table.row("tasks sent", counts.sent);
    table.row("tasks acknowledged", counts.acknowledged);
    table.row("tasks there without an answer", counts.recovered);
    table.row("tasks brought forth by others", counts.follow_ups);
    table.pair("tasks completed, given up as they must", counts.completed, counts.poisoned);
    table.pair("tasks cancelled, of these at work", counts.cancelled, counts.cancelled_at_work);
    table.row("attempts seen to run", counts.runs);
    table.row("attempts killed in mid-run", counts.killed_in_mid_run);
    table.row("settlements told to be durable", counts.told);
}

fn rules(table: &mut Table, verdict: &Verdict) {
    for rule in Rule::ALL {
        table.row(rule.breach(), verdict.of(rule));
    }
}

fn end(table: &mut Table, took: Duration, seed: u64) {
    table.row("time", format!("{:.0} s", took.as_secs_f64()));
    table.row("seed", seed);
}

fn breaches(verdict: &Verdict) -> String {
    let lines = verdict.breaches.iter().flat_map(|(rule, breaches)| {
        breaches.iter().take(10).map(|breach| format!("{}: {breach}", rule.breach()))
    });
    listed("BREACH", lines)
}

/// A line for each, with a word before it.
fn listed<T: Display>(word: &str, lines: impl IntoIterator<Item = T>) -> String {
    lines.into_iter().fold(String::new(), |text, line| text + &format!("{word} {line}\n"))
}
