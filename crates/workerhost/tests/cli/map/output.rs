//! A file of results: whole, in order, or not there.

use super::{NOTING, Ran, map, pid, ran, start};
use crate::place::{Place, until_so};
use rustix::process::{Signal, kill_process};
use std::io::Write;

#[test]
fn the_file_holds_every_result_in_the_order_of_the_lines_and_replaces_an_older_one() {
    let place = Place::with("");
    let file = place.write("out", "older");
    let said = map(&place, &["--output", "out", "--streams", "4"], NOTING, "c\na\nb\na");
    assert_eq!((said.code, said.text()), (Some(0), ""), "{said:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "c\na\nb\na\n");
    let said = map(&place, &["--output", "out"], NOTING, "");
    assert_eq!((said.code, std::fs::read_to_string(&file).unwrap().as_str()), (Some(0), ""));
    assert_eq!(leftovers(&place), Vec::<String>::new());
}

#[test]
fn until_every_input_has_ended_there_is_no_file_and_then_all_of_it() {
    let place = Place::with("");
    let words = [
        "sh",
        "-c",
        "read -r x; echo $x >> ran; [ $x = 1 ] || until [ -e go ]; do sleep 0.01; done; echo $x",
    ];
    let options = ["--name", "n", "--output", "out", "--json"];
    let mut child = start(&place, &options, &words);
    child.stdin.take().unwrap().write_all(b"1\n2\n").unwrap();
    until_so("both attempts", || ran(&place).len() == 2);
    kill_process(pid(&child), Signal::TERM).unwrap();
    kill_process(pid(&child), Signal::QUIT).unwrap();
    assert_eq!(Ran::of(child).code, Some(75));
    assert!(!place.path().join("out").exists());
    assert_eq!(leftovers(&place), Vec::<String>::new());
    place.write("go", "");
    let said = map(&place, &options, &words, "1\n2\n");
    assert_eq!(said.code, Some(0), "{said:?}");
    let text = std::fs::read_to_string(place.path().join("out")).unwrap();
    let results: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["result"].clone())
        .collect();
    assert_eq!(results, ["1\n", "2\n"]);
    assert_eq!(ran(&place).iter().filter(|line| *line == "1").count(), 1);
}

#[test]
fn results_that_were_printed_before_are_in_the_file_too() {
    let place = Place::with("");
    map(&place, &["--name", "n"], NOTING, "a\nb\n");
    assert_eq!(map(&place, &["--name", "n", "--output", "out"], NOTING, "a\nb\n").code, Some(0));
    assert_eq!(std::fs::read_to_string(place.path().join("out")).unwrap(), "a\nb\n");
    assert_eq!(ran(&place).len(), 2);
}

#[test]
fn an_input_that_was_given_up_has_no_result_in_the_file_but_an_object() {
    let place = Place::with("");
    let words = ["sh", "-c", "read -r x; echo $x; [ $x != 2 ] || exit 2"];
    for (options, expected) in [(&["--output", "out"][..], 2), (&["--output", "out", "--json"], 3)] {
        let said = map(&place, options, &words, "1\n2\n3\n");
        assert_eq!(said.code, Some(11), "{said:?}");
        let text = std::fs::read_to_string(place.path().join("out")).unwrap();
        assert_eq!(text.lines().count(), expected, "{text}");
    }
}

#[test]
fn a_file_that_could_not_be_replaced_is_refused_before_anything_runs() {
    let place = Place::with("");
    for path in ["/dev/null", ".", "no/such/directory/out"] {
        let said = map(&place, &["--name", "n", "--output", path], NOTING, "1\n");
        assert_eq!(said.code, Some(2), "{path}: {said:?}");
        assert!(said.err.contains("--output") && !said.err.contains("To go on"), "{said:?}");
    }
    assert!(ran(&place).is_empty());
    assert!(!place.path().join(".workerhost").exists(), "nothing is made");
}

/// Files that somebody began and nobody ended.
fn leftovers(place: &Place) -> Vec<String> {
    let names = std::fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".unfinished")).collect()
}
