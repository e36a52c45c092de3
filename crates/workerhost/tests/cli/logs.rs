//! The logs of tasks.

use crate::place::{Place, Said, until_so};
use crate::pty::Pty;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

/// `gated` says "first" and waits for the file `go`; `twice` fails once; `bad` is given up at once.
const SHELL: &str = r#"
workers:
  - name: gated
    command: [sh, -c, 'cat > /dev/null; echo first >&2; touch begun; until [ -e go ]; do sleep 0.05; done; echo last >&2; echo "{\"success\": true}"']
    task_types: [gated]
    isolation: none         # it writes beside the configuration
  - name: twice
    command: [sh, -c, 'cat > /dev/null; echo "attempt $WORKERHOST_ATTEMPT" >&2; [ $WORKERHOST_ATTEMPT = 2 ]']
    task_types: [twice]
    protocol: raw
    retry: {base: 10ms}
  - name: bad
    command: [sh, -c, 'cat > /dev/null; printf "a\033[31mb\n" >&2; exit 2']
    task_types: [bad]
  - name: many
    command: [sh, -c, 'cat > /dev/null; seq 1 200000 >&2']
    task_types: [many]
    protocol: raw
    bounds: {log: 64MiB}
  - name: bare
    command: [sh, -c, 'cat > /dev/null; echo only >&2']
    task_types: [bare]
    protocol: raw
    workspace: none
  - name: quiet
    command: [cat]
    task_types: [quiet]
    protocol: raw
"#;

#[test]
fn the_log_of_an_attempt_can_be_read_while_it_runs_and_afterwards() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "gated", "--id", "a"]);
    let host = place.command(&["run", "--drain"]).spawn().unwrap();
    place.until_there("begun");
    until_so("its log has its first line", || place.ok(&["logs", "a"]).out == "first\n");
    place.write("go", "");
    assert_eq!(Said::of(host).code, Some(0));
    assert_eq!(place.ok(&["logs", "a"]).out, "first\nlast\n");
    let lines = place.ok(&["logs", "a", "--json"]).objects();
    assert_eq!((&lines[1]["text"], &lines[1]["attempt_id"]), (&"last".into(), &"a:1".into()));
}

#[test]
fn whoever_follows_a_task_that_waits_sees_its_first_line_when_it_is_written() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "gated", "--id", "a"]);
    let mut follower = place.command(&["logs", "a", "-f"]).spawn().unwrap();
    let bells = place.path().join(".workerhost/bells");
    until_so("it listens", || std::fs::read_dir(&bells).is_ok_and(|bells| bells.count() == 1));
    let host = place.command(&["run", "--drain"]).spawn().unwrap();
    place.until_there("begun");
    let begun = Instant::now();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "first");
    // A claim rings no bell; whoever waited for a look on suspicion would see it after five seconds.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    place.write("go", "");
    assert_eq!(lines.next().unwrap().unwrap(), "last");
    assert!(follower.wait().unwrap().success());
    assert_eq!(Said::of(host).code, Some(0));
}

#[test]
fn following_goes_through_all_attempts_from_before_the_first_one_to_the_tasks_end() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "twice", "--id", "a"]);
    let follower = place.command(&["logs", "a", "-f"]).spawn().unwrap();
    let bells = place.path().join(".workerhost/bells");
    until_so("it listens", || std::fs::read_dir(&bells).is_ok_and(|bells| bells.count() == 1));
    place.ok(&["run", "--drain"]);
    let said = Said::of(follower);
    assert_eq!((said.code, said.out.as_str()), (Some(0), "attempt 1\nattempt 2\n"), "{said:?}");
    for words in ["Attempt 1 (a:1):", "Attempt 2 (a:2):", "a completed: "] {
        assert!(said.err.contains(words), "{words}: {said:?}");
    }
    assert_eq!(place.ok(&["logs", "a", "--attempt", "1"]).out, "attempt 1\n");
    assert_eq!(place.ok(&["logs", "a", "--attempt", "a:2"]).out, "attempt 2\n");
    let again = place.ok(&["logs", "a", "-f"]);
    assert_eq!(again.out, "attempt 2\n", "of what is over only the last attempt: {again:?}");
}

#[test]
fn not_a_line_is_missed_however_fast_they_come_and_wherever_the_file_goes() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "many", "--id", "a"]);
    let follower = place.command(&["logs", "a", "-f", "-q"]).spawn().unwrap();
    let host = place.command(&["run", "--drain"]).spawn().unwrap();
    let said = Said::of(follower);
    let expected = (1..=200_000).map(|n| format!("{n}\n")).collect::<Vec<_>>().concat();
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(said.out == expected, "{} of {} bytes", said.out.len(), expected.len());
    assert_eq!(Said::of(host).code, Some(0));
}

#[test]
fn a_task_that_is_given_up_ends_the_following_with_the_code_of_wait() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "bad", "--id", "a"]);
    place.ok(&["run", "--drain"]);
    assert_eq!(place.run(&["logs", "a", "-f"]).code, Some(11));
}

#[test]
fn where_the_files_are_gone_the_record_still_has_the_last_lines() {
    let place = Place::with(SHELL);
    for kind in ["bad", "bare", "quiet"] {
        place.ok(&["enqueue", kind, "--id", kind]);
    }
    place.ok(&["run", "--drain"]);
    std::fs::remove_dir_all(place.path().join(".workerhost/finished")).unwrap();
    let rows = [
        ("bad", "a\u{1b}[31mb\n", "have been swept away"),
        ("bare", "only\n", "was kept in no file"),
        ("quiet", "", "wrote nothing"),
    ];
    for (id, log, words) in rows {
        let said = place.ok(&["logs", id]);
        assert_eq!(said.out, log, "{id}: {said:?}");
        assert!(said.err.contains(words), "{id}: {said:?}");
    }
}

#[test]
fn programs_get_the_log_as_it_is_and_a_terminal_nothing_that_acts_on_it() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "bad", "--id", "a"]);
    place.ok(&["run", "--drain"]);
    assert_eq!(place.ok(&["logs", "a"]).out, "a\u{1b}[31mb\n");
    let pty = Pty::open(80, 24);
    let mut child = pty.start(place.command(&["logs", "a"]));
    assert!(child.wait().unwrap().success());
    let (sent, seen) = pty.rest();
    assert_eq!(seen, ["a\\u{1b}[31mb", ""]);
    assert!(!sent.contains('\u{1b}'), "{sent:?}");
}

#[test]
fn what_there_is_not_is_told_with_code_3_and_what_has_not_begun_without() {
    let place = Place::with("workers: []\n");
    assert_eq!(place.run(&["logs", "a"]).code, Some(3));
    place.ok(&["enqueue", "t", "--id", "a"]);
    let said = place.ok(&["logs", "a"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", "It has not been tried yet.\n"));
    assert_eq!(place.run(&["logs", "a", "--attempt", "1"]).code, Some(3));
    assert_eq!(place.run(&["logs", "a", "--attempt", "x"]).code, Some(2));
}
