//! Another program of ours is stopped in the middle of its turn to write.

use crate::kit::{Home, enqueue_one, id, run, task};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;
use wh_ports::intake::Intake;
use wh_ports::reader::Reader;
use wh_ports::store::StoreError;
use wh_ports::upkeep::Upkeep;
use wh_sqlite::{OnStep, Options, SqliteStore};

const DIR: &str = "WH_SQLITE_TEST_TURN";

/// Stops itself just before it commits.
#[test]
#[ignore = "runs as the process that is stopped"]
fn stops_in_its_turn() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let on_step: OnStep = Arc::new(|step| {
        if step == "enqueue.before_commit" {
            kill_process(rustix::process::getpid(), Signal::STOP).unwrap();
            // Another thread may have taken the signal, and this one goes on for a moment: up to here and no further.
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        }
    });
    let store =
        SqliteStore::open(Options { on_step: Some(on_step), ..Options::new(Path::new(&dir)) }).unwrap();
    run(async { enqueue_one(&store, task("stopped")).await });
}

/// Gone with the test, whatever becomes of it.
struct Stopped(Child);

impl Stopped {
    fn start(dir: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "turn::stops_in_its_turn", "--ignored"]).env(DIR, dir);
        let child = Self(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
        waitid(WaitId::Pid(child.pid()), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT).unwrap();
        child
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    fn goes_on(mut self) {
        drop(self.0.stdin.take());
        kill_process(self.pid(), Signal::CONT).unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed, which is as good.
        drop(self.0.kill().and_then(|()| self.0.wait()));
    }
}

#[test]
fn a_program_that_is_stopped_in_its_turn_is_named_and_holds_nobody_up_for_ever() {
    let home = Home::new();
    let store = home.open();
    run(async { enqueue_one(&store, task("before")).await });
    let stopped = Stopped::start(&home.path().join("data"));
    let begun = Instant::now();
    run(async {
        let refused = store.enqueue(vec![task("refused")]).await;
        let Err(StoreError::Unavailable(why)) = refused else { panic!("{refused:?}") };
        let named = format!("process {}", stopped.pid().as_raw_nonzero());
        assert!(why.contains(&named) && why.contains("is stopped"), "{why}");
        assert!(store.tasks(vec![id("before")]).await.unwrap()[0].is_some(), "reading goes on");
    });
    // Dropped while it waits for the turn again.
    let waits = run(async {
        let mut waits = store.enqueue(vec![task("asked and left")]);
        std::future::poll_fn(|context| std::task::Poll::Ready(waits.as_mut().poll(context).is_pending()))
            .await
    });
    assert!(waits);
    drop(store);
    assert!((5..60).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    stopped.goes_on();
    run(async {
        let store = home.open();
        enqueue_one(&store, task("after")).await;
        let found = store.tasks(["stopped", "asked and left"].map(id).to_vec()).await.unwrap();
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    });
}
