//! A run on a terminal.

use crate::place::{Place, until_so};
use crate::pty::Pty;
use rustix::process::{Pid, Signal, kill_process};

/// `gated` tells of its progress and waits for the file `go`; `bad` is given up.
const SHELL: &str = r#"
workers:
  - name: gated
    command: [sh, -c, 'cat > /dev/null; echo "{\"event\": \"progress\", \"current\": 3, \"total\": 10, \"message\": \"page\"}" >&3; until [ -e go ]; do sleep 0.05; done; echo "{\"success\": true}"']
    task_types: [gated]
    streams: 2
    isolation: none
  - {name: bad, command: [sh, -c, "cat > /dev/null; exit 2"], task_types: [bad], isolation: none}
"#;

fn has(seen: &[String], words: &str) -> bool {
    seen.iter().any(|line| line.contains(words))
}

#[test]
fn a_drain_is_watched_with_warnings_above_and_leaves_nothing_but_what_was_said() {
    let place = Place::with(SHELL);
    for (kind, id) in [("gated", "one"), ("gated", "two"), ("bad", "wrong")] {
        place.ok(&["enqueue", kind, "--id", id]);
    }
    let mut pty = Pty::open(300, 24);
    let mut host = pty.start(place.command(&["run", "--drain"]));
    let seen = pty.until(|seen| {
        let words = ["two  ", "3/10", "1 of 3 tasks (33 %)", "ERROR   settled task=wrong"];
        words.into_iter().all(|words| has(seen, words))
    });
    assert!(has(&seen, "2 at work, 0 pending, 0 completed, 1 given up"), "{seen:#?}");
    let row = seen.iter().find(|line| line.starts_with("gated 1")).unwrap();
    assert!(row.contains("[===       ]  3/10") && row.ends_with("page"), "{row}");
    let warning = seen.iter().position(|line| line.contains("ERROR   settled task=wrong")).unwrap();
    let board = seen.iter().position(|line| line.starts_with("gated 1")).unwrap();
    assert!(warning < board, "{seen:#?}");
    let clock = row.split("0:").nth(1).and_then(|rest| rest.get(..2)).unwrap().to_owned();
    pty.until(|seen| {
        seen.iter().any(|line| line.starts_with("gated 1") && !line.contains(&format!("0:{clock}")))
    });
    place.write("go", "");
    assert!(host.wait().unwrap().success());
    let (_, seen) = pty.rest();
    assert_eq!(seen.len(), 3, "a line of the log, the summary, the cursor: {seen:#?}");
    assert_eq!(seen[1..], ["2 tasks completed, 1 given up.", ""]);
}

#[test]
fn on_a_narrow_terminal_nothing_wraps_and_after_a_change_of_its_size_nothing_is_left_over() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "gated", "--id", "a-task-with-a-name-that-is-longer-than-the-terminal-is-wide"]);
    let mut pty = Pty::open(30, 6);
    let mut host = pty.start(place.command(&["run", "--drain"]));
    let seen = pty.until(|seen| has(seen, "1 at work"));
    assert!(seen.iter().all(|line| line.len() < 30), "{seen:#?}");
    pty.resize(90, 24);
    pty.until(|seen| has(seen, "3/10"));
    place.write("go", "");
    assert!(host.wait().unwrap().success());
    assert_eq!(pty.rest().1, ["1 task completed.", ""]);
}

#[test]
fn there_is_no_board_where_nobody_could_see_it_or_nobody_wants_to() {
    let place = Place::with(SHELL);
    let piped = place.ok(&["run", "--drain"]);
    assert!(piped.err.contains("host_started") && !piped.err.contains('\u{1b}'), "{piped:?}");
    for (arguments, term) in [(&["run", "--drain", "-q"][..], "xterm"), (&["run", "--drain"], "dumb")] {
        let pty = Pty::open(80, 24);
        let mut host = pty.start_as(place.command(arguments), term);
        assert!(host.wait().unwrap().success());
        let (sent, _) = pty.rest();
        assert!(!sent.contains('\u{1b}') && sent.contains("0 tasks completed."), "{sent:?}");
    }
}

#[test]
fn colours_follow_the_option_and_the_environment() {
    let rows = [
        (&["run", "--drain"][..], "", true),
        (&["run", "--drain", "--color", "never"], "", false),
        (&["run", "--drain"], "1", false),
        (&["run", "--drain", "--color", "always"], "1", true),
    ];
    for (arguments, no_color, coloured) in rows {
        let place = Place::with(SHELL);
        place.ok(&["enqueue", "bad"]);
        place.ok(&["enqueue", "gated"]);
        let mut pty = Pty::open(80, 24);
        let mut command = place.command(arguments);
        command.env("NO_COLOR", no_color);
        let mut host = pty.start(command);
        pty.until(|seen| has(seen, "1 at work, 0 pending, 0 completed, 1 given up"));
        place.write("go", "");
        assert!(host.wait().unwrap().success());
        let (sent, _) = pty.rest();
        assert_eq!(sent.contains("\u{1b}[31m"), coloured, "{arguments:?} {no_color}: {sent:?}");
    }
}

#[test]
fn a_service_in_the_foreground_tells_its_story_line_by_line() {
    let place = Place::with(SHELL);
    place.write("go", "");
    place.ok(&["enqueue", "gated", "--id", "a"]);
    let pty = Pty::open(200, 24);
    let mut host = pty.start(place.command(&["run"]));
    place.until("a", |task| task["state"] == "completed");
    kill_process(Pid::from_child(&host), Signal::TERM).unwrap();
    assert!(host.wait().unwrap().success());
    let (sent, seen) = pty.rest();
    assert!(!sent.contains("\u{1b}[") && has(&seen, "settled task=a"), "{sent:?}");
}

#[test]
fn a_host_that_is_killed_leaves_a_terminal_that_needs_no_mending() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "gated", "--id", "a"]);
    let mut pty = Pty::open(80, 24);
    let mut host = pty.start(place.command(&["run", "--drain"]));
    pty.until(|seen| has(seen, "1 at work"));
    host.kill().unwrap();
    host.wait().unwrap();
    // That no mode is changed is seen to by whoever shows what is sent; the cursor stands below the board.
    let (_, seen) = pty.rest();
    assert_eq!(seen.last().map(String::as_str), Some(""), "{seen:#?}");
    place.write("go", "");
    place.ok(&["run", "--drain"]);
}

#[test]
fn a_terminal_that_stands_still_does_not_keep_the_host_from_its_work() {
    let place = Place::with(SHELL);
    place.write("go", "");
    let lines =
        (0..300).map(|n| format!("{{\"type\":\"bad\",\"id\":\"{n}\"}}\n")).collect::<Vec<_>>().concat();
    place.run_with(&["enqueue", "--file", "-"], &lines);
    let pty = Pty::still(80, 24);
    let mut host = pty.start(place.command(&["run", "--drain"]));
    until_so("all tasks have ended", || {
        place.ok(&["list", "--state", "pending,claimed", "--json"]).out.is_empty()
    });
    drop(pty);
    host.wait().unwrap();
}
