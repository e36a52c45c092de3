//! A map that is stopped lets its command finish, and says how to go on.

use super::{NOTING, Ran, map, pid, ran, start};
use crate::place::{Place, until_so};
use rustix::process::{Signal, kill_process};
use std::io::{BufRead, BufReader, Write};

const WAITING: &[&str] =
    &["sh", "-c", "read -r x; echo $x >> ran; until [ -e go ]; do sleep 0.01; done; echo $x"];

#[test]
fn a_signal_lets_the_command_finish_and_the_next_run_goes_on() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let place = Place::with("");
        let mut child = start(&place, &["--name", "n", "--streams", "1"], WAITING);
        // The input stays open: nobody waits for its end.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"1\n2\n").unwrap();
        until_so("the first attempt", || ran(&place) == ["1"]);
        kill_process(pid(&child), signal).unwrap();
        place.write("go", "");
        let said = Ran::of(child);
        assert_eq!((said.code, said.text()), (Some(75), "1\n"), "{said:?}");
        assert!(said.err.contains("To go on, give the same input to: "), "{said:?}");
        drop(stdin);
        let said = map(&place, &["--name", "n", "--streams", "1"], WAITING, "1\n2\n");
        assert_eq!((said.code, said.text()), (Some(0), "2\n"), "{said:?}");
        assert_eq!(ran(&place), ["1", "2"], "nothing ran twice");
    }
}

#[test]
fn a_second_signal_ends_the_command_and_its_input_is_tried_again() {
    let place = Place::with("");
    let mut child = start(&place, &["--name", "n"], WAITING);
    child.stdin.take().unwrap().write_all(b"1\n").unwrap();
    until_so("the first attempt", || ran(&place) == ["1"]);
    kill_process(pid(&child), Signal::TERM).unwrap();
    kill_process(pid(&child), Signal::QUIT).unwrap();
    let said = Ran::of(child);
    assert_eq!((said.code, said.text()), (Some(75), ""), "{said:?}");
    place.write("go", "");
    let said = map(&place, &["--name", "n"], WAITING, "1\n");
    assert_eq!((said.code, said.text()), (Some(0), "1\n"), "{said:?}");
}

#[test]
fn an_unnamed_map_that_was_stopped_can_be_gone_on_with_as_it_says() {
    let place = Place::with("");
    let mut child = start(&place, &["--streams", "1"], WAITING);
    child.stdin.take().unwrap().write_all(b"1\n2\n").unwrap();
    until_so("the first attempt", || ran(&place) == ["1"]);
    kill_process(pid(&child), Signal::TERM).unwrap();
    place.write("go", "");
    let said = Ran::of(child);
    let again =
        said.err.lines().find_map(|line| line.strip_prefix("To go on, give the same input to: ")).unwrap();
    let script = format!("printf '1\\n2\\n' | {again}");
    let mut shell = std::process::Command::new("sh");
    let output = shell.args(["-c", &script]).current_dir(place.path()).output().unwrap();
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"2\n"[..]), "{again}: {output:?}");
}

#[test]
fn a_result_that_nobody_reads_is_not_forgotten_with_the_map_though_it_was_the_last() {
    let place = Place::with("");
    let mut child = start(&place, &[], WAITING);
    child.stdin.take().unwrap().write_all(b"1\n").unwrap();
    until_so("the attempt", || ran(&place) == ["1"]);
    drop(child.stdout.take());
    place.write("go", "");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    assert_eq!(super::maps(&place).len(), 1);
}

#[test]
fn when_nobody_reads_its_results_it_stops_and_loses_none() {
    let place = Place::with("");
    let lines = (1..=500).fold(String::new(), |lines, line| format!("{lines}{line}\n"));
    let mut child = start(&place, &["--name", "n"], NOTING);
    let mut stdin = child.stdin.take().unwrap();
    let mut results = BufReader::new(child.stdout.take().unwrap()).lines();
    stdin.write_all(lines.as_bytes()).unwrap();
    let mut seen = vec![results.next().unwrap().unwrap()];
    drop(results);
    let said = Ran::of(child);
    assert_eq!(said.code, Some(75), "{said:?}");
    assert!(said.err.contains("Nobody reads the results any more.\nstopped after "), "{said:?}");
    assert!(said.err.contains("To go on, ") && !said.err.contains("error:"), "{said:?}");
    let said = map(&place, &["--name", "n"], NOTING, &lines);
    assert_eq!(said.code, Some(0), "{said:?}");
    seen.extend(said.text().lines().map(str::to_owned));
    // What was written into the pipe's last breath cannot be known: at least all that came later is there.
    assert!(said.text().lines().count() >= 400, "{}", said.text().lines().count());
    seen.sort();
    let before = seen.len();
    seen.dedup();
    assert!(before - seen.len() <= 1, "at most one result came twice");
}
