//! What is told of a task that waits, and to those who wait for it.

use crate::place::{Place, Said, until_so};
use rustix::process::{Pid, Signal, kill_process};

const SHELL: &str = r"
workers:
  - {name: fine, command: [cat], task_types: [fine], protocol: raw}
  - name: slow
    command: [sh, -c, 'touch begun; until [ -e go ]; do sleep 0.05; done']
    task_types: [slow]
    isolation: none         # it writes beside the configuration
    protocol: raw
  - {name: broken, command: [./no-such-program], task_types: [broken], retry: {base: 1d, max: 1d}}
";

fn sentence(place: &Place, id: &str) -> String {
    place.show(id)["sentence"].as_str().unwrap().to_owned()
}

fn end(host: std::process::Child) {
    kill_process(Pid::from_child(&host), Signal::TERM).unwrap();
    Said::of(host);
}

#[test]
fn a_task_that_nobody_does_says_whether_a_host_or_a_worker_is_missing() {
    let place = Place::with(SHELL);
    for (id, task_type) in [("a", "fine"), ("b", "nosuch")] {
        place.run(&["enqueue", task_type, "--id", id]);
    }
    assert_eq!(sentence(&place, "a"), "No host is running.");
    assert_eq!(
        sentence(&place, "b"),
        "No worker in workerhost.yaml takes type nosuch, and no host is running."
    );
    let host = place.command(&["run"]).spawn().unwrap();
    until_so("the host has told of its workers", || {
        sentence(&place, "b") == "No worker in workerhost.yaml takes type nosuch."
    });
    let list = place.ok(&["list", "--state", "pending"]).out;
    assert!(list.contains("No worker in workerhost.yaml takes type nosuch."), "{list}");
    place.write("other.yaml", SHELL.replace("[fine]", "[fine, nosuch]"));
    let other = place.ok(&["-c", "other.yaml", "show", "b"]).out;
    assert!(other.contains("No running host has a worker that takes type nosuch."), "{other}");
    end(host);
}

#[test]
fn a_task_whose_worker_is_at_work_or_put_aside_names_it() {
    let place = Place::with(SHELL);
    let host = place.command(&["run"]).spawn().unwrap();
    place.ok(&["enqueue", "slow", "--id", "first"]);
    place.until_there("begun");
    place.ok(&["enqueue", "slow", "--id", "second"]);
    until_so("it says for whom it waits", || {
        sentence(&place, "second") == "It waits for a free stream of worker slow."
    });
    place.ok(&["enqueue", "broken", "--id", "third"]);
    until_so("the worker is put aside", || {
        sentence(&place, "third").contains("Worker broken takes its type and is put aside")
    });
    place.write("go", "");
    end(host);
}

#[test]
fn a_task_that_is_not_due_says_when_and_what_else_is_missing() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "fine", "--id", "a", "--at", "2999-01-31T18:00:00Z"]);
    let told = sentence(&place, "a");
    assert_eq!(told, "It is not to run before 2999-01-31T18:00:00.000Z. No host is running.");
}

#[test]
fn whoever_waits_while_no_host_runs_is_told_so_at_once() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "fine", "--id", "a"]);
    let told = "No host is running. This waits until that changes.";
    for arguments in [
        &["wait", "a", "--timeout", "1s"][..],
        &["enqueue", "fine", "--wait", "--timeout", "1s", "--id", "b"],
    ] {
        let said = place.run(arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(6), ""), "{said:?}");
        assert!(said.err.contains(told), "{said:?}");
        assert!(!arguments.contains(&"b") || said.err.starts_with("created b\n"), "{said:?}");
    }
    let log = std::fs::File::create(place.path().join("talk")).unwrap();
    let mut follower = place.command(&["logs", "a", "-f"]).stderr(log).spawn().unwrap();
    place.until_told("talk", told, 1);
    kill_process(Pid::from_child(&follower), Signal::TERM).unwrap();
    follower.wait().unwrap();
}

#[test]
fn a_type_that_nobody_takes_draws_a_warning_where_the_workers_are_known() {
    let place = Place::with(SHELL);
    let said = place.ok(&["enqueue", "finr", "--id", "a"]);
    assert_eq!(said.out, "created a\n");
    assert!(said.err.contains("warning: no worker in workerhost.yaml takes type finr"), "{said:?}");
    let lines = "{\"type\":\"fine\"}\n{\"type\":\"wrong\"}\n{\"type\":\"wrong\"}\n";
    let said = place.run_with(&["enqueue", "--file", "-"], lines);
    assert_eq!(said.err, "warning: no worker in workerhost.yaml takes type wrong\n");
    let many = [0, 1, 2, 3, 4, 5, 6].map(|no| format!("{{\"type\":\"wrong-{no}\"}}\n")).concat();
    let said = place.run_with(&["enqueue", "--file", "-"], &many);
    assert_eq!(said.err.lines().count(), 4, "{said:?}");
    assert!(said.err.contains("warning: and 4 more types that nobody takes"), "{said:?}");
    for arguments in
        [&["enqueue", "fine"][..], &["--store", "sqlite:.workerhost/tasks.db", "enqueue", "finr"]]
    {
        assert_eq!(place.ok(arguments).err, "", "{arguments:?}");
    }
}
