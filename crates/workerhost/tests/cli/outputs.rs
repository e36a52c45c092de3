//! Outputs: the example of `docs/outputs.md`, as it stands there, and what becomes of who looks at them.

use crate::place::{Place, until_so};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_example_of_the_page_does_what_it_says() {
    let page = include_str!("../../../../docs/outputs.md");
    let block = |language: &str| {
        let begin = format!("```{language}\n");
        page.split(&begin).nth(1).unwrap().split("```").next().unwrap()
    };
    let place = Place::with(block("yaml"));
    place.write("summary.schema.json", block("json"));
    let script = place.write("report.py", block("python"));
    place.ok(&["enqueue", "report", "--id", "good"]);
    place.ok(&["run", "--drain"]);
    let good = place.show("good");
    assert_eq!(good["state"], "completed", "{good}");
    assert_eq!(good["attempts"][0]["quality"], 95, "{good}");
    assert_eq!(good["attempts"][0]["checks"]["failed"], 0, "{good}");
    let broken = block("python").replace("{\"pages\": 2}, file", "{\"pages\": 0}, file");
    fs::write(script, broken).unwrap();
    place.ok(&["enqueue", "report", "--id", "broken"]);
    place.ok(&["run", "--drain"]);
    let broken = place.show("broken");
    let attempt = &broken["attempts"][0];
    assert_eq!(attempt["checks"]["failures"][0]["check"], "schema", "{broken}");
    assert!(
        attempt["sentence"].as_str().unwrap().contains("summary.json is not as its schema says: /pages"),
        "{broken}"
    );
}

/// The process that looks at outputs for this host, as its directory in `/proc`.
fn reviewer(host: u32) -> Option<PathBuf> {
    let own = format!("PPid:\t{host}\n");
    let mut all = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    all.find(|process| is_reviewer(process) && read(process, "status").contains(&own))
}

fn is_reviewer(process: &Path) -> bool {
    read(process, "cmdline").contains("__reviewer")
}

fn read(process: &Path, name: &str) -> String {
    fs::read_to_string(process.join(name)).unwrap_or_default()
}

#[test]
fn who_looks_at_outputs_dies_with_its_host_and_the_task_is_tried_again() {
    let place =
        Place::with("workers:\n  - {name: w, command: [sh, w.sh], task_types: [t], isolation: none}\n");
    let endless = "cat > /dev/null; truncate -s 8T $WORKERHOST_OUTPUT_DIR/endless\n\
                   printf '{\"success\": true, \"result\": 1, \"outputs\": [{\"path\": \"endless\", \"sha256\": \"%064d\"}]}' 0\n";
    place.write("w.sh", endless);
    place.ok(&["enqueue", "t", "--id", "a"]);
    let mut host = place.command(&["run"]).spawn().unwrap();
    let mut looking = None;
    until_so("somebody looks", || {
        looking = reviewer(host.id());
        looking.is_some()
    });
    host.kill().unwrap();
    host.wait().unwrap();
    let looking = looking.unwrap();
    until_so("nobody looks any more", || !is_reviewer(&looking));
    place.write("w.sh", "cat > /dev/null; echo '{\"success\": true, \"result\": 1}'\n");
    place.ok(&["run", "--drain"]);
    let task = place.show("a");
    assert_eq!(task["state"], "completed", "{task}");
    assert_eq!(task["attempts"][0]["outcome"], "lost", "{task}");
}
