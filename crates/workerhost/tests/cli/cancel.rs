//! Tasks that are not to be done any more.

use crate::place::{Place, Said};
use rustix::process::{Pid, Signal, kill_process};

const SHELL: &str = r#"
workers:
  - {name: slow, command: [sh, -c, "cat > /dev/null; touch begun; exec sleep 600"], task_types: [slow], isolation: none}
  - {name: fine, command: [cat], task_types: [fine], protocol: raw}
"#;

fn told(said: &Said) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    said.objects().iter().map(|heard| (text(&heard["id"]), text(&heard["status"]))).collect()
}

#[test]
fn each_task_gets_its_own_answer_and_the_exit_code_tells_the_worst() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "fine", "--id", "done"]);
    place.ok(&["run", "--drain"]);
    place.ok(&["enqueue", "fine", "--id", "a"]);
    place.ok(&["enqueue", "fine", "--id", "b"]);
    assert_eq!(place.ok(&["cancel", "a"]).out, "cancelled a\n");
    let again = place.ok(&["cancel", "a", "--json"]).objects().remove(0);
    assert_eq!((&again["status"], &again["state"]), (&"unchanged".into(), &"cancelled".into()));
    let rows: [(&[&str], i32); 3] = [(&["b", "done"], 4), (&["none"], 3), (&["done", "none"], 4)];
    for (ids, code) in rows {
        let said = place.run(&[&["cancel", "--json"], ids].concat());
        assert_eq!(said.code, Some(code), "{said:?}");
        assert_eq!(told(&said).len(), ids.len(), "{said:?}");
    }
    assert_eq!(place.show("b")["state"], "cancelled");
    assert_eq!(place.show("done")["state"], "completed");
}

#[test]
fn ids_come_from_standard_input_too_and_a_wrong_line_spoils_no_other() {
    let place = Place::with(SHELL);
    let lines =
        (0..1_200).map(|n| format!("{{\"type\":\"fine\",\"id\":\"{n}\"}}\n")).collect::<Vec<_>>().concat();
    place.run_with(&["enqueue", "--file", "-"], &lines);
    let ids = (0..1_200).map(|n| format!("{n}\n")).collect::<Vec<_>>().concat();
    let said = place.run_with(&["cancel", "-", "--json"], &format!("{}\n{ids}", "x".repeat(9_000)));
    assert_eq!(said.code, Some(3), "{said:?}");
    let told = told(&said);
    assert_eq!((told.len(), told[0].1.as_str()), (1_201, "unknown"));
    assert!(told[1..].iter().all(|(_, status)| status == "cancelled"));
    assert_eq!(place.ok(&["list", "--state", "pending", "--json"]).out, "");
}

#[test]
fn a_running_task_is_stopped_and_whoever_waits_learns_when_it_is_gone() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "slow", "--id", "a"]);
    let host = place.command(&["run"]).spawn().unwrap();
    place.until_there("begun");
    let said = place.ok(&["cancel", "a", "--wait"]);
    assert!(said.out.starts_with("asked a: its worker is asked to stop\na cancelled: "), "{said:?}");
    assert_eq!(place.show("a")["attempts"][0]["outcome"], "cancelled");
    kill_process(Pid::from_child(&host), Signal::TERM).unwrap();
    assert_eq!(Said::of(host).code, Some(0));
}
