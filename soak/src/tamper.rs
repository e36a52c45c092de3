//! Histories with one thing wrong, to see that the judge sees it.

use crate::history::{Attempt, Entry, History, What};
use crate::judge::judge;
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// What may be done to a history: it answers whether it found something to do it to.
type Tamper = fn(&mut History, &mut Rng) -> bool;

/// Everything that is tried.
pub const TAMPERS: &[(&str, Tamper)] = &[
    ("drop an acknowledged task", drop_task),
    ("drop a record", drop_record),
    ("drop a result", drop_result),
    ("drop the end of an accepted run", drop_end),
    ("drop the beginning of a run", drop_beginning),
    ("duplicate an ending", duplicate_ending),
    ("duplicate a run's beginning", duplicate_beginning),
    ("duplicate a follow-up task", duplicate_child),
    ("duplicate a creation", duplicate_creation),
    ("reorder two fences", reorder_fences),
    ("reorder a run's two ends", reorder_run),
    ("reorder two results", reorder_results),
    ("overlap: a second run inside a first", overlap_inside),
    ("overlap: a run that begins before its predecessor ends", overlap_before),
    ("overlap: a run that was not alone", overlap_crowded),
    ("reopen an ended task", reopen),
    ("end a task in another way", end_otherwise),
    ("complete a cancelled task", complete_a_cancelled_one),
];

/// How many tampered histories of a sort were tried, and how many of them were rejected.
pub type Trials = BTreeMap<&'static str, (usize, usize)>;

/// Tampers `rounds` times with a part of `history`, each time anew. The history itself must be clean.
pub fn trials(history: &History, rounds: usize, seed: u64) -> Trials {
    let mut rng = Rng::with_seed(seed);
    let part = part(history, &mut rng);
    let mut trials = Trials::new();
    for _ in 0..rounds {
        let (name, tampered) = loop {
            let (name, tamper) = TAMPERS[rng.usize(0..TAMPERS.len())];
            let mut tampered = part.clone();
            if tamper(&mut tampered, &mut rng) {
                break (name, tampered);
            }
        };
        let tried = trials.entry(name).or_default();
        tried.0 += 1;
        tried.1 += usize::from(!judge(&tampered).is_clean());
    }
    trials
}

/// Some hundred tasks of it: parents, failures and those that were killed first of all.
fn part(history: &History, rng: &mut Rng) -> History {
    const MOST: usize = 200;
    let mut ids: Vec<(bool, u64, &str)> = history
        .tasks
        .iter()
        .filter(|task| task.parent.is_none())
        .map(|task| (task.lost + task.counted == 0 && task.stage != 5, rng.u64(..), task.id.as_str()))
        .collect();
    ids.sort_unstable();
    let eventful = ids.iter().take(MOST / 2);
    let others = ids.iter().rev().take(MOST / 2);
    history.only(&eventful.chain(others).map(|(_, _, id)| *id).collect::<BTreeSet<_>>())
}

fn choose(rng: &mut Rng, places: &[usize]) -> Option<usize> {
    (!places.is_empty()).then(|| places[rng.usize(0..places.len())])
}

/// The places in `list` that suit.
fn places<T>(list: &[T], suits: impl Fn(&T) -> bool) -> Vec<usize> {
    list.iter().enumerate().filter(|(_, it)| suits(it)).map(|(at, _)| at).collect()
}

fn drop_task(history: &mut History, rng: &mut Rng) -> bool {
    let acknowledged: BTreeSet<&str> = history
        .books
        .iter()
        .filter(|entry| matches!(entry, Entry::Acknowledged(..)))
        .map(Entry::id)
        .collect();
    let found = places(&history.tasks, |task| acknowledged.contains(task.id.as_str()));
    choose(rng, &found).is_some_and(|at| {
        let task = history.tasks.remove(at);
        history.attempts.retain(|attempt| attempt.seq != task.seq);
        history.runs.retain(|seen| seen.id != task.id);
        history.told.retain(|told| told.id != task.id);
        true
    })
}

fn drop_record(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.attempts, |_| true);
    choose(rng, &found).is_some_and(|at| {
        let dropped = history.attempts.remove(at);
        let id = history.tasks.iter().find(|task| task.seq == dropped.seq).map(|task| task.id.clone());
        history.told.retain(|told| Some(&told.id) != id.as_ref() || told.fence != dropped.fence);
        true
    })
}

fn drop_result(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.tasks, |task| task.result_fence.is_some());
    choose(rng, &found).is_some_and(|at| {
        history.tasks[at].result_fence = None;
        history.tasks[at].result_id = None;
        true
    })
}

fn drop_end(history: &mut History, rng: &mut Rng) -> bool {
    let accepted: BTreeSet<(&str, i64)> =
        history.tasks.iter().filter_map(|task| Some((task.id.as_str(), task.result_fence?))).collect();
    let found =
        places(&history.runs, |it| it.what == What::End && accepted.contains(&(it.id.as_str(), it.fence)));
    choose(rng, &found).is_some_and(|at| {
        history.runs.remove(at);
        true
    })
}

fn drop_beginning(history: &mut History, rng: &mut Rng) -> bool {
    let ended: BTreeSet<(&str, i64)> = history
        .runs
        .iter()
        .filter(|seen| seen.what == What::End)
        .map(|seen| (seen.id.as_str(), seen.fence))
        .collect();
    let found =
        places(&history.runs, |it| it.what == What::Start && ended.contains(&(it.id.as_str(), it.fence)));
    choose(rng, &found).is_some_and(|at| {
        history.runs.remove(at);
        true
    })
}

fn duplicate_ending(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.tasks, |task| task.stage == 3);
    choose(rng, &found).is_some_and(|at| {
        let task = &mut history.tasks[at];
        let fact = history.attempts.iter().map(|attempt| attempt.fact).max().unwrap_or(0) + 1;
        task.fence += 1;
        let (seq, fence, previous) = (task.seq, task.fence, task.last_attempt.replace(fact));
        let outcome = "succeeded".to_owned();
        history.attempts.push(Attempt { fact, previous, seq, fence, outcome, stage: 3 });
        true
    })
}

fn duplicate_beginning(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.runs, |seen| seen.what == What::Start);
    choose(rng, &found).is_some_and(|at| {
        let mut again = history.runs[at].clone();
        again.pid += 1;
        again.at += 1_000_000_000;
        history.runs.push(again);
        true
    })
}

fn duplicate_child(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.tasks, |task| task.parent.is_some());
    choose(rng, &found).is_some_and(|at| {
        let mut again = history.tasks[at].clone();
        again.seq = history.tasks.iter().map(|task| task.seq).max().unwrap_or(0) + 1;
        again.id.push('x');
        history.tasks.push(again);
        true
    })
}

fn duplicate_creation(history: &mut History, rng: &mut Rng) -> bool {
    let found =
        places(&history.books, |entry| matches!(entry, Entry::Acknowledged(_, how) if how == "created"));
    choose(rng, &found).is_some_and(|at| {
        let again = history.books[at].clone();
        history.books.push(again);
        true
    })
}

fn reorder_fences(history: &mut History, rng: &mut Rng) -> bool {
    let found: Vec<usize> = places(&history.attempts, |attempt| attempt.previous.is_some());
    choose(rng, &found).is_some_and(|at| {
        let previous = history.attempts[at].previous;
        let other = history.attempts.iter().position(|attempt| Some(attempt.fact) == previous);
        other.is_some_and(|other| {
            let fence = history.attempts[at].fence;
            history.attempts[at].fence = history.attempts[other].fence;
            history.attempts[other].fence = fence;
            true
        })
    })
}

fn reorder_run(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.runs, |seen| seen.what == What::End);
    choose(rng, &found).is_some_and(|at| {
        let end = history.runs[at].clone();
        let begin = history
            .runs
            .iter()
            .position(|it| it.what == What::Start && (&it.id, it.fence) == (&end.id, end.fence));
        begin.is_some_and(|begin| {
            history.runs[at].at = history.runs[begin].at;
            history.runs[begin].at = end.at;
            true
        })
    })
}

fn reorder_results(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.tasks, |task| task.result_fence.is_some());
    match (choose(rng, &found), choose(rng, &found)) {
        (Some(one), Some(other)) if one != other => {
            let id = history.tasks[one].result_id.take();
            history.tasks[one].result_id = history.tasks[other].result_id.take();
            history.tasks[other].result_id = id;
            true
        }
        _ => false,
    }
}

/// A run of another attempt, with its record, from the middle of one to its end.
fn overlap_inside(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.runs, |seen| seen.what == What::End);
    choose(rng, &found).is_some_and(|at| {
        let end = history.runs[at].clone();
        let Some(task) = history.tasks.iter_mut().find(|task| task.id == end.id) else { return false };
        task.fence += 1;
        let mut second = end.clone();
        (second.fence, second.pid) = (task.fence, end.pid + 1);
        (second.what, second.at) = (What::Start, end.at - 1);
        history.runs.push(second.clone());
        (second.what, second.at) = (What::End, end.at + 1);
        history.runs.push(second);
        true
    })
}

fn overlap_before(history: &mut History, rng: &mut Rng) -> bool {
    let earlier_end = |history: &History, at: usize| {
        let run = &history.runs[at];
        history
            .runs
            .iter()
            .filter(|it| it.id == run.id && it.fence < run.fence && it.what == What::End)
            .map(|it| it.at)
            .max()
    };
    let found: Vec<usize> = (0..history.runs.len())
        .filter(|at| history.runs[*at].what == What::Start && earlier_end(history, *at).is_some())
        .collect();
    choose(rng, &found).is_some_and(|at| {
        let Some(end) = earlier_end(history, at) else { return false };
        history.runs[at].at = end - 1;
        true
    })
}

fn overlap_crowded(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.runs, |seen| seen.what == What::Start);
    choose(rng, &found).is_some_and(|at| {
        history.runs[at].what = What::Crowded;
        true
    })
}

fn reopen(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.tasks, |task| task.stage >= 3);
    choose(rng, &found).is_some_and(|at| {
        history.tasks[at].stage = rng.i64(0..3);
        true
    })
}

fn end_otherwise(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.tasks, |task| task.stage == 3);
    choose(rng, &found).is_some_and(|at| {
        history.tasks[at].stage = 4;
        history.tasks[at].poison = Some("attempts".to_owned());
        true
    })
}

fn complete_a_cancelled_one(history: &mut History, rng: &mut Rng) -> bool {
    let found = places(&history.tasks, |task| task.stage == 5);
    choose(rng, &found).is_some_and(|at| {
        let task = &mut history.tasks[at];
        task.stage = 3;
        for attempt in history.attempts.iter_mut().filter(|it| it.seq == task.seq && it.stage == 5) {
            attempt.stage = 3;
        }
        true
    })
}
