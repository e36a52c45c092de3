//! What the program says about itself: exit codes, manual pages, completions, and how it talks.

use crate::place::Place;
use std::fs;
use std::io::{BufRead, BufReader, Read};

#[test]
fn the_exit_codes_are_told_by_the_command_its_help_and_the_manual() {
    let place = Place::with("");
    let told = place.ok(&["exit-codes", "--json"]).objects();
    let codes: Vec<u64> = told.iter().map(|code| code["code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 74, 75, 130, 143]);
    let manual = place.ok(&["man"]).out.replace('\\', "");
    let (listed, help) = (place.ok(&["exit-codes"]).out, place.ok(&["help", "exit-codes"]).out);
    for code in told {
        let meaning = code["meaning"].as_str().unwrap();
        for text in [&listed, &help, &manual] {
            assert!(text.contains(meaning), "{meaning}: {text}");
        }
    }
    for heading in ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
        assert!(manual.contains(&format!(".SH \"{heading}\"")) || manual.contains(&format!(".SH {heading}")));
    }
}

#[test]
fn the_example_of_a_map_in_the_help_does_what_it_says() {
    let place = Place::with("");
    for name in ["a.log", "b.log"] {
        place.write(name, "what is to be packed");
    }
    let help = place.ok(&["--help"]).out;
    let example = help.lines().find(|line| line.contains("workerhost map")).unwrap();
    let command = example.split("    one durable").next().unwrap().replace("workerhost", "\"$WORKERHOST\"");
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &command])
        .current_dir(place.path())
        .env("WORKERHOST", env!("CARGO_BIN_EXE_workerhost"));
    let said = shell.output().unwrap();
    assert!(said.status.success(), "{said:?}");
    for name in ["a.log.gz", "b.log.gz"] {
        assert!(place.path().join(name).exists(), "{name}: {said:?}");
    }
}

#[test]
fn every_command_has_a_page_of_the_manual() {
    let place = Place::with("");
    let said = place.ok(&["man", "deep/man1"]);
    let pages: Vec<String> = fs::read_dir(place.path().join("deep/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(said.err.starts_with(&format!("{} pages", pages.len())), "{said:?}");
    for page in ["workerhost.1", "workerhost-run.1", "workerhost-config.1", "workerhost-config-check.1"] {
        assert!(pages.iter().any(|name| name == page), "{page}: {pages:?}");
    }
    let page = fs::read_to_string(place.path().join("deep/man1/workerhost-config-check.1")).unwrap();
    assert!(page.contains("SEE ALSO") && page.contains("EXAMPLES"), "{page}");
    place.write("file", "");
    let said = place.run(&["man", "file/man1"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("cannot write to file/man1"), "{said:?}");
}

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    let place = Place::with("");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = place.ok(&["completions", shell]);
        assert!(said.out.contains("enqueue") && said.out.contains("exit-codes"), "{shell}");
    }
    let said = place.run(&["completions", "cmd"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("possible values: bash"), "{said:?}");
}

#[test]
fn whoever_stops_reading_hears_no_complaint() {
    let place = Place::with("workers: []\n");
    place.write("tasks.jsonl", "{\"type\": \"t\"}\n".repeat(3_000));
    place.ok(&["enqueue", "--file", "tasks.jsonl", "--json"]);
    for arguments in [
        &["list", "--limit", "3000"][..],
        &["list", "--limit", "3000", "--json"],
        &["man"],
        &["completions", "bash"],
        &["config", "schema"],
    ] {
        let mut child = place.command(arguments).spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let mut complaint = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        let code = child.wait().unwrap().code();
        assert!(!first.is_empty(), "{arguments:?}");
        assert!(matches!(code, Some(0 | 1)), "{arguments:?}: {code:?}");
        assert!(
            complaint.is_empty() || complaint.starts_with("There are more"),
            "{arguments:?}: {complaint}"
        );
    }
}

#[test]
fn colours_come_when_asked_for_and_never_by_themselves_into_a_pipe() {
    let place = Place::with("workers: []\n");
    let err = |colour: &[&str]| place.run(&[&["show", "nobody"], colour].concat()).err;
    assert!(err(&["--color", "always"]).contains("\u{1b}["));
    for plain in [&[][..], &["--color", "never"], &["--color", "auto"]] {
        let text = err(plain);
        assert!(text.starts_with("error: ") && !text.contains('\u{1b}'), "{plain:?}: {text}");
    }
    let broken = Place::with("workers: 5\n");
    assert!(broken.run(&["list", "--color", "always"]).err.contains("\u{1b}["));
    assert!(!broken.run(&["list", "--color", "never"]).err.contains('\u{1b}'));
}

#[test]
fn talk_grows_and_shrinks_with_v_and_q_and_data_stay() {
    let place = Place::with("workers: []\nmonitoring: {enabled: true}\n");
    place.ok(&["enqueue", "t", "-qq"]);
    let err = |flags: &[&str]| place.ok(&[&["list", "--type", "none"], flags].concat()).err;
    assert_eq!(err(&[]), "There are no such tasks.\n");
    assert_eq!((err(&["-q"]), err(&["-qq"])), (String::new(), String::new()));
    assert!(err(&["-v"]).contains("monitoring"), "details come with -v");
    assert_eq!(place.run(&["list", "-q", "-v"]).code, Some(2));
    assert_eq!(place.run(&["-qq", "show", "nobody"]).err.lines().count(), 2, "errors are told all the same");
    assert_eq!(place.ok(&["-qq", "enqueue", "t", "--id", "a"]).out, "created a\n");
}

#[test]
fn a_wrong_command_line_is_code_2_and_names_what_was_meant() {
    let place = Place::with("");
    let said = place.run(&["lsit"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("list"), "{said:?}");
    assert_eq!(place.run(&[]).code, Some(2));
}
