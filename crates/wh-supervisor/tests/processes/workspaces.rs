//! The stream's tree of files: what a worker finds there, what is kept, and what it cannot do with it.

use crate::rig::{Rig, sh, worker};
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wh_domain::attempt::OutcomeName;
use wh_domain::task::InputFile;
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::{Worker, Workspace};
use wh_ports::blobs::Stored;
use wh_ports::runner::Runner;

fn full(script: &str) -> Worker {
    Worker { workspace: Workspace::Full, ..sh(script) }
}

fn stream(rig: &Rig) -> PathBuf {
    rig.dir.path().join("work/0/w/stream-1")
}

fn names(directory: &Path) -> Vec<String> {
    let entries = directory.read_dir().unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn read(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
fn assert_clean(rig: &Rig) {
    let stream = stream(rig);
    assert_eq!(names(&stream), ["input", "logs", "output", "working"]);
    assert_eq!(names(&stream.join("input")), ["config.yaml"]);
    assert_eq!(names(&stream.join("working")), ["cache"]);
    assert_eq!(names(&stream.join("output")), ["progress.md"]);
    assert!(read(stream.join("output/progress.md")).contains("\nStatus: Initializing\n"));
    assert_eq!(names(&stream.join("logs")), [""; 0]);
}

#[tokio::test]
async fn a_worker_finds_its_tree_and_leaves_nothing_where_it_wrote_nothing() {
    let rig = Rig::new();
    let script = r#"set -e
        test -d "$WORKERHOST_WORKSPACE"; test -d "$WORKERHOST_WORKING_DIR/cache"; test -d "$WORKERHOST_LOGS_DIR"
        grep -q '^worker_id: 1$' "$WORKERHOST_INPUT_DIR/config.yaml"
        grep -q '^workspace: ./stream-1/$' "$WORKERHOST_INPUT_DIR/config.yaml"
        grep -q '^Status: Initializing$' "$WORKERHOST_OUTPUT_DIR/progress.md"
        test "$TMPDIR" = "$WORKERHOST_WORKING_DIR"
        grep -q "\"workspace\":\"$WORKERHOST_WORKSPACE\""
        echo '{"success":true}'"#;
    for _ in 0..2 {
        let done = rig.run(&full(script), "{}").await;
        assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
        assert_eq!(done.finished.workspace, None);
        assert_clean(&rig);
        assert_eq!(names(&rig.dir.path().join("finished")), [""; 0]);
    }
}

#[tokio::test]
async fn what_a_worker_wrote_is_kept_with_records_beside_it() {
    let rig = Rig::new();
    let script = r#"cd "$WORKERHOST_WORKSPACE"
        echo temp > working/temp_1.md; echo warm > working/cache/model; mkdir output/sub; printf abc > output/sub/part
        echo '{"event":"progress","current":3,"total":10}' >&3
        echo to the log >&2; echo '{"success":true,"result":{"n":1}}'"#;
    let done = rig.run(&full(script), "{}").await;
    assert_eq!(done.finished.workspace.as_deref(), Some("finished/7-1"), "{}", done.summary());
    let kept = rig.dir.path().join("finished/7-1");
    assert_eq!(names(&kept), ["logs", "output", "working"]);
    assert_eq!(read(kept.join("logs/worker.log")), "to the log\n");
    assert_eq!(names(&kept.join("output")), ["metadata.json", "progress.md", "results.md", "sub"]);
    assert_eq!(names(&kept.join("working")), ["temp_1.md"]);
    let progress = read(kept.join("output/progress.md"));
    assert!(progress.contains("] Worker 1 Heartbeat\nStatus: Complete\nProgress: 3/10\n"), "{progress}");
    assert!(read(kept.join("output/results.md")).contains("{\"n\":1}"));
    let metadata: Value = serde_json::from_str(&read(kept.join("output/metadata.json"))).unwrap();
    assert_eq!(metadata["outcome"], "succeeded");
    assert_eq!(metadata["attempt_id"], format!("{}:1", rig.task()));
    let part = metadata["files"].as_array().unwrap().iter().find(|file| file["name"] == "sub/part").unwrap();
    assert_eq!(part["size"], 3);
    assert_eq!(part["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_clean(&rig);
    assert_eq!(
        read(stream(&rig).join("working/cache/model")),
        "warm\n",
        "the next attempt may use the cache"
    );
}

#[tokio::test]
async fn a_workers_own_records_and_progress_stand() {
    let rig = Rig::new();
    let script = r#"cd "$WORKERHOST_OUTPUT_DIR"
        echo mine > results.md; echo mine > progress.md; echo mine > metadata.json; echo '{"success":true}'"#;
    let done = rig.run(&full(script), "{}").await;
    let output = rig.dir.path().join(&*done.finished.workspace.unwrap()).join("output");
    assert_eq!(names(&output), ["attempt.json", "metadata.json", "progress.md", "results.md"]);
    for name in ["results.md", "progress.md", "metadata.json"] {
        assert_eq!(read(output.join(name)), "mine\n");
    }
}

#[tokio::test]
async fn a_shortage_of_resources_clears_the_cache() {
    let rig = Rig::new();
    let script = |class: &str| {
        format!(
            r#"echo x > "$WORKERHOST_WORKING_DIR/cache/big"
            echo '{{"success":false,"error":{{"class":"{class}"}}}}'; exit 1"#
        )
    };
    rig.run(&full(&script("transient")), "{}").await;
    assert_eq!(names(&stream(&rig).join("working/cache")), ["big"]);
    rig.run(&full(&script("resource")), "{}").await;
    assert_clean(&rig);
    assert_eq!(names(&stream(&rig).join("working/cache")), [""; 0]);
}

#[tokio::test]
async fn inputs_are_staged_as_copies_and_large_params_as_a_file() {
    let rig = Rig::new();
    let blob = rig.file("blob", "content");
    let params = format!("\"{}\"", "x".repeat(2 << 20));
    let script = r#"set -e
        cmp "$WORKERHOST_INPUT_DIR/a b.txt" BLOB; echo changed >> "$WORKERHOST_INPUT_DIR/a b.txt"
        set -- $(sha256sum "$WORKERHOST_INPUT_DIR/params.json")
        grep -q "\"params\":{\"\$file\":\"input/params.json\",\"size\":2097154,\"sha256\":\"$1\"}"
        echo '{"success":true}'"#;
    let script = script.replace("BLOB", blob.to_str().unwrap());
    let mut assignment = rig.assignment(&full(&script), &params);
    let input = InputFile { name: "a b.txt".into(), sha256: "".into(), size: 7 };
    assignment.claim.inputs = vec![(input, blob.clone())];
    let done = rig.carry(assignment).await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    assert_eq!(read(blob), "content");
    assert_clean(&rig);
}

#[tokio::test]
async fn params_from_a_blob_are_named_with_their_digest() {
    let rig = Rig::new();
    let path = rig.file("blob", "[1]");
    let mut assignment = rig.assignment(&full("cat \"$WORKERHOST_INPUT_DIR/params.json\" >&2; cat"), "");
    assignment.claim.params = Stored::Blob { path, sha256: "abc".into(), size: 3, json: true };
    let done = rig.carry(assignment).await;
    let log = &done.finished.log_tail;
    assert!(log.contains("[1]"), "{log}");
    assert!(log.contains(r#""params":{"$file":"input/params.json","size":3,"sha256":"abc"}"#), "{log}");
}

#[tokio::test]
async fn an_input_that_would_lead_elsewhere_is_refused() {
    let rig = Rig::new();
    let blob = rig.file("blob", "content");
    for name in ["../../evil", "/tmp/evil", "a/b", "..", "config.yaml"] {
        let mut assignment = rig.assignment(&full("exit 0"), "{}");
        let input = InputFile { name: name.into(), sha256: "".into(), size: 7 };
        assignment.claim.inputs = vec![(input, blob.clone())];
        let done = rig.carry(assignment).await;
        assert!(done.summary().contains("cannot be the name of an input"), "{}", done.summary());
    }
    rig.run(&full("exit 1"), "{}").await;
    assert_clean(&rig);
}

#[tokio::test]
async fn whatever_is_planted_is_neither_followed_nor_waited_for_and_is_gone_afterwards() {
    let rig = Rig::new();
    let victim = rig.file("victim", "safe");
    let plants = [
        r#"rm -r output; ln -s "$VICTIMS" output"#,
        r"rm -r output input working logs",
        r#"rm -r logs; ln -s "$VICTIMS" logs"#,
        r"rm -r logs; echo file > logs",
        r#"ln -s "$VICTIM" logs/worker.log"#,
        r#"ln "$VICTIM" logs/worker.log"#,
        r"mkfifo logs/worker.log output/fifo",
        r#"rm output/progress.md; ln -s "$VICTIM" output/progress.md"#,
        r"rm output/progress.md; mkfifo output/progress.md output/metadata.json output/results.md",
        r#"ln -s "$VICTIM" output/metadata.json; ln -s "$VICTIM" output/results.md"#,
        r#"ln "$VICTIM" output/metadata.json"#,
        r"mkdir output/metadata.json",
        r#"rm -r working/cache; ln -s "$VICTIMS" working/cache; touch working/x"#,
        r"echo evil: yes >> input/config.yaml",
        r#"rm input/config.yaml; ln -s "$VICTIM" input/config.yaml"#,
        r"mkdir -p working/a/b; chmod 0 working/a/b working/a working output",
        r"mkdir extra; touch extra/file another; mv logs elsewhere",
        r#"ln -s /proc/self/root output/root; ln -s "$VICTIMS" output/victims"#,
        r#"touch output/"$(printf 'new\nline\001')" output/"$(printf '\377')""#,
        // Only root can; for others the plant is a plain file.
        r"mknod output/metadata.json c 1 3 2>/dev/null || touch output/metadata.json",
        r#"python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('output/socket')""#,
    ];
    for plant in plants {
        let script = format!(
            "VICTIM={}; VICTIMS={}; cd \"$WORKERHOST_WORKSPACE\"; {plant}; echo line >&2; echo '{{\"success\":true}}'",
            victim.display(),
            rig.dir.path().display()
        );
        let done = rig.run(&full(&script), "{}").await;
        assert_eq!(
            done.finished.verdict.outcome.name(),
            OutcomeName::Succeeded,
            "{plant}: {}",
            done.summary()
        );
        assert!(done.finished.log_tail.contains("line"), "{plant}");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "safe", "{plant}");
        let here = names(rig.dir.path());
        assert!(
            here.iter().all(|name| ["victim", "work", "finished", "processes"].contains(&name.as_str())),
            "{plant}: {here:?}"
        );
        assert_clean(&rig);
    }
    let config = read(stream(&rig).join("input/config.yaml"));
    assert!(!config.contains("evil"), "{config}");
}

#[tokio::test]
async fn directories_that_are_swapped_for_links_while_the_host_writes_lead_it_nowhere() {
    let rig = Rig::new();
    let victims = rig.dir.path().join("victims");
    std::fs::create_dir(&victims).unwrap();
    let targets = ["worker.log", "progress.md", "metadata.json", "results.md", "config.yaml"];
    for name in targets {
        std::fs::write(victims.join(name), "safe").unwrap();
    }
    // Longer than the first heartbeat takes to come.
    let script = r#"import os, sys, time
os.chdir(os.environ["WORKERHOST_WORKSPACE"])
until = time.monotonic() + 1.3
while time.monotonic() < until:
    for name in ("logs", "output", "input"):
        os.rename(name, "aside")
        os.symlink("VICTIMS", name)
        sys.stderr.write("a line\n")
        sys.stderr.flush()
        os.unlink(name)
        os.rename("aside", name)
os.rename("output", "aside")
os.symlink("VICTIMS", "output")
print('{"success":true}')"#;
    let script = script.replace("VICTIMS", victims.to_str().unwrap());
    let swapping = Worker { workspace: Workspace::Full, ..worker(["python3", "-c", &script]) };
    let done = rig.run(&swapping, "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    assert!(done.finished.log_tail.contains("a line"), "{}", done.summary());
    let mut expected = targets;
    expected.sort_unstable();
    assert_eq!(names(&victims), expected);
    for name in targets {
        assert_eq!(read(victims.join(name)), "safe", "{name}");
    }
    assert_clean(&rig);
}

#[tokio::test]
async fn many_files_are_kept_and_swept() {
    let rig = Rig::new();
    let script = r#"import os
for number in range(20_000):
    open(os.environ["WORKERHOST_WORKING_DIR"] + "/%d" % number, "w").close()
print('{"success":true}')"#;
    let many = Worker { workspace: Workspace::Full, ..worker(["/usr/bin/env", "python3", "-c", script]) };
    let done = rig.run(&many, "{}").await;
    let kept = rig.dir.path().join(&*done.finished.workspace.unwrap());
    assert_eq!(kept.join("working").read_dir().unwrap().count(), 20_000);
    assert_clean(&rig);
    assert_eq!(rig.runner.sweep(Duration::from_secs(3_600), u64::MAX).await, 0);
    assert_eq!(rig.runner.sweep(Duration::from_secs(3_600), 0).await, 1);
    assert!(!kept.exists());
}

#[tokio::test]
async fn the_log_can_be_followed_while_it_grows() {
    let rig = Rig::new();
    let path = stream(&rig).join("logs/worker.log");
    let script = format!(
        "echo first >&2; until grep -qs first {}; do sleep 0.01; done; echo '{{\"success\":true}}'",
        path.display()
    );
    let done = rig.run(&full(&script), "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::Succeeded, "{}", done.summary());
    assert_eq!(read(rig.dir.path().join("finished/7-1/logs/worker.log")), "first\n");
}

#[tokio::test]
async fn progress_is_written_while_the_worker_works_and_says_how_it_ended() {
    let rig = Rig::new();
    let path = stream(&rig).join("output/progress.md");
    let script = format!(
        r"until grep -q 'Status: Active' {path}; do sleep 0.01; done
        until grep -q 'Status: Completing' {path}; do sleep 0.01; done; echo x > {dir}/file; sleep 100",
        path = path.display(),
        dir = path.parent().unwrap().display(),
    );
    let mut slow = full(&script);
    slow.timeout = TimeoutPolicy {
        soft: Duration::from_millis(1_400),
        ..TimeoutPolicy::new(Duration::from_secs(2), None, Duration::from_millis(100)).unwrap()
    };
    let done = rig.run(&slow, "{}").await;
    assert_eq!(done.finished.verdict.outcome.name(), OutcomeName::TimedOut, "{}", done.summary());
    let progress = read(rig.dir.path().join("finished/7-1/output/progress.md"));
    assert!(progress.contains("Status: Timeout\n") && progress.contains("Health: Red\n"), "{progress}");
}

#[tokio::test]
async fn what_a_dead_host_left_in_a_tree_is_gone_but_for_the_cache() {
    let rig = Rig::new();
    let stream = stream(&rig);
    std::fs::create_dir_all(stream.join("working/cache")).unwrap();
    std::fs::create_dir_all(stream.join("output/deep")).unwrap();
    for file in ["working/cache/warm", "working/old", "output/deep/old", "strange"] {
        std::fs::write(stream.join(file), "x").unwrap();
    }
    let done = rig.run(&full("exit 1"), "{}").await;
    assert_eq!(done.finished.workspace, None, "it is not this attempt's");
    assert_clean(&rig);
    assert_eq!(names(&stream.join("working/cache")), ["warm"]);
}

#[tokio::test]
async fn without_a_workspace_nothing_is_written_to_disk_but_which_processes_there_are() {
    let rig = Rig::new();
    let done = rig.run(&sh("echo said >&2; pwd >&2"), "{}").await;
    assert_eq!(&*done.finished.log_tail, "said\n/\n");
    assert_eq!(done.finished.workspace, None);
    assert_eq!(names(rig.dir.path()), ["processes"]);
}

/// Modes mean nothing to root, so root has an ordinary user run the same tests.
#[test]
fn the_same_holds_for_an_ordinary_user() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let nobody = 65_534;
    let tests = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["workspaces::", "--skip", "the_same_holds_for_an_ordinary_user"])
        .env("PATH", "/usr/bin:/bin")
        .env_remove("TMPDIR")
        .uid(nobody)
        .gid(nobody)
        .output();
    match tests {
        Ok(tests) => assert!(tests.status.success(), "{}", String::from_utf8_lossy(&tests.stdout)),
        // The build may lie where nobody else can read.
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
}
