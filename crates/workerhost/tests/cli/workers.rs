//! How the workers are doing.

use crate::place::{Place, Said, until_so};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const SHELL: &str = r#"
host: {name: box}
workers:
  - {name: fine, command: [cat], task_types: [fine], protocol: raw, streams: 2}
  - name: broken
    command: [./no-such-program]
    task_types: ["broken.*"]
    retry: {base: 1d, max: 1d}
"#;

fn worker(place: &Place, name: &str) -> Value {
    place.ok(&["workers", "show", name, "--json"]).objects().remove(0)
}

#[test]
fn workers_are_told_as_configured_and_with_a_host_as_it_sees_them() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "fine", "--id", "a"]);
    let said = place.ok(&["workers"]);
    assert_eq!(said.out.matches("no host is running that has it").count(), 2, "{said:?}");
    let host = place.command(&["run"]).spawn().unwrap();
    until_so("the host tells of its success", || worker(&place, "fine")["succeeded"] == 1);
    let fine = worker(&place, "fine");
    assert_eq!(
        (&fine["schema"], &fine["streams"], &fine["health"], &fine["configured"]),
        (&"workerhost.worker/v1".into(), &2.into(), &"green".into(), &true.into())
    );
    assert_eq!((&fine["host"]["name"], &fine["host"]["pid"]), (&"box".into(), &host.id().into()));
    let list = place.ok(&["workers", "list"]).out;
    assert!(list.lines().any(|line| line.starts_with("fine") && line.contains("0/2")), "{list}");
    kill_process(Pid::from_child(&host), Signal::TERM).unwrap();
    assert_eq!(Said::of(host).code, Some(0));
    assert!(worker(&place, "fine").get("host").is_none(), "a host that has left has nothing to say");
}

#[test]
fn a_worker_that_was_put_aside_says_why_and_comes_back_when_it_is_resumed() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "broken.x", "--id", "a"]);
    let host = place.command(&["run"]).spawn().unwrap();
    until_so("it is put aside", || worker(&place, "broken").get("quarantine").is_some());
    let broken = worker(&place, "broken");
    assert_eq!(broken["health"], "red");
    assert!(broken["quarantine"].as_str().unwrap().contains("no-such-program"), "{broken}");
    for page in [&["workers"][..], &["workers", "show", "broken"]] {
        assert!(place.ok(page).out.contains("put aside: "), "{page:?}");
    }
    let page = place.ok(&["workers", "show", "broken"]).out;
    assert!(page.contains("failed          1, without a success since\n"), "{page}");
    assert_eq!(place.show("a")["state"], "pending");
    place.write("no-such-program", "#!/bin/sh\ncat > /dev/null; echo '{\"success\": true}'\n");
    rustix::fs::chmod(place.path().join("no-such-program"), rustix::fs::Mode::RWXU).unwrap();
    let resumed = place.ok(&["workers", "resume", "broken"]);
    assert!(resumed.out.starts_with("resumed broken"), "{resumed:?}");
    until_so("it is back", || worker(&place, "broken").get("quarantine").is_none());
    kill_process(Pid::from_child(&host), Signal::TERM).unwrap();
    Said::of(host);
}

#[test]
fn waiting_tasks_are_counted_where_they_wait_and_types_that_nobody_takes_are_named() {
    let place = Place::with(SHELL);
    for kind in ["fine", "fine", "broken.x", "other"] {
        place.ok(&["enqueue", kind]);
    }
    let said = place.ok(&["workers", "--counts", "--json"]);
    let waiting: Vec<_> =
        said.objects().iter().map(|worker| (worker["worker"].clone(), worker["pending"].clone())).collect();
    assert_eq!(waiting, [("broken".into(), 1.into()), ("fine".into(), 2.into())]);
    assert!(said.err.contains("1 task of type other waits, and no worker takes the type"), "{said:?}");
    assert!(!place.ok(&["workers"]).out.contains("PENDING"));
}

#[test]
fn a_name_that_nobody_knows_is_code_3() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "fine"]);
    for verb in ["show", "resume"] {
        let said = place.run(&["workers", verb, "nobody"]);
        assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{said:?}");
        assert!(said.err.contains("there is no worker `nobody`"), "{said:?}");
    }
    let heard = place.ok(&["workers", "resume", "fine", "--json"]).objects().remove(0);
    assert_eq!((&heard["schema"], &heard["status"]), (&"workerhost.resume/v1".into(), &"resumed".into()));
}
