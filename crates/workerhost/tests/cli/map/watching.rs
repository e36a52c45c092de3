//! Somebody who watches sees how far it is; nobody else is disturbed.

use super::{Ran, command, map};
use crate::place::Place;
use crate::pty::Pty;
use std::fs::File;
use std::process::Stdio;

const SOME_FAIL: &[&str] = &["sh", "-c", "read -r x; [ $x != 2 ] || exit 2; echo $x"];

#[test]
fn a_terminal_shows_how_many_lines_are_done_and_how_many_failed_and_is_clean_afterwards() {
    let place = Place::with("");
    let mut pty = Pty::open(100, 24);
    let input = File::open(place.write("input", "1\n2\n3\n")).unwrap();
    let words =
        "read -r x; [ $x != 2 ] || exit 2; [ $x != 3 ] || until [ -e go ]; do sleep 0.01; done; echo $x";
    let mut command = command(&place, &["--name", "n"], &["sh", "-c", words]);
    let child = command.env("TERM", "xterm").stdin(input).stderr(pty.here()).spawn().unwrap();
    drop(command);
    pty.until_sent(" 2/3  1 failed  ");
    place.write("go", "");
    let said = Ran::of(child);
    assert_eq!((said.code, said.sorted()), (Some(11), vec!["1", "3"]), "data go where they always go");
    let sent = pty.all_sent();
    let after_the_bar = sent.rsplit("failed  ").next().unwrap();
    assert!(after_the_bar.contains("\u{1b}[2K"), "the bar is taken away: {sent:?}");
    assert!(sent.contains("line 2: The worker failed with exit code 2."), "{sent:?}");
}

#[test]
fn the_bar_is_empty_until_something_is_done() {
    let place = Place::with("");
    let mut pty = Pty::open(100, 24);
    let mut command = command(&place, &["--name", "n"], &["cat"]);
    let child = command.env("TERM", "xterm").stdin(Stdio::piped()).stderr(pty.here()).spawn();
    drop(command);
    let mut child = child.unwrap();
    pty.until_sent(" 0/0");
    let before = pty.sent.clone();
    drop(child.stdin.take());
    assert_eq!(Ran::of(child).code, Some(0));
    assert!(!before.contains('='), "{before:?}");
}

#[test]
fn in_a_pipe_or_when_it_is_to_be_quiet_nothing_is_shown_but_what_went_wrong() {
    let place = Place::with("");
    let said = map(&place, &["--name", "n"], &["cat"], "1\n");
    assert_eq!((said.code, &*said.err), (Some(0), ""));
    let said = map(&place, &["--name", "m", "-q"], SOME_FAIL, "1\n2\n");
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(lines.len(), 2, "{said:?}");
    assert!(
        lines[0].starts_with("warning: line 2: ") && lines[1] == "warning: 1 of 2 lines failed",
        "{said:?}"
    );
    let said = map(&place, &["--name", "l", "-qq"], SOME_FAIL, "1\n2\n");
    assert_eq!((said.code, &*said.err), (Some(11), ""));
}
