//! Commands that wait.

use crate::place::{Place, Said, until_so};
use rustix::process::{Pid, Signal, kill_process};
use std::time::Instant;

const NO_WORKERS: &str = "workers: []\n";

#[test]
fn a_signal_ends_a_wait_with_its_own_code_and_leaves_nothing_behind() {
    let place = Place::with(NO_WORKERS);
    place.ok(&["enqueue", "t", "--id", "a"]);
    let bells = place.path().join(".workerhost/bells");
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        for arguments in [&["wait", "a"][..], &["enqueue", "t", "--id", "a", "--wait"], &["logs", "a", "-f"]]
        {
            let child = place.command(arguments).spawn().unwrap();
            let count = || std::fs::read_dir(&bells).map_or(0, Iterator::count);
            until_so("somebody listens", || count() == 1);
            kill_process(Pid::from_child(&child), signal).unwrap();
            let begin = Instant::now();
            let said = Said::of(child);
            assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{arguments:?}: {said:?}");
            assert!(begin.elapsed().as_secs() < 5, "{arguments:?} takes its time");
            assert_eq!(count(), 0, "{arguments:?} leaves its bell");
        }
    }
}
