//! What is shown of tasks and their attempts.

use crate::place::{Place, Said};
use rustix::process::{Pid, Signal, kill_process};

const SHELL: &str = r"
workers:
  - name: twice
    command: [sh, -c, 'cat > /dev/null; seq 1 500 >&2; [ $WORKERHOST_ATTEMPT = 2 ]']
    task_types: [twice]
    protocol: raw
    retry: {base: 10ms}
  - {name: once, command: [cat], task_types: [once], protocol: raw}
  - name: stuck
    command: [sh, -c, 'cat > /dev/null; [ -e begun ] || { touch begun; sleep 600; }']
    task_types: [stuck]
    isolation: none         # it writes beside the configuration
    protocol: raw
";

#[test]
fn a_list_tells_how_often_each_task_was_tried_and_not_only_what_counts() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "twice", "--id", "a"]);
    place.ok(&["enqueue", "once", "--id", "b"]);
    place.ok(&["run", "--drain"]);
    place.ok(&["enqueue", "once", "--id", "c"]);
    let list = place.ok(&["list"]).out;
    let attempts = |id: &str| {
        let mut rows = list.lines().filter(|line| line.starts_with(id));
        rows.next().unwrap().split_whitespace().nth(3).unwrap().to_owned()
    };
    assert_eq!(["a", "b", "c"].map(attempts), ["2", "1", "0"], "{list}");
    let told: Vec<_> = place.ok(&["list", "--json"]).objects();
    let made = told.iter().map(|task| (&task["attempts_made"], &task["counters"]["attempts"]));
    assert_eq!(
        made.collect::<Vec<_>>(),
        [(&0.into(), &0.into()), (&1.into(), &0.into()), (&2.into(), &1.into())]
    );
    assert_eq!(place.show("a")["attempts_made"], 2);
}

#[test]
fn the_end_of_a_log_is_shown_with_the_command_for_the_rest() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "twice", "--id", "a"]);
    place.ok(&["run", "--drain"]);
    let page = place.ok(&["show", "a"]).out;
    let lines: Vec<&str> = page.lines().map(|line| line.trim_start_matches("  log").trim()).collect();
    assert_eq!(lines.iter().filter(|line| **line == "500").count(), 2, "{page}");
    assert!(lines.contains(&"481") && !lines.contains(&"480"), "{page}");
    for more in ["  more          workerhost logs a --attempt a:1\n", "  more          workerhost logs a"] {
        assert!(page.contains(more), "{more}: {page}");
    }
    let first = place.ok(&["logs", "a", "--attempt", "a:1"]).out;
    assert_eq!(first.lines().count(), 500);
}

#[test]
fn an_attempt_is_shown_with_its_own_id_and_the_whole_path_of_its_files() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "twice", "--id", "a"]);
    place.ok(&["run", "--drain"]);
    let page = place.ok(&["show", "a"]).out;
    assert!(page.contains("  id            a:1\n"), "{page}");
    let files = page.lines().find_map(|line| line.strip_prefix("  files")).unwrap().trim();
    assert!(std::path::Path::new(files).is_absolute() && std::path::Path::new(files).is_dir(), "{page}");
}

#[test]
fn a_lost_attempt_names_no_stream() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "stuck", "--id", "a"]);
    let host = place.command(&["run"]).spawn().unwrap();
    place.until_there("begun");
    kill_process(Pid::from_child(&host), Signal::KILL).unwrap();
    Said::of(host);
    place.ok(&["run", "--drain"]);
    let page = place.ok(&["show", "a"]).out;
    assert!(page.contains("lost after ") && page.contains("succeeded after "), "{page}");
    assert!(page.contains(" on stream 1 of stuck") && !page.contains("stream 0"), "{page}");
}

#[test]
fn the_protocols_page_names_every_file_that_the_host_puts_into_a_workspace() {
    let worker = "cat > /dev/null; echo line >&2; [ $WORKERHOST_TASK_ID = a ] || echo own > $WORKERHOST_OUTPUT_DIR/metadata.json; \
                  echo '{\\\"success\\\": true}'";
    let place = Place::with(&format!(
        "workers:\n  - {{name: w, command: [sh, -c, \"{worker}\"], task_types: [t]}}\n"
    ));
    let params = place.write("params.json", format!("\"{}\"", "x".repeat(2 << 20)));
    for id in ["a", "b"] {
        place.ok(&["enqueue", "t", "--id", id, "--params", &format!("@{}", params.display())]);
    }
    place.ok(&["run", "--drain"]);
    let mut found = std::collections::BTreeSet::new();
    for attempt in std::fs::read_dir(place.path().join(".workerhost/finished")).unwrap() {
        for folder in ["input", "output", "logs"] {
            let files = std::fs::read_dir(attempt.as_ref().unwrap().path().join(folder)).unwrap();
            found.extend(files.map(|file| format!("{folder}/{}", file.unwrap().file_name().display())));
        }
    }
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md")).unwrap();
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("## 7. Files"))
        .take_while(|line| !line.starts_with("## 8."));
    let cells = rows.filter(|line| line.starts_with("| `")).flat_map(|line| line.split('`'));
    let told = cells.filter(|word| {
        ["input/", "output/", "logs/"]
            .iter()
            .any(|folder| word.len() > folder.len() && word.starts_with(folder))
    });
    assert_eq!(found, told.map(str::to_owned).collect());
}

#[test]
fn an_isolated_attempt_is_shown_with_what_was_kept_from_it() {
    let place = Place::with(
        "
workers:
  - name: nosy
    command: [sh, -c, 'cat workerhost.yaml 2>&1 || true']
    task_types: [nosy]
    protocol: raw
    isolation: {level: strict, required: true}
",
    );
    place.ok(&["enqueue", "nosy", "--id", "a"]);
    place.ok(&["run", "--drain"]);
    let page = place.ok(&["show", "a"]).out;
    assert!(page.contains("  isolation     strict\n"), "{page}");
    assert!(page.contains("Permission denied") && !page.contains("task_types"), "{page}");
    let isolation = &place.show("a")["attempts"][0]["isolation"];
    assert_eq!((&isolation["level"], isolation["missing"].as_array().unwrap().len()), (&"strict".into(), 0));
    assert!(isolation["enforced"].as_array().unwrap().contains(&"files".into()), "{isolation}");
}
