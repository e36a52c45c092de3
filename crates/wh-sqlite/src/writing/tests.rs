//! What requests that share a commit may expect of each other.

use super::batch::{Bench, MOST};
use super::request::{Call, Message, Request};
use super::writer::Writer;
use crate::bell::Ringer;
use crate::clock::SystemClock;
use crate::failure::{Fail, Tried};
use crate::identity::Identity;
use crate::lock::WriterLock;
use crate::options::{Mode, Writing};
use crate::place::Place;
use crate::schema::{MIGRATIONS, open_ready};
use crate::steps::{Steps, Verb};
use crate::trust::Trust;
use crate::tx::Tx;
use rusqlite::hooks::{AuthContext, Authorization};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use wh_domain::id::Seq;
use wh_domain::time::Timestamp;
use wh_ports::store::StoreError;

fn bench(dir: &TempDir) -> Bench {
    let data_dir = dir.path().to_owned();
    let place = Place { database: data_dir.join("tasks.db"), data_dir };
    let (connection, _) = open_ready(&place, Mode::Migrate, MIGRATIONS, Timestamp::from_millis(0)).unwrap();
    Bench::new(
        connection,
        Identity::of(&place.database).unwrap(),
        WriterLock::open(&place.writer_lock()).unwrap(),
        Arc::new(SystemClock::new()),
        Steps::default(),
        Arc::new(Ringer::new(place.bells())),
        Trust::default(),
    )
}

type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

fn request<T: Send + 'static>(
    verb: Verb,
    work: impl FnOnce(&mut Tx<'_>) -> Tried<T> + Send + 'static,
) -> (Box<dyn Request>, Answer<T>) {
    let (reply, answer) = oneshot::channel();
    (Box::new(Call::new(verb, work, reply)), answer)
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where a request stands")]
fn arrives(tx: &mut Tx<'_>) -> Tried<Seq> {
    let seq = tx.next_seq();
    tx.arrived(seq);
    Ok(seq)
}

fn fails(tx: &mut Tx<'_>) -> Tried<Seq> {
    arrives(tx)?;
    Err(Fail::Store(StoreError::Expelled))
}

#[test]
fn a_request_that_fails_takes_nothing_of_the_others_with_it() {
    let dir = TempDir::new().unwrap();
    let bench = bench(&dir);
    let (sender, mut queue) = mpsc::channel(8);
    let (first, mut failed) = request(Verb::Claim, fails);
    let mut answers = Vec::new();
    for work in [arrives, fails, arrives] {
        let (request, answer) = request(Verb::Enqueue, work);
        assert!(sender.try_send(Message::Write(request)).is_ok());
        answers.push(answer);
    }
    assert!(bench.serve(first, &mut queue).is_none());
    assert_eq!(failed.try_recv().unwrap(), Err(StoreError::Expelled));
    let answers: Vec<_> = answers.iter_mut().map(|answer| answer.try_recv().unwrap()).collect();
    assert_eq!(answers, [Ok(Seq(1)), Err(StoreError::Expelled), Ok(Seq(2))], "and no number is lost");
}

#[test]
fn what_may_be_lost_does_not_wait_for_the_disk_and_shares_no_commit_with_what_may_not() {
    let dir = TempDir::new().unwrap();
    let bench = bench(&dir);
    let (sender, mut queue) = mpsc::channel(8);
    let synchronous = |tx: &mut Tx<'_>| -> Tried<i64> {
        Ok(tx.prepare("PRAGMA synchronous")?.query_row((), |row| row.get(0))?)
    };
    let (renewal, mut lazy) = request(Verb::Renew, synchronous);
    let (claim, mut durable) = request(Verb::Claim, synchronous);
    assert!(sender.try_send(Message::Write(claim)).is_ok());
    let Some(Message::Write(claim)) = bench.serve(renewal, &mut queue) else { panic!("it is left over") };
    assert!(bench.serve(claim, &mut queue).is_none());
    assert_eq!((lazy.try_recv().unwrap(), durable.try_recv().unwrap()), (Ok(1), Ok(2)), "NORMAL, FULL");
}

#[test]
fn once_the_disk_has_failed_nothing_is_written_any_more() {
    let dir = TempDir::new().unwrap();
    let bench = bench(&dir);
    let (_sender, mut queue) = mpsc::channel(1);
    let failure = StoreError::Untrusted("fsync".to_owned());
    assert_eq!(bench.trust.note(failure.clone()), failure);
    let (request, mut answer) = request(Verb::Enqueue, arrives);
    bench.serve(request, &mut queue);
    assert_eq!(answer.try_recv().unwrap(), Err(failure));
    let last: i64 = bench.connection.query_row("SELECT last_seq FROM tally", (), |row| row.get(0)).unwrap();
    assert_eq!(last, 0);
}

#[test]
fn when_the_turn_to_write_does_not_come_all_that_wait_for_it_hear_so_at_once() {
    let dir = TempDir::new().unwrap();
    let mut bench = bench(&dir);
    let path = dir.path().join("writer.lock");
    bench.lock = WriterLock::open(&path).unwrap().with_patience(Duration::from_millis(50));
    let other = WriterLock::open(&path).unwrap();
    let turn = other.wait().unwrap();
    let (sender, mut queue) = mpsc::channel(4);
    let mut answers = Vec::new();
    for _ in 0..3 {
        let (request, answer) = request(Verb::Enqueue, arrives);
        assert!(sender.try_send(Message::Write(request)).is_ok());
        answers.push(answer);
    }
    let Ok(Message::Write(first)) = queue.try_recv() else { panic!("it was sent") };
    assert!(bench.serve(first, &mut queue).is_none());
    for mut answer in answers {
        let Err(StoreError::Unavailable(why)) = answer.try_recv().unwrap() else { panic!("it was refused") };
        assert!(why.contains("turn to write") && why.contains("process "), "{why}");
    }
    drop(turn);
    let (request, mut answer) = request(Verb::Enqueue, arrives);
    bench.serve(request, &mut queue);
    assert_eq!(answer.try_recv().unwrap(), Ok(Seq(1)), "nothing was written before");
}

#[test]
fn what_one_request_learns_about_the_disk_holds_for_all_that_share_its_commit_and_for_all_after_it() {
    for place in 0..3 {
        let dir = TempDir::new().unwrap();
        let bench = bench(&dir);
        let (sender, mut queue) = mpsc::channel(4);
        let failure = StoreError::Untrusted("unlink".to_owned());
        let mut answers = Vec::new();
        for at in 0..4 {
            let failure = failure.clone();
            let work = move |tx: &mut Tx<'_>| if at == place { Err(failure.into()) } else { arrives(tx) };
            let (request, answer) = request(Verb::Sweep, work);
            assert!(sender.try_send(Message::Write(request)).is_ok());
            answers.push(answer);
        }
        while let Ok(Message::Write(request)) = queue.try_recv() {
            assert!(bench.serve(request, &mut queue).is_none());
        }
        for mut answer in answers {
            assert_eq!(answer.try_recv().unwrap(), Err(failure.clone()), "it fails at {place}");
        }
    }
}

#[test]
fn one_commit_serves_no_more_requests_than_its_bound() {
    let dir = TempDir::new().unwrap();
    let bench = bench(&dir);
    let (sender, mut queue) = mpsc::channel(MOST * 2);
    for _ in 0..MOST + 100 {
        let (request, _) = request(Verb::Enqueue, arrives);
        assert!(sender.try_send(Message::Write(request)).is_ok());
    }
    let (first, _) = request(Verb::Enqueue, arrives);
    assert!(bench.serve(first, &mut queue).is_none());
    assert_eq!(queue.len(), 101);
}

#[test]
fn a_database_that_was_deleted_under_way_is_written_no_more() {
    let dir = TempDir::new().unwrap();
    let bench = bench(&dir);
    let (_sender, mut queue) = mpsc::channel(1);
    std::fs::remove_file(dir.path().join("tasks.db")).unwrap();
    let (request, mut answer) = request(Verb::Enqueue, arrives);
    bench.serve(request, &mut queue);
    assert!(matches!(answer.try_recv().unwrap(), Err(StoreError::Broken(_))));
}

#[tokio::test]
async fn what_keeps_the_writer_from_starting_is_told_to_everybody_who_asks() {
    let dir = TempDir::new().unwrap();
    let mut bench = bench(&dir);
    bench.connection.authorizer(Some(|_: AuthContext<'_>| Authorization::Deny)).unwrap();
    let writer = Writer::new(bench, Writing::Apart);
    for _ in 0..2 {
        let why = writer.version().await.unwrap_err().to_string();
        assert!(why.contains("not authorized"), "{why}");
    }
    assert!(!writer.has_started());
}
