//! What is promised is on the disk: by the system calls before it, and by what a power cut leaves.

use crate::rooms::{PROGRAM, Rooms};
use soak::cuts::{Plan, campaign};
use soak::syncs::watch;
use std::io::Write;
use std::path::Path;

/// Where a machine does not allow it, nothing is proven, and that is said.
fn or_skip<T>(outcome: Result<T, String>) -> Option<T> {
    outcome.inspect_err(|why| std::io::stderr().write_all(format!("SKIP: {why}\n").as_bytes()).unwrap()).ok()
}

#[test]
fn the_disk_has_confirmed_whatever_is_acknowledged_or_told() {
    let rooms = Rooms::new();
    let outcome = watch(20, rooms.books(), &rooms.data(), Path::new(PROGRAM)).unwrap();
    let Some(outcome) = or_skip(outcome) else { return };
    assert_eq!((&outcome.producer.early, &outcome.host.early), (&Vec::new(), &Vec::new()));
    assert_eq!(outcome.producer.acknowledged, 40);
    assert!(outcome.host.told >= 38, "{:?}", outcome.host);
    let (of_producer, of_host) = outcome.without_syncs;
    assert!(of_producer >= 40 && of_host > 0, "traces without syncs are no proof");
}

#[test]
fn power_cuts_under_host_and_producer_take_nothing_that_was_promised() {
    let rooms = Rooms::new();
    let seed = fastrand::u64(..1_000_000);
    let plan = Plan { cuts: 3, controls: 0, seed };
    let outcome = campaign(&plan, rooms.books(), rooms.disk(), Path::new(PROGRAM)).unwrap();
    let Some(outcome) = or_skip(outcome) else { return };
    assert!(outcome.verdict.is_clean(), "seed {seed}: {:?}", outcome.verdict.breaches);
    assert!(outcome.at_stake > 0, "seed {seed}: nothing was at stake");
}
