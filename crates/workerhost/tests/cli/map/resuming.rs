//! A map that is run again goes on where it stopped.

use super::{NOTING, dir, map, pid, ran, start, tasks};
use crate::place::{Place, until_so};
use rustix::process::{Signal, kill_process};
use std::io::Write;
use wh_domain::id::TaskId;
use wh_ports::wishes::{Cancelled, Wishes};
use wh_sqlite::{Options, SqliteStore};

#[test]
fn what_has_a_result_neither_runs_nor_is_printed_again() {
    let place = Place::with("");
    assert_eq!(map(&place, &["--name", "n"], NOTING, "a\nb\n").sorted(), ["a", "b"]);
    let said = map(&place, &["--name", "n"], NOTING, "a\nb\nc\na\n");
    assert_eq!(said.sorted(), ["a", "c"], "lines that are alike are inputs of their own: {said:?}");
    let said = map(&place, &["--name", "n"], NOTING, "a\nb\nc\na\n");
    assert_eq!((said.code, said.text()), (Some(0), ""));
    assert!(said.err.contains("Every result had been printed before"), "{said:?}");
    assert_eq!(ran(&place).len(), 4);
}

#[test]
fn a_line_that_has_changed_is_a_new_input_and_one_that_changes_back_is_the_old_one() {
    let place = Place::with("");
    let run = |input| map(&place, &["--name", "n", "--keep-order"], NOTING, input).text().to_owned();
    assert_eq!(run("a\nb\nc\n"), "a\nb\nc\n");
    assert_eq!(run("a\nx\nc\n"), "x\n");
    assert_eq!(run("a\nb\nc\n"), "");
    assert_eq!(run("b\na\nc\n"), "b\na\n", "in another place it is another input");
}

#[test]
fn what_an_earlier_run_had_only_read_does_not_run_once_its_line_has_changed() {
    let place = Place::with("");
    let words = [
        "sh",
        "-c",
        "IFS= read -r x; echo \"$x\" >> ran; [ \"$x\" != slow ] || [ -e go ] || sleep 600; echo \"$x\"",
    ];
    let options = ["--name", "n", "--streams", "1", "--keep-order"];
    let mut child = start(&place, &options, &words);
    child.stdin.take().unwrap().write_all(b"slow\nb\nc\n").unwrap();
    until_so("the first attempt", || ran(&place) == ["slow"] && tasks(&place, "n") == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    place.write("go", "");
    let said = map(&place, &options, &words, "slow\nx\nc\n");
    assert_eq!((said.code, said.text()), (Some(0), "slow\nx\nc\n"), "{said:?}");
    let mut lines = ran(&place);
    lines.sort();
    assert_eq!(lines, ["c", "slow", "slow", "x"], "b is no input any more");
    let said = map(&place, &options, &words, "slow\nb\n");
    assert_eq!((said.code, said.text()), (Some(0), "b\n"), "an input that comes back is one again: {said:?}");
    assert_eq!(ran(&place).len(), 5);
}

#[test]
fn what_was_given_up_stays_so_until_it_is_to_be_tried_again() {
    let place = Place::with("");
    let words = ["sh", "-c", "read -r x; echo $x >> ran; [ -e mended ] || [ $x = 1 ] || exit 2; echo $x"];
    let said = map(&place, &["--name", "n"], &words, "1\n2\n");
    assert_eq!((said.code, said.text()), (Some(11), "1\n"));
    assert!(said.err.contains("warning: line 2: The worker failed with exit code 2."), "{said:?}");
    assert!(said.err.contains("1 of 2 lines failed") && said.err.contains("--retry-failed to: "), "{said:?}");
    place.write("mended", "");
    let said = map(&place, &["--name", "n"], &words, "1\n2\n");
    assert_eq!((said.code, said.text()), (Some(11), ""), "{said:?}");
    let said = map(&place, &["--name", "n", "--retry-failed"], &words, "1\n2\n");
    assert_eq!((said.code, said.text()), (Some(0), "2\n"), "{said:?}");
    assert_eq!(ran(&place).iter().filter(|line| *line == "1").count(), 1);
}

#[test]
fn a_result_is_printed_though_its_input_was_told_to_have_failed_before() {
    let place = Place::with("");
    let words = ["sh", "-c", "[ -e mended ] || exit 2; cat"];
    assert_eq!(map(&place, &["--name", "n"], &words, "1\n").code, Some(11));
    place.write("mended", "");
    let said = map(&place, &["--name", "n", "--retry-failed", "--output", "out"], &words, "1\n");
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = map(&place, &["--name", "n"], &words, "1\n");
    assert_eq!((said.code, said.text()), (Some(0), "1\n"), "{said:?}");
}

#[test]
fn an_input_is_tried_as_often_as_is_allowed() {
    for (options, tries) in [(&[][..], 3), (&["--max-attempts", "1"], 1)] {
        let place = Place::with("");
        let said = map(&place, options, &["sh", "-c", "echo x >> ran; exit 1"], "1\n");
        assert_eq!((said.code, ran(&place).len()), (Some(11), tries), "{said:?}");
    }
}

#[test]
fn an_attempt_that_takes_too_long_is_ended() {
    let place = Place::with("");
    let options = ["--timeout", "200ms", "--max-attempts", "1"];
    let said = map(&place, &options, &["sleep", "600"], "1\n");
    assert_eq!(said.code, Some(11), "{said:?}");
    assert!(said.err.contains("line 1:"), "{said:?}");
}

#[test]
fn an_input_that_another_program_cancels_does_not_keep_the_map_waiting() {
    let place = Place::with("");
    let words = ["sh", "-c", "read -r x; echo $x >> ran; [ $x = 2 ] || until [ -e go ]; do :; done; echo $x"];
    let mut child = start(&place, &["--name", "n", "--streams", "1"], &words);
    child.stdin.take().unwrap().write_all(b"1\n2\n").unwrap();
    until_so("both tasks", || tasks(&place, "n") == 2 && ran(&place) == ["1"]);
    let store = SqliteStore::open(Options::new(dir(&place, "n"))).unwrap();
    let second = TaskId::new("n/2/d4735e3a265e16eee03f59718b9b5d03").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(store.cancel(vec![second])).unwrap(), [Cancelled::Done]);
    drop(store);
    place.write("go", "");
    let said = super::Ran::of(child);
    assert_eq!((said.code, said.text()), (Some(12), "1\n"), "{said:?}");
    assert!(said.err.contains("line 2: Someone cancelled it"), "{said:?}");
}

#[test]
fn after_kill_9_an_attempt_that_was_under_way_is_made_again() {
    let place = Place::with("");
    let words = ["sh", "-c", "echo x >> ran; [ -e go ] || sleep 600; cat"];
    let mut child = start(&place, &["--name", "n"], &words);
    child.stdin.take().unwrap().write_all(b"1\n").unwrap();
    until_so("the first attempt", || ran(&place).len() == 1);
    kill_process(pid(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    place.write("go", "");
    let said = map(&place, &["--name", "n"], &words, "1\n");
    assert_eq!((said.code, said.text(), ran(&place).len()), (Some(0), "1\n", 2), "{said:?}");
}
