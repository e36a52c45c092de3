//! A host carries tasks.

use crate::place::{Place, Said};
use rustix::process::{Pid, Signal, kill_process};

const SHELL: &str = r#"
workers:
  - name: fine
    command: [sh, -c, "cat > /dev/null; echo '{\"success\": true, \"result\": 7}'"]
    task_types: [fine]
  - name: slow
    command: [sh, -c, "cat > /dev/null; exec sleep 600"]
    task_types: [slow]
    isolation: none         # it writes beside the configuration
  - name: bad
    command: [sh, -c, "cat > /dev/null; exit 2"]
    task_types: [bad]
"#;

#[test]
fn a_drain_carries_what_is_there_and_leaves_what_no_worker_takes() {
    let place = Place::with(SHELL);
    place.write("tasks.jsonl", "{\"type\":\"fine\",\"id\":\"a\"}\n{\"type\":\"other\",\"id\":\"b\"}\n");
    let said = place.ok(&["run", "--enqueue", "tasks.jsonl", "--drain", "--json"]);
    let summary = &said.objects()[0];
    assert_eq!((&summary["completed"], &summary["without_worker"][0]), (&1.into(), &"other".into()));
    assert_eq!((&place.show("a")["result"], &place.show("b")["state"]), (&7.into(), &"pending".into()));
    let again = place.ok(&["run", "--enqueue", "tasks.jsonl", "--drain", "--json"]);
    assert_eq!(again.objects()[0]["completed"], 0, "a second run starts nothing: {again:?}");
}

#[test]
fn a_task_that_is_given_up_is_explained_and_can_be_made_to_show_in_the_exit_code() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "bad", "--id", "a"]);
    assert_eq!(place.run(&["run", "--drain", "--fail-on-poisoned"]).code, Some(11));
    let sentence = place.show("a")["sentence"].as_str().unwrap().to_owned();
    let end = "Given up: trying again cannot help.";
    assert!(
        sentence.starts_with("The worker failed with exit code 2") && sentence.ends_with(end),
        "{sentence}"
    );
}

#[test]
fn a_worker_that_is_quarantined_is_told_at_the_end_of_a_drain() {
    let place = Place::with(
        "workers:\n  - {name: absent, command: [no-such-program], task_types: [a], retry: {base: 1ms}}\n",
    );
    place.ok(&["enqueue", "a", "--id", "a"]);
    let said = place.run(&["run", "--drain", "--json", "--fail-on-poisoned"]);
    let aside = &said.objects()[0]["quarantined"][0];
    assert_eq!((said.code, &aside["worker"]), (Some(11), &"absent".into()), "{said:?}");
    assert!(aside["why"].as_str().unwrap().starts_with("The worker could not be started: "), "{aside}");
    assert_eq!(place.show("a")["state"], "pending");
}

#[test]
fn a_second_signal_ends_workers_and_their_tasks_are_tried_again_at_no_cost() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "slow", "--id", "a"]);
    let host = place.command(&["run"]).spawn().unwrap();
    let pid = Pid::from_child(&host);
    place.until("a", |task| task["state"] == "claimed");
    kill_process(pid, Signal::TERM).unwrap();
    kill_process(pid, Signal::QUIT).unwrap();
    let said = Said::of(host);
    assert_eq!(said.code, Some(75), "{said:?}");
    let task = place.show("a");
    assert_eq!((&task["state"], &task["counters"]["attempts"]), (&"pending".into(), &0.into()));
    assert_eq!(task["attempts"][0]["outcome"], "interrupted");
}

#[test]
fn a_worker_that_comes_with_a_new_configuration_takes_the_tasks_that_waited_for_it() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "new", "--id", "a"]);
    let host = place.command(&["run"]).spawn().unwrap();
    let pid = Pid::from_child(&host);
    place.ok(&["enqueue", "fine", "--id", "b"]);
    place.until("b", |task| task["state"] == "completed");
    assert_eq!(place.show("a")["state"], "pending");
    place.write("workerhost.yaml", SHELL.replace("[fine]", "[fine, new]"));
    place.until("a", |task| task["state"] == "completed");
    kill_process(pid, Signal::TERM).unwrap();
    let said = Said::of(host);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("config_reloaded"), "{said:?}");
}

#[test]
fn after_kill_9_the_next_host_takes_the_dead_ones_tasks_at_once() {
    let place = Place::with(
        &SHELL.replace("exec sleep 600", "[ -e done ] || { touch done; exec sleep 600; }; exit 0"),
    );
    place.ok(&["enqueue", "slow", "--id", "a"]);
    let mut host = place.command(&["run"]).spawn().unwrap();
    place.until_there("done");
    host.kill().unwrap();
    host.wait().unwrap();
    place.run(&["run", "--drain"]);
    let task = place.show("a");
    assert_eq!(task["attempts"][0]["outcome"], "lost", "{task}");
    assert_eq!(task["counters"]["lost"], 1, "{task}");
    assert!(task["attempts"].as_array().unwrap().len() >= 2, "{task}");
}
