//! What a worker was to leave, and whether it did.

use crate::rig::{Done, LONG, Rig, listener, sh, worker};
use std::path::Path;
use tokio::sync::mpsc;
use wh_domain::failure::FailureClass;
use wh_domain::outcome::Outcome;
use wh_domain::outputs::{Check, Format, Output, OutputPath, Review};
use wh_domain::worker::{Protocol, Worker, Workspace};
use wh_ports::runner::{Order, Runner};
use wh_supervisor::REVIEWER_ARGUMENT;

const SAYS_SO: &str = r#"printf '{"success": true, "result": "made"}'"#;

fn output(path: &str, format: Format) -> Output {
    Output { path: OutputPath::parse(path).unwrap(), format, min_size: 1, min_count: 1 }
}

/// A worker that does this in its output directory, says that it was done, and was to leave that.
fn leaving(script: &str, outputs: &[Output]) -> Worker {
    let script = format!("cat > /dev/null; cd \"$WORKERHOST_OUTPUT_DIR\" || exit 1; {script}\n{SAYS_SO}");
    Worker { workspace: Workspace::Full, outputs: outputs.to_vec(), ..sh(&script) }
}

fn review(done: &Done) -> &Review {
    done.finished.review.as_ref().unwrap_or_else(|| panic!("nothing was looked at: {}", done.summary()))
}

/// A declared output, what is done instead, and the check that finds it with the end of its sentence.
type Broken = (Output, &'static str, Check, &'static str);

fn broken(schema: &Path) -> Vec<Broken> {
    let any = |path| output(path, Format::Any);
    let large = Output { min_size: 100, ..any("a.txt") };
    let many = Output { min_count: 3, ..any("pages/*.html") };
    let schema = || Format::JsonSchema(schema.to_owned());
    vec![
        (any("a.txt"), "touch b.txt", Check::Exists, "a.txt is not there"),
        (any("deep/a.txt"), "touch deep", Check::Exists, "deep/a.txt cannot be opened"),
        (any("a.txt"), "mkdir a.txt", Check::Exists, "a.txt is no file of the worker's own"),
        (any("a.txt"), "ln -s /etc/passwd a.txt", Check::Exists, "a.txt is no file of the worker's own"),
        (any("d/passwd"), "ln -s /etc d", Check::Exists, "d/passwd cannot be opened"),
        (any("a.txt"), "mkfifo a.txt", Check::Exists, "a.txt is no file of the worker's own"),
        (any("a.txt"), ": > a.txt", Check::Size, "a.txt holds 0 bytes, and 1 are wanted"),
        (large, "echo few > a.txt", Check::Size, "a.txt holds 4 bytes, and 100 are wanted"),
        (
            many,
            "mkdir pages; for i in 1 2; do echo a > pages/$i.html; done",
            Check::Count,
            "too few files: 2 of 3",
        ),
        (output("a.json", Format::Json), "echo '{\"a\": 1' > a.json", Check::Complete, "a.json breaks off"),
        (output("a.json", Format::Json), "echo '{} {}' > a.json", Check::Format, "a.json is no json"),
        (
            output("a.json", schema()),
            "echo '{\"id\": \"x\"}' > a.json",
            Check::Schema,
            "/id: \"x\" is not of type",
        ),
        (output("a.md", Format::Markdown), "printf '\\n \\n' > a.md", Check::Format, "nothing to read in it"),
        (
            output("a.md", Format::Markdown),
            "printf 'a\\n```\\nb' > a.md",
            Check::Complete,
            "begins in line 2 has no end",
        ),
        (
            output("a.csv", Format::Csv),
            "printf 'a,b\\n1\\n' > a.csv",
            Check::Format,
            "the row in line 2 has 1 field",
        ),
        (output("a.csv", Format::Csv), "printf 'a\\n\"b\\n' > a.csv", Check::Complete, "has no second one"),
        (output("a.yaml", Format::Yaml), "echo 'a: [1' > a.yaml", Check::Format, "a.yaml is no yaml"),
        (output("a.txt", Format::Utf8), "printf '\\377' > a.txt", Check::Format, "byte 0 is none"),
        (output("a.txt", Format::Utf8), "truncate -s 9 a.txt", Check::Format, "byte 0 is NUL"),
        (
            output("*.txt", Format::Utf8),
            "echo a > a.txt; printf '\\377' > b.txt",
            Check::Format,
            "b.txt is no UTF-8 text",
        ),
        (
            any("a.txt"),
            "echo one > a.txt; sha256sum a.txt > a.txt.sha256; echo two > a.txt",
            Check::Checksum,
            "a.txt does not hold what the worker said that it had written",
        ),
        (
            any("a.txt"),
            "echo a > a.txt; sha256sum a.txt | sed s/a.txt/b.txt/ > a.txt.sha256",
            Check::Checksum,
            "a.txt has a digest beside it that is one of another file",
        ),
        (
            any("a.txt"),
            "echo a > a.txt; printf '{\"event\": \"progress\", \"current\": 3, \"total\": 10}\\n{\"event\": \"progress\", \"message\": \"done\"}\\n' >&3",
            Check::Progress,
            "had done 3 of 10",
        ),
    ]
}

#[tokio::test]
async fn a_success_whose_output_is_broken_is_a_failure_that_names_the_check() {
    let rig = Rig::new();
    let schema = rig.file("schema.json", r#"{"properties": {"id": {"type": "integer"}}}"#);
    for (wanted, instead, check, words) in broken(&schema) {
        let done = rig.run(&leaving(instead, &[wanted]), "null").await;
        let failures = &review(&done).failures;
        let [failure] = &failures[..] else { panic!("{instead}: {failures:?}; {}", done.summary()) };
        assert_eq!(failure.check, check, "{instead}: {}", done.summary());
        let verdict = &done.finished.verdict;
        assert!(verdict.sentence.contains(words), "{instead}: {}", done.summary());
        assert!(verdict.sentence.contains(&format!("(`{}`)", check.as_str())), "{}", done.summary());
        assert_eq!(verdict.outcome, Outcome::Failed { class: FailureClass::Logic, retriable: true });
        let produced = done.finished.produced.as_ref().unwrap();
        assert!(produced.partial, "what came out is no result: {}", done.summary());
    }
}

#[tokio::test]
async fn a_success_whose_outputs_are_as_declared_counts_and_has_its_quality() {
    let rig = Rig::new();
    let schema = rig.file("schema.json", r#"{"properties": {"id": {"type": "integer"}}}"#);
    let outputs = [
        output("report.md", Format::Markdown),
        output("order.json", Format::JsonSchema(schema)),
        Output { min_count: 2, ..output("pages/*.csv", Format::Csv) },
        output("a.yaml", Format::Yaml),
        output("any.bin", Format::Any),
    ];
    let script = r#"printf '# A\n' > report.md; printf '{"id": 1}' > order.json; mkdir pages
        for i in 1 2; do printf 'a,b\n1,2\n' > pages/$i.csv; sha256sum pages/$i.csv > pages/$i.csv.sha256; done
        echo 'a: 1' > a.yaml; printf '\000\377' > any.bin
        printf '{"event": "progress", "current": 10, "total": 10}\n' >&3"#;
    let done = rig.run(&leaving(script, &outputs), "null").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
    let review = review(&done);
    // Each file is there, large enough, and, but for the last one, what it is to be; two have digests.
    assert_eq!((review.passed, review.failed, review.quality()), (19, 0, Some(100)), "{review:?}");
    let kept = rig.dir.path().join(done.finished.workspace.as_deref().unwrap());
    let metadata = std::fs::read_to_string(kept.join("output/metadata.json")).unwrap();
    assert!(metadata.contains("\"quality\": 100"), "{metadata}");
    let results = std::fs::read_to_string(kept.join("output/results.md")).unwrap();
    assert!(results.contains("- Quality Score: 100\n"), "{results}");
}

#[tokio::test]
async fn what_a_worker_says_of_its_files_is_held_against_them_and_its_quality_against_the_checks() {
    let rig = Rig::new();
    let says = |sha256: &str, quality: &str| {
        let result = format!(
            r#"{{"success": true, "result": 1, "quality": {quality}, "outputs": [{{"path": "a.txt", "sha256": "{sha256}"}}]}}"#
        );
        let script = format!("cat > /dev/null; printf a > \"$WORKERHOST_OUTPUT_DIR/a.txt\"; echo '{result}'");
        Worker { workspace: Workspace::Full, ..sh(&script) }
    };
    let right = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    let done = rig.run(&says(right, "71.6"), "null").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
    assert_eq!((review(&done).passed, review(&done).quality()), (1, Some(72)));
    let done = rig.run(&says(&right.replace('c', "d"), "90"), "null").await;
    assert_eq!(review(&done).failures[0].check, Check::Checksum);
    assert_eq!(review(&done).quality(), Some(0), "its checks say otherwise");
    let done = rig.run(&says("short", "-1"), "null").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
    assert_eq!(done.finished.review, None);
    let told = done.finished.warnings.join("\n");
    assert!(told.contains("`outputs[0]` must be") && told.contains("`quality` must be"), "{told}");
}

#[tokio::test]
async fn a_claim_that_leads_out_of_the_output_is_no_claim() {
    let rig = Rig::new();
    for path in ["../../etc/passwd", "/etc/passwd", "a/../b", ""] {
        let result = format!(
            r#"{{"success": true, "result": 1, "outputs": [{{"path": "{path}", "sha256": "{}"}}]}}"#,
            "0".repeat(64)
        );
        let script = format!("cat > /dev/null; echo '{result}'");
        let done = rig.run(&Worker { workspace: Workspace::Full, ..sh(&script) }, "null").await;
        assert!(
            done.finished.verdict.sentence.contains("is no path below the output directory"),
            "{}",
            done.summary()
        );
    }
}

#[tokio::test]
async fn a_pattern_means_the_workers_files_and_neither_digests_nor_the_hosts_own() {
    let rig = Rig::new();
    // The host's own page of progress lies beside it.
    let script = "echo '# A' > a.md; sha256sum a.md > a.md.sha256; mkdir d; : > d/empty.md; sleep 0.1";
    let done = rig.run(&leaving(script, &[output("*.md", Format::Markdown)]), "null").await;
    assert_eq!((review(&done).passed, review(&done).failed), (4, 0), "{:?}", review(&done));
}

#[tokio::test]
async fn a_worker_without_an_envelope_is_held_to_its_outputs_too() {
    let rig = Rig::new();
    let raw = Worker {
        protocol: Protocol::Raw,
        workspace: Workspace::Full,
        outputs: vec![output("a.txt", Format::Any)],
        ..worker(["/bin/cat"])
    };
    let done = rig.run(&raw, "null").await;
    assert_eq!(review(&done).failures[0].check, Check::Exists, "{}", done.summary());
}

#[tokio::test]
async fn what_failed_by_itself_is_not_looked_at() {
    let rig = Rig::new();
    let mut failing = leaving("", &[output("a.txt", Format::Any)]);
    failing.program.argv = ["/bin/sh", "-c", "cat > /dev/null; exit 1"].map(str::to_owned).to_vec();
    let done = rig.run(&failing, "null").await;
    assert_eq!(done.finished.review, None, "{}", done.summary());
}

#[tokio::test]
async fn a_secret_in_a_broken_output_is_not_told_with_it() {
    let rig = Rig::new();
    let schema = rig.file("schema.json", r#"{"type": "integer"}"#);
    let mut leaky =
        leaving("printf '\"%s\"' \"$KEY\" > a.json", &[output("a.json", Format::JsonSchema(schema))]);
    leaky.program.env = vec![("KEY".to_owned(), "hunter-hunter".to_owned())];
    leaky.program.secrets = vec!["hunter-hunter".into()];
    let done = rig.run(&leaky, "null").await;
    let told = format!("{:?} {:?}", done.finished.verdict, review(&done));
    assert!(told.contains("is not of type") && !told.contains("hunter"), "{told}");
}

#[tokio::test]
async fn files_that_are_made_to_hurt_whoever_reads_them_hurt_nobody() {
    let rig = Rig::new();
    // Trees whose every node is tried in two ways: each level doubles what is to be done.
    let either = r##"{"anyOf": [{"items": {"$ref": "#"}, "type": "array"}, {"items": {"$ref": "#"}, "type": "array"}]}"##;
    let schema = rig.file("schema.json", either);
    let nested = "printf '%0.s[' $(seq 60) > a.json; printf 2 >> a.json; printf '%0.s]' $(seq 60) >> a.json";
    let rows: [(Output, &str); 3] = [
        (output("a.csv", Format::Csv), "truncate -s 6G a.csv"),
        (output("a.csv", Format::Csv), "yes , | head -c 1500000000 | tr -d '\n' > a.csv"),
        (output("a.json", Format::JsonSchema(schema)), nested),
    ];
    for (wanted, script) in rows {
        let done = rig.run(&leaving(script, &[wanted]), "null").await;
        assert!(review(&done).failed > 0, "{script}: {}", done.summary());
        assert_eq!(
            done.finished.verdict.outcome,
            Outcome::Failed { class: FailureClass::Logic, retriable: true }
        );
    }
}

#[tokio::test]
async fn what_was_not_all_looked_at_is_not_taken_for_good() {
    let rig = Rig::new();
    let rows = [
        ("mkdir d; seq -f 'd/%.0f.txt' 10001 | xargs touch", "d/*.txt", "more than 10000 files"),
        (r#"touch "$(printf 'a\377.txt')""#, "*.txt", "whose name is no UTF-8"),
        ("echo a > b; ln b a.txt", "a.txt", "is no file of the worker's own"),
        (
            "echo a > a.txt; echo x > b; ln b a.txt.sha256",
            "a.txt",
            "a.txt.sha256 is no file of the worker's own",
        ),
    ];
    for (script, path, words) in rows {
        let done = rig.run(&leaving(script, &[output(path, Format::Any)]), "null").await;
        assert!(done.finished.verdict.sentence.contains(words), "{script}: {}", done.summary());
    }
    // Many directories take no descriptors, and many entries hide nothing.
    let script = "for i in $(seq 1500); do mkdir $i; echo '{}' > $i/a.json; done; seq -f '%.0f.tmp' 20000 | xargs touch";
    let wanted = Output { min_count: 1_500, ..output("*/*.json", Format::Json) };
    let done = rig.run(&leaving(script, &[wanted]), "null").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
}

#[tokio::test]
async fn a_schema_that_cannot_be_used_any_more_is_the_workers_fault_and_no_tasks() {
    let rig = Rig::new();
    let schema = rig.file("schema.json", "{");
    let done =
        rig.run(&leaving("echo 1 > a.json", &[output("a.json", Format::JsonSchema(schema))]), "null").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::WorkerBroken, "{}", done.summary());
    assert!(done.finished.verdict.sentence.contains("schema.json is no JSON Schema"), "{}", done.summary());
}

#[tokio::test]
async fn names_and_values_are_told_on_one_line_and_without_secrets() {
    let rig = Rig::new();
    let schema = rig.file("schema.json", r#"{"type": "integer"}"#);
    let script =
        r#"printf '"%0280d%s"' 0 "$KEY" > "x-$KEY.json"; printf 1 > "$(printf 'y\033[2J\nforged.json')""#;
    let mut leaky = leaving(
        script,
        &[
            output("x-*.json", Format::JsonSchema(schema)),
            output("y*", Format::Yaml),
            Output { min_size: 99, ..output("y*", Format::Any) },
        ],
    );
    leaky.program.env = vec![("KEY".to_owned(), "hunter-hunter-0123456789".to_owned())];
    leaky.program.secrets = vec!["hunter-hunter-0123456789".into()];
    let done = rig.run(&leaky, "null").await;
    let told = format!("{}{:?}", done.finished.verdict.sentence, review(&done));
    assert!(told.contains("is not of type") || told.contains("…"), "{told}");
    assert!(!told.contains("hunter") && !told.contains('\u{1b}') && !told.contains('\n'), "{told}");
}

#[tokio::test]
async fn progress_of_which_the_last_word_was_dropped_is_held_against_nobody() {
    let rig = Rig::new();
    let script = r#"for i in $(seq 5000); do printf '{"event": "progress", "current": %d, "total": 5000}\n' $i; done >&3; echo a > a.txt"#;
    let done = rig.run(&leaving(script, &[output("a.txt", Format::Any)]), "null").await;
    assert_eq!(done.finished.verdict.outcome, Outcome::Succeeded, "{}", done.summary());
}

#[tokio::test]
async fn a_cancelled_task_does_not_wait_until_all_has_been_looked_at() {
    let rig = Rig::new();
    let result = format!(
        r#"{{"success": true, "result": 1, "outputs": [{{"path": "big", "sha256": "{}"}}]}}"#,
        "0".repeat(64)
    );
    let script = format!("cat > /dev/null; truncate -s 8T \"$WORKERHOST_OUTPUT_DIR/big\"; echo '{result}'");
    let large = Worker { workspace: Workspace::Full, ..sh(&script) };
    let (give, orders) = mpsc::channel(4);
    let running = rig.runner.run(rig.assignment(&large, "null"), orders, listener().0);
    let cancelling = async {
        // Its processes are gone by then.
        let reviewing = async {
            while !is_reviewing() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, reviewing).await.unwrap();
        give.send(Order::Cancel).await.unwrap();
    };
    let (finished, ()) = tokio::join!(running, cancelling);
    assert_eq!(finished.verdict.outcome, Outcome::Cancelled, "{}", finished.verdict.sentence);
    assert!(!is_reviewing());
}

/// Whether a reviewer is at work for this process.
fn is_reviewing() -> bool {
    let own = format!("PPid:\t{}\n", std::process::id());
    let is_one = |entry: std::fs::DirEntry| {
        let read = |name| std::fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        read("cmdline").contains(REVIEWER_ARGUMENT) && read("status").contains(&own)
    };
    std::fs::read_dir("/proc").unwrap().flatten().any(is_one)
}
