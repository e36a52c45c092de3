//! The process is killed at every named step, and at random; what it had acknowledged is there afterwards.
//!
//! The killed process is this test binary again, running one of the `#[ignore]`d tests below.

use crate::kit::{Home, claim, enqueue_one, host, id, join, of_type, run, success, task};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use wh_domain::id::WorkerName;
use wh_domain::task::{NewTask, Payload, StateName};
use wh_ports::claims::{Claims, Note};
use wh_ports::doorbell::Doorbell;
use wh_ports::reader::Reader;
use wh_ports::upkeep::{Retention, Upkeep};
use wh_ports::wishes::Wishes;
use wh_sqlite::{Mode, OnStep, Options, STEPS, SqliteStore};

const DIR: &str = "WH_SQLITE_TEST_DIR";
const STEP: &str = "WH_SQLITE_TEST_STEP";

/// Runs an ignored test of this binary in a process of its own.
fn child(test: &str, dir: &Path, step: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env(STEP, step)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn given() -> Option<(Options, String)> {
    let dir = std::env::var_os(DIR)?;
    let options = Options { mode: Mode::Migrate, inline_params: 64, ..Options::new(Path::new(&dir)) };
    Some((options, std::env::var(STEP).unwrap_or_default()))
}

/// One line in one write, so that a kill cannot tear it. The harness may have begun a line.
fn acknowledge(what: &str) {
    std::io::stdout().write_all(format!("\nack {what}\n").as_bytes()).unwrap();
}

/// What the child acknowledges until it is gone; it is killed as soon as it has acknowledged `most` things.
fn acknowledged(child: &mut Child, most: usize) -> Vec<String> {
    let mut acks = Vec::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    loop {
        if acks.len() == most {
            child.kill().unwrap();
        }
        let Some(line) = lines.next() else { return acks };
        acks.extend(line.strip_prefix("ack ").map(str::to_owned));
    }
}

fn kill_at(step: String) -> OnStep {
    Arc::new(move |passed| {
        if passed == step {
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
        }
    })
}

fn large(name: &str) -> NewTask {
    let params = Payload::Json(format!("\"{}\"", "x".repeat(100)).into());
    NewTask { id_is_given: true, ..NewTask::new(id(name), of_type("echo"), params) }
}

/// Passes every step once, telling what was acknowledged.
#[test]
#[ignore = "runs as the process that is killed"]
fn passes_every_step() {
    let Some((options, step)) = given() else { return };
    let store = SqliteStore::open(Options { on_step: Some(kill_at(step)), ..options }).unwrap();
    run(async {
        let _bell = store.listen().await.unwrap();
        enqueue_one(&store, task("t")).await;
        acknowledge("enqueued t");
        enqueue_one(&store, large("l")).await;
        acknowledge("enqueued l");
        let _membership = join(&store, "a").await;
        let claims = claim(&store, "a", 1).await;
        acknowledge("claimed t");
        store.renew(host("a")).await.unwrap();
        store.report(host("a"), Vec::new()).await.unwrap();
        let checkpoint = Some("7".into());
        let note = Note { seq: claims[0].seq, fence: claims[0].fence, progress: None, checkpoint };
        store.note(vec![note]).await.unwrap();
        acknowledge("noted t");
        store.settle(vec![success(&claims[0], "a")]).await.unwrap();
        acknowledge("settled t");
        store.cancel(vec![id("l")]).await.unwrap();
        acknowledge("cancelled l");
        store.resume_worker(WorkerName::new("w").unwrap()).await.unwrap();
        store.take_over(host("a"), 9).await.unwrap();
        store.sweep(Retention::default()).await.unwrap();
        store.leave(host("a")).await.unwrap();
        acknowledge("left");
    });
}

#[test]
fn killed_at_any_step_the_store_holds_what_was_acknowledged_and_is_sound() {
    for step in STEPS {
        let home = Home::new();
        let dir = home.path().join("data");
        let mut child = child("crash::passes_every_step", &dir, step);
        let acks = acknowledged(&mut child, usize::MAX);
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "{step} was passed: {acks:?}");
        run(check(&home, step, &acks));
    }
}

async fn check(home: &Home, step: &str, acks: &[String]) {
    let store = home.open();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new(), "{step}");
    let tasks = store.tasks(vec![id("t"), id("l")]).await.unwrap();
    let states: Vec<_> = tasks.iter().map(|task| task.as_ref().map(|task| task.state.name())).collect();
    let has = |ack: &str| acks.iter().any(|it| it == ack);
    let claimed_or_later = [Some(StateName::Claimed), Some(StateName::Completed)];
    assert!(!has("enqueued t") || states[0].is_some(), "{step}: {states:?}");
    assert!(!has("enqueued l") || states[1].is_some(), "{step}: {states:?}");
    assert!(!has("claimed t") || claimed_or_later.contains(&states[0]), "{step}: {states:?}");
    assert!(!has("settled t") || states[0] == Some(StateName::Completed), "{step}: {states:?}");
    assert!(!has("cancelled l") || states[1] == Some(StateName::Cancelled), "{step}: {states:?}");
    if has("noted t") {
        assert_eq!(store.dossier(id("t")).await.unwrap().unwrap().checkpoint.as_deref(), Some("7"));
    }
    // The same calls again do what they would have done, once.
    enqueue_one(&store, task("t")).await;
    enqueue_one(&store, large("l")).await;
    let _membership = join(&store, "b").await;
    let orphans = store.take_over(host("b"), 9).await.unwrap();
    assert_eq!(orphans.len(), usize::from(states[0] == Some(StateName::Claimed)), "{step}");
    assert_eq!(store.list(wh_ports::reader::Filter::default()).await.unwrap().tasks.len(), 2, "{step}");
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new(), "{step}");
}

/// Enqueues without end, telling each answer.
#[test]
#[ignore = "runs as the process that is killed"]
fn enqueues_without_end() {
    let Some((options, from)) = given() else { return };
    let store = SqliteStore::open(options).unwrap();
    run(async {
        for no in 0_u64.. {
            let name = format!("{from}-{no}");
            enqueue_one(&store, if no % 5 == 0 { large(&name) } else { task(&name) }).await;
            acknowledge(&name);
        }
    });
}

#[test]
fn killed_at_any_moment_nothing_acknowledged_is_lost() {
    let home = Home::new();
    let dir = home.path().join("data");
    let mut all = Vec::new();
    for round in 0..10 {
        // Two at once, so that one is killed while the other one goes on or waits for its turn.
        let mut children: Vec<Child> =
            (0..2).map(|no| child("crash::enqueues_without_end", &dir, &format!("{round}-{no}"))).collect();
        for child in &mut children {
            // The first ones die while they start, the later ones in the middle of something.
            all.extend(acknowledged(child, round * 9));
            child.wait().unwrap();
        }
    }
    assert!(all.len() > 100, "{} were acknowledged", all.len());
    run(async {
        let store = home.open();
        let found = store.tasks(all.iter().map(|name| id(name)).collect()).await.unwrap();
        assert!(found.iter().all(Option::is_some));
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    });
}
