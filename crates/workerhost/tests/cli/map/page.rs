//! The examples of `docs/map.md`, run one after the other as they stand there.

use crate::place::Place;
use std::path::Path;
use std::process::{Command, Stdio};

/// A command of the page and what it is said to print.
struct Example<'a> {
    command: &'a str,
    prints: Vec<&'a str>,
}

fn examples(page: &str) -> Vec<Example<'_>> {
    let mut examples: Vec<Example<'_>> = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        match (line.strip_prefix("```"), line.strip_prefix("$ ")) {
            (Some(word), _) => is_inside = word == "console",
            (None, Some(command)) if is_inside => examples.push(Example { command, prints: Vec::new() }),
            (None, _) if is_inside => examples.last_mut().unwrap().prints.push(line),
            (None, _) => {}
        }
    }
    examples
}

#[test]
fn every_example_of_the_page_prints_what_stands_there() {
    let page = include_str!("../../../../../docs/map.md");
    let examples = examples(page);
    assert!(examples.len() > 8, "{}", examples.len());
    let place = Place::with("");
    let here = place.path().to_str().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_workerhost")).parent().unwrap().display();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap());
    for Example { command, prints } in examples {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(place.path()).env("PATH", &path).stdin(Stdio::null());
        let said = shell.output().unwrap();
        let text = String::from_utf8(said.stdout).unwrap().replace(here, "/HERE");
        assert_eq!(text.lines().collect::<Vec<_>>(), prints, "{command}");
        assert_eq!(String::from_utf8(said.stderr).unwrap(), "", "{command}");
    }
}
