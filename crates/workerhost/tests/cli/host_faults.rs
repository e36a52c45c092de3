//! What happens to tasks when something happens to their host.

use crate::place::{Place, Said};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A worker that says when it begins, and ends when it may.
const GATED: &str = r#"
lease: {length: 2s, renew_every: 500ms}
workers:
  - name: gated
    command: [sh, -c, 'cat > /dev/null; echo $WORKERHOST_ATTEMPT_ID >> begun; until [ -e go ]; do sleep 0.05; done; echo "{\"success\": true, \"result\": \"$WORKERHOST_ATTEMPT_ID\"}"']
    task_types: [gated]
    isolation: none         # it writes beside the configuration
"#;

/// So many lines for `enqueue --file -`.
fn tasks(count: usize) -> String {
    let lines: Vec<String> = (0..count).map(|n| format!("{{\"type\":\"t\",\"id\":\"{n}\"}}\n")).collect();
    lines.concat()
}

fn outcomes(task: &Value) -> Vec<&str> {
    task["attempts"].as_array().unwrap().iter().map(|attempt| attempt["outcome"].as_str().unwrap()).collect()
}

#[test]
fn a_host_that_slept_through_its_lease_writes_nothing_for_what_another_one_took_over() {
    let place = Place::with(GATED);
    place.ok(&["enqueue", "gated", "--id", "a"]);
    let sleeper = place.command(&["run"]).spawn().unwrap();
    place.until_there("begun");
    let pid = Pid::from_child(&sleeper);
    kill_process(pid, Signal::STOP).unwrap();
    let other = place.command(&["run"]).spawn().unwrap();
    let lost = place.until("a", |task| task["counters"]["lost"] == 1);
    assert_eq!(outcomes(&lost)[0], "lost", "{lost}");
    kill_process(pid, Signal::CONT).unwrap();
    place.write("go", "");
    let task = place.until("a", |task| task["state"] == "completed");
    let accepted = outcomes(&task).into_iter().filter(|outcome| *outcome == "succeeded").count();
    assert_eq!(accepted, 1, "{task}");
    let last = task["attempts"].as_array().unwrap().last().unwrap();
    assert_eq!(
        task["result"], last["attempt_id"],
        "the result is that of the attempt that was accepted: {task}"
    );
    for host in [sleeper, other] {
        kill_process(Pid::from_child(&host), Signal::TERM).unwrap();
        let said = Said::of(host);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
}

#[test]
fn two_hosts_on_one_directory_share_the_work_and_do_nothing_twice() {
    const TASKS: usize = 40;
    let place = Place::with(
        "workers:\n  - {name: w, command: [sh, -c, 'cat > /dev/null; echo $WORKERHOST_TASK_ID >> done'], \
         task_types: [t], protocol: raw, streams: 2, isolation: none}\n",
    );
    let lines = tasks(TASKS);
    place.run_with(&["enqueue", "--file", "-"], &lines);
    let hosts = [0, 1].map(|_| place.command(&["run", "--drain"]).spawn().unwrap());
    for said in hosts.map(Said::of) {
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    let done = std::fs::read_to_string(place.path().join("done")).unwrap();
    let mut done: Vec<&str> = done.lines().collect();
    done.sort_unstable();
    done.dedup();
    assert_eq!(done.len(), TASKS);
    let completed = place.ok(&["list", "--state", "completed", "--json"]).objects();
    assert_eq!(completed.len(), TASKS);
    assert!(completed.iter().all(|task| task["counters"]["lost"] == 0));
}

#[test]
fn a_host_that_runs_out_of_descriptors_loses_no_task_and_blames_no_worker() {
    let place = Place::with(
        "host: {streams: 30}\nworkers:\n  - {name: w, command: [sh, -c, 'cat > /dev/null; sleep 0.2'], \
         task_types: [t], protocol: raw, streams: 30, retry: {base: 50ms, max: 200ms}}\n",
    );
    let lines = tasks(60);
    place.run_with(&["enqueue", "--file", "-"], &lines);
    let mut short = std::process::Command::new("sh");
    short.args(["-c", "ulimit -n 60; exec \"$0\" run --drain", env!("CARGO_BIN_EXE_workerhost")]);
    short.current_dir(place.path()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let said = Said::of(short.spawn().unwrap());
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!said.err.contains("worker_quarantined"), "{said:?}");
    assert_eq!(place.ok(&["list", "--state", "completed", "--json"]).objects().len(), 60, "{said:?}");
}
