//! Workers go through the cases of the protocol.

use crate::place::{Place, Said, until_so};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the examples of the repository are.
fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").canonicalize().unwrap()
}

/// The cases that a worker must pass, as options.
const REQUIRED: [&str; 6] = [
    "--case=valid",
    "--case=missing-id",
    "--case=unknown-type",
    "--case=empty-params",
    "--case=large-params",
    "--case=non-ascii",
];

fn can_run(interpreter: &str, arguments: &[&str]) -> bool {
    let probe =
        Command::new(interpreter).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}

/// Every case of what was said, failed ones with what was got.
fn cases(said: &Said) -> Vec<(String, Option<String>)> {
    let told = |object: &serde_json::Value| {
        assert_eq!(object["passed"], object.get("got").is_none(), "{object}");
        (
            object["case"].as_str().unwrap().to_owned(),
            object.get("got").map(|got| got.as_str().unwrap().to_owned()),
        )
    };
    said.objects().iter().map(told).collect()
}

fn failed(said: &Said) -> Vec<String> {
    cases(said).into_iter().filter_map(|(id, got)| got.map(|_| id)).collect()
}

/// A worker that does everything right, in as few words as a shell needs.
const GOOD: &str = r#"
trap 'exit 143' TERM
task=$(cat)
refuse() { echo "{\"success\": false, \"error\": {\"type\": \"Refused\", \"message\": \"$1\"}}"; exit 2; }
case $task in '{"'*'}') ;; *) refuse "no task" ;; esac
case $task in *'"id":'*) ;; *) refuse "no id" ;; esac
"#;
const ANSWER: &str = r#"echo '{"success": true, "result": null}'"#;

/// Verifies a shell script without isolation, so that what it does outside is seen.
fn verify_without_isolation(script: &str, options: &[&str]) -> Said {
    let place = Place::with(NOT_ISOLATED);
    place.write("worker.sh", script);
    place.run(&[&["verify", "w", "--json"], options].concat())
}

const NOT_ISOLATED: &str =
    "workers:\n  - {name: w, command: [sh, worker.sh], task_types: [t], isolation: none}\n";

/// Verifies a shell script.
fn verify(script: &str, options: &[&str]) -> Said {
    let place = Place::with("");
    place.run(&[&["verify", "--json"], options, &["--", "sh", "-c", script]].concat())
}

#[test]
fn every_template_of_the_repository_passes_every_case() {
    let place = Place::with("");
    let mut tried = 0;
    for (interpreter, probe, template) in [
        ("python3", &["-c", ""][..], "worker.py"),
        ("python3", &["-c", ""], "worker_legacy.py"),
        ("python2.7", &["-c", ""], "worker_legacy.py"),
        ("node", &["-e", ""], "worker.mjs"),
        ("perl", &["-e", ""], "worker.pl"),
        ("sh", &["-c", ""], "worker.sh"),
    ] {
        if !can_run(interpreter, probe) {
            continue;
        }
        let path = examples().join("templates").join(template);
        let sample =
            ["verify", "--json", "--type", "example.words", "--params", "{\"text\": \"to be or not\"}"];
        let said = place.run(&[&sample[..], &["--", interpreter, path.to_str().unwrap()]].concat());
        assert_eq!((said.code, cases(&said).len()), (Some(0), 17), "{template}: {said:?}");
        assert_eq!(failed(&said), [""; 0], "{template} with {interpreter}: {said:?}");
        tried += 1;
    }
    assert!(tried > 0, "a shell at least is everywhere");
}

#[test]
fn the_workers_of_the_quickstart_pass_every_required_case() {
    let quickstart = examples().join("quickstart");
    let configuration = quickstart.join("workerhost.yaml");
    let place = Place::with("");
    for (name, interpreter, params) in [
        ("checksum", "sh", r#"{"path": "README.md"}"#),
        ("outline", "node", r#"{"path": "README.md"}"#),
        ("legacy", "python3", r#"{"directory": "workers"}"#),
        ("fetch", "python3", r#"{"path": "data/orders.jsonl"}"#),
        ("validate", "python3", r#"{"path": "tasks.jsonl", "fields": {"id": "string"}}"#),
        ("crash", "sh", r#"{"path": "data/orders.jsonl"}"#),
        ("crawl", "python3", r#"{"path": "data/site/imprint.html"}"#),
        ("render", "python3", r#"{"pages": ["data/site/index.html"], "pause_seconds": 0}"#),
    ] {
        if !can_run(interpreter, &["--version"]) && !can_run(interpreter, &["-c", ""]) {
            continue;
        }
        let configuration = configuration.to_str().unwrap();
        // Its own timeout is for its own tasks; here interpreters start side by side with other tests.
        let sample = ["-c", configuration, "verify", name, "--params", params, "--timeout", "30s", "--json"];
        let said = place.run(&[&sample[..], &REQUIRED].concat());
        assert_eq!((said.code, failed(&said)), (Some(0), Vec::new()), "{name}: {said:?}");
    }
}

#[test]
fn a_good_worker_passes_and_each_slip_fails_its_own_case_with_the_mend() {
    let good = verify(&format!("{GOOD}{ANSWER}"), &[]);
    assert_eq!((good.code, failed(&good)), (Some(0), Vec::new()), "{good:?}");
    let rows: [(&str, &str, i32); 9] = [
        ("valid", "echo oh; exit 0", 10),
        (
            "exit-code",
            r#"case $task in *'"id":'*) ;; *) echo '{"success": false, "error": {"type": "E", "message": "m"}}'; exit 1 ;; esac; "#,
            0,
        ),
        ("stray-output", "echo loading; ", 0),
        ("leak", "sleep 100 & ", 0),
        ("outside", "echo $$ > trace; ", 0),
        ("missing-id", "echo '{\"success\": true, \"result\": 1}'; exit 0", 10),
        ("large-params", "[ ${#task} -lt 100000 ] || exit 1; ", 10),
        ("non-ascii", "case $task in *žlu*) exit 1 ;; esac; ", 10),
        ("soft-timeout", "! timeout 0.2 head -n 1 <&3 | grep -q soft || exit 7; ", 0),
    ];
    for (case, slip, code) in rows {
        // What comes first decides; the rest of a good worker follows where the slip lets it.
        let script = match case {
            "missing-id" => format!("task=$(cat); {slip}"),
            "exit-code" => format!(
                "trap 'exit 143' TERM; task=$(cat); {slip}{}{ANSWER}",
                GOOD.replace("task=$(cat)", "")
            ),
            _ => format!("{GOOD}{slip}{ANSWER}"),
        };
        let verify = if case == "outside" { verify_without_isolation } else { verify };
        let said = verify(&script, &["--timeout", "5s", "--case", case]);
        assert_eq!((said.code, failed(&said)), (Some(code), vec![case.to_owned()]), "{case}: {said:?}");
        let told = &said.objects()[0];
        for key in ["sent", "got", "mend"] {
            assert!(told[key].as_str().is_some_and(|words| !words.is_empty()), "{case}: {told}");
        }
    }
}

#[test]
fn a_worker_that_hangs_or_ignores_signals_holds_nobody_up() {
    let hanging =
        verify("trap '' TERM; while :; do sleep 0.1; done", &["--case", "valid", "--timeout", "300ms"]);
    assert_eq!(hanging.code, Some(10));
    assert!(cases(&hanging)[0].1.as_ref().unwrap().contains("still running after"), "{hanging:?}");
    let configuration = "workers:\n  - {name: deaf, command: [sh, -c, \"trap '' TERM; while :; do sleep 0.1; \
                         done\"], task_types: [t], grace: 300ms}\n";
    let deaf = Place::with(configuration).run(&["verify", "deaf", "--case", "sigterm", "--json"]);
    assert_eq!(deaf.code, Some(0), "it is recommended only: {deaf:?}");
    assert!(cases(&deaf)[0].1.as_ref().unwrap().contains("after SIGTERM"), "{deaf:?}");
}

#[test]
fn people_read_a_line_for_each_case_then_what_to_mend_and_the_sum() {
    let place = Place::with("");
    let script = format!("{GOOD}echo loading; {ANSWER}");
    let said = place.ok(&["verify", "--", "sh", "-c", &script]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with("Worker sh -c"), "{said:?}");
    let ok = lines.iter().filter(|line| line.starts_with("ok      ")).count();
    assert_eq!((ok, lines.iter().filter(|line| line.starts_with("weak    ")).count()), (16, 1), "{said:?}");
    assert!(said.out.contains("\nNothing but the Result (recommended): stray-output\n  sent  {"), "{said:?}");
    assert!(said.out.contains("\n  mend  Send prints and logs to standard error."), "{said:?}");
    assert_eq!(*lines.last().unwrap(), "16 passed, 1 recommended did not: the worker can be used.");
    assert!(!said.out.contains('\u{1b}') && said.err.is_empty(), "{said:?}");
    let coloured = place.ok(&["--color", "always", "verify", "--case", "valid", "--", "sh", "-c", &script]);
    assert!(coloured.out.contains("\u{1b}[32mok"), "{coloured:?}");
    let tap = place.ok(&["verify", "--format", "tap", "--", "sh", "-c", &script]);
    assert!(tap.out.starts_with("TAP version 14\n") && tap.out.contains("\n1..17\nok 1 - valid"), "{tap:?}");
    let junit = place.ok(&["verify", "--format", "junit", "--", "sh", "-c", &script]);
    assert!(junit.out.contains("tests=\"17\" failures=\"0\" skipped=\"1\""), "{junit:?}");
}

#[test]
fn what_cannot_be_verified_is_told_with_its_code() {
    let place = Place::with("workers:\n  - {name: w, command: [cat], task_types: [t], protocol: raw}\n");
    let rows: [(&[&str], i32, &str); 6] = [
        (&["verify", "x"], 3, "its workers are w"),
        (
            &["verify", "--", "no-such-program"],
            10,
            "cannot be started: there is no `no-such-program` in the host's PATH",
        ),
        (&["verify", "--params", "{", "--", "cat"], 2, "--params is no JSON: it ends too early"),
        (&["verify", "--params", "@none", "--", "cat"], 3, "none cannot be opened"),
        (&["verify", "--case", "none", "--", "cat"], 2, "possible values: valid"),
        (&["verify", "w", "--", "cat"], 2, "cannot be used with"),
    ];
    for (arguments, code, words) in rows {
        let said = place.run(arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {said:?}");
        assert!(said.err.contains(words), "{words}: {said:?}");
    }
    assert_eq!(Place::with("").run(&["verify"]).code, Some(9), "no configuration");
    assert_eq!(Place::with("workers: []\n").run(&["verify"]).code, Some(3), "no workers");
    assert!(!place.path().join(".workerhost").exists(), "no store is made");
}

#[test]
fn a_raw_worker_has_fewer_cases_and_strict_makes_one_of_them_required() {
    let place = Place::with("workers:\n  - {name: w, command: [cat], task_types: [t], protocol: raw}\n");
    let said = place.ok(&["verify", "--params", "no JSON", "--json"]);
    assert_eq!((cases(&said).len(), failed(&said)), (5, Vec::new()), "{said:?}");
    assert_eq!(place.run(&["verify", "w", "--protocol", "json", "--case", "valid"]).code, Some(10));
    let chatty = format!("{GOOD}echo loading; {ANSWER}");
    let said = verify(&chatty, &["--protocol", "strict"]);
    assert_eq!((said.code, failed(&said)), (Some(10), vec!["stray-output".to_owned()]), "{said:?}");
}

#[test]
fn an_interrupted_verification_leaves_no_process_and_no_file_behind() {
    use rustix::process::{Pid, Signal, kill_process, test_kill_process};
    let place = Place::with(NOT_ISOLATED);
    place.write("worker.sh", "echo $$ > pid; exec sleep 600");
    let child = place.command(&["verify", "w"]).env("TMPDIR", place.path()).spawn().unwrap();
    place.until_there("pid");
    let worker = place.worker_pid("pid");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let said = Said::of(child);
    assert_eq!(said.code, Some(130), "{said:?}");
    until_so("the worker has ended", || test_kill_process(worker).is_err());
    let mut left: Vec<_> =
        std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["pid", "worker.sh", "workerhost.yaml"]);
}

/// The lines of a page between a line that begins so and one that ends the block, without their indentation.
fn block(page: &str, begin: &str, end: &str) -> String {
    let page = std::fs::read_to_string(examples().join("..").join(page)).unwrap();
    let lines = page.lines().skip_while(|line| !line.contains(begin));
    let lines = lines.skip(1).skip_while(|line| line.is_empty()).take_while(|line| *line != end);
    let lines: Vec<&str> =
        lines.map(|line| line.strip_prefix("    ").filter(|_| end.is_empty()).unwrap_or(line)).collect();
    lines.join("\n")
}

#[test]
fn the_short_worker_of_the_readme_does_and_lacks_what_is_said_there() {
    let workers = "workers:\n  - {name: upper, command: [python3, upper.py], task_types: [text.upper]}\n";
    let place = Place::with(workers);
    place.write("upper.py", block("README.md", "`upper.py`:", ""));
    let sample = ["verify", "upper", "--params", "{\"text\": \"hello\"}"];
    let said = place.run(&[&sample[..], &REQUIRED, &["--json"]].concat());
    assert_eq!(
        (said.code, failed(&said)),
        (Some(10), vec!["missing-id".to_owned(), "empty-params".to_owned()])
    );
    assert!(!said.err.contains("no --params"), "{said:?}");
    let page = place.run(&[&sample[..], &REQUIRED].concat());
    assert!(page.out.ends_with("4 passed, 2 required (missing-id, empty-params) did not.\n"), "{page:?}");
    place.write("upper.py", block("docs/protocol.md", "```python", "```"));
    assert_eq!(place.run(&[&sample[..], &REQUIRED, &["--json"]].concat()).code, Some(0));
}

#[test]
fn a_worker_that_cannot_do_an_empty_task_draws_the_advice_to_give_it_one() {
    let needs = r#"task=$(cat); case $task in *'"text"'*) echo '{"success": true}' ;; *) exit 1 ;; esac"#;
    let said = verify(needs, &["--case=valid"]);
    assert!(said.code == Some(10) && said.err.contains("no --params"), "{said:?}");
    for options in [&["--case=valid", "--params", "[]"][..], &["--case=invalid-json"]] {
        let said = verify(needs, options);
        assert!(!said.err.contains("no --params"), "{said:?}");
    }
}
