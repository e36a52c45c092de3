//! A host is killed twenty times, and a judge that can be trusted finds nothing.

use crate::rooms::{PROGRAM, Rooms};
use soak::kills::{Plan, soak};
use soak::points::{FIRST, NOT_AIMED_AT, POINTS};
use soak::tamper::{TAMPERS, trials};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

#[test]
fn nothing_is_lost_by_twenty_kills_and_a_thousand_tampered_histories_are_all_rejected() {
    let rooms = Rooms::new();
    let seed = fastrand::u64(..1_000_000);
    let plan = Plan { kills: 20, hits: 0, stops: 0, tasks: 300, longest: Duration::from_millis(1_500), seed };
    let outcome = soak(&plan, rooms.books(), &rooms.data(), Path::new(PROGRAM)).unwrap();
    assert!(outcome.verdict.is_clean(), "seed {seed}: {:?}", outcome.verdict.breaches);
    assert!(outcome.deeds.kills() >= 20 && outcome.deeds.survivors == 0, "seed {seed}");
    let counts = outcome.verdict.counts;
    assert!(counts.acknowledged > 200 && counts.killed_in_mid_run > 0, "seed {seed}: {counts:?}");
    let trials = trials(&outcome.history, 1_000, seed);
    // Whether anything was cancelled in time is left to chance.
    let found = TAMPERS.iter().filter(|(what, _)| trials.contains_key(what)).count();
    assert!(found + 1 >= TAMPERS.len(), "seed {seed}: nearly every sort found something to do: {trials:?}");
    for (what, (tried, rejected)) in trials {
        assert_eq!(rejected, tried, "seed {seed}: {what}");
    }
}

#[test]
fn every_step_of_the_store_is_aimed_at_or_has_a_reason_not_to_be() {
    let aimed = POINTS.iter().map(|point| point.name).chain([FIRST.name]);
    let excused = NOT_AIMED_AT.iter().map(|(step, _)| *step);
    let known: BTreeSet<&str> = aimed.chain(excused).collect();
    let missing: Vec<_> = wh_sqlite::STEPS.iter().filter(|step| !known.contains(**step)).collect();
    assert_eq!(missing, [&""; 0]);
    assert!(POINTS.len() >= 30);
}
