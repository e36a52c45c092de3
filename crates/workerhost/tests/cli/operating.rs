//! The commands of `docs/operating.md`, run one after the other as they stand there.

use crate::place::Place;
use std::path::Path;
use std::process::{Command, Stdio};

/// A worker that gives every task up.
const SHELL: &str = r#"
workers:
  - name: invoices
    command: [sh, -c, 'cat > /dev/null; echo "no such customer" >&2; exit 2']
    task_types: [shop.invoice]
"#;

#[test]
fn every_command_of_the_page_does_what_it_is_there_for() {
    let page = include_str!("../../../../docs/operating.md");
    let commands: Vec<&str> = page.lines().filter(|line| line.starts_with("workerhost ")).collect();
    assert!(commands.len() > 10, "{commands:?}");
    let place = Place::with(SHELL);
    for id in ["order-4711", "order-4712"] {
        place.ok(&["enqueue", "shop.invoice", "--id", id]);
    }
    place.ok(&["run", "--drain"]);
    let program = Path::new(env!("CARGO_BIN_EXE_workerhost")).parent().unwrap().display();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap());
    for line in commands {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(place.path()).env("PATH", &path).stdin(Stdio::null());
        let said = shell.output().unwrap();
        // Tasks were given up, and the page says what its code is then.
        let code = if line == "workerhost doctor" { 13 } else { 0 };
        assert_eq!(said.status.code(), Some(code), "{line}: {said:?}");
    }
    assert_eq!(place.show("order-4711")["state"], "cancelled");
    assert_eq!(place.show("order-4712")["state"], "pending");
}
