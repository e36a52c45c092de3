//! The board, from events to lines.

use super::*;
use std::time::Duration;
use wh_domain::attempt::{AttemptRecord, OutcomeName, Usage};
use wh_domain::id::{AttemptId, Fence, HostId};
use wh_domain::lifecycle::Wait;
use wh_domain::task::{PoisonReason, WaitingFor};

const WIDE: Size = Size { columns: 100, rows: 24 };
const AGAIN: Next = Next::Pending { wait: Wait::Now, waiting_for: Some(WaitingFor::Backoff) };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn carried(worker: &str, stream: u32, task: &str, attempt: u32) -> Carried {
    Carried {
        attempt_id: AttemptId { task: TaskId::new(task).unwrap(), fence: Fence(1) },
        task_type: TaskType::new("t").unwrap(),
        worker: WorkerName::new(worker).unwrap(),
        stream: StreamNo(stream),
        attempt,
        traceparent: None,
    }
}

fn started(worker: &str, stream: u32, task: &str, attempt: u32) -> Event {
    Event::AttemptStarted { carried: carried(worker, stream, task, attempt) }
}

fn settled(worker: &str, stream: u32, next: Next) -> Event {
    let record = AttemptRecord {
        fence: Fence(1),
        attempt: 1,
        host: HostId::new("h").unwrap(),
        worker: WorkerName::new(worker).unwrap(),
        stream: StreamNo(stream),
        started_at: at(0),
        ended_at: at(0),
        outcome: OutcomeName::Succeeded,
        class: None,
        exit: None,
        stop: None,
        breach: None,
        sentence: "s".into(),
        warnings: Vec::new(),
        leaked: Vec::new(),
        log_tail: "".into(),
        usage: Usage::default(),
        workspace: None,
        review: None,
        isolation: None,
    };
    Event::Settled { carried: carried(worker, stream, "a", 1), record: Box::new(record), next }
}

fn progressed(worker: &str, stream: u32, progress: Progress) -> Event {
    Event::Progressed { carried: carried(worker, stream, "a", 1), progress }
}

fn pending(tasks: u64) -> Vec<Count> {
    let count =
        |task_type: &str, state, tasks| Count { task_type: TaskType::new(task_type).unwrap(), state, tasks };
    vec![
        count("t", StateName::Pending, tasks),
        count("t", StateName::Completed, 1_000),
        count("nobody", StateName::Pending, 77),
    ]
}

fn drawn(board: &Board, now: i64, size: Size) -> String {
    let lines = render(board, at(now), size, false);
    lines.into_iter().map(|line| line.text).collect::<Vec<_>>().join("\n")
}

/// A run in its midst.
fn busy() -> Board {
    let mut board = Board::default();
    board.apply(at(0), &Event::NoWorker { task_type: TaskType::new("nobody").unwrap() });
    board.apply(at(0), &started("video", 1, "order-4711", 2));
    board.count(&pending(50));
    for second in 1..=10 {
        board.apply(at(second), &started("ocr", 1, "page", 1));
        board.apply(at(second), &settled("ocr", 1, Next::Completed));
    }
    board.apply(at(10), &started("video", 2, "注文番号4712", 1));
    let progress = Progress {
        current: Some(450.0),
        total: Some(1_000.0),
        percent: Some(45.0),
        message: Some("frame\u{1b}[2J of the\nfilm".into()),
    };
    board.apply(at(11), &progressed("video", 1, progress));
    board.apply(at(12), &settled("ocr", 1, AGAIN));
    board.apply(at(12), &settled("ocr", 1, Next::Poisoned(PoisonReason::Attempts)));
    board
}

#[test]
fn a_run_shows_each_stream_and_how_it_stands() {
    insta::assert_snapshot!(drawn(&busy(), 20, WIDE), @r"
    ocr 1    idle
    video 1  order-4711       0:20  [====      ]  450/1000  0:24 left  22.5/s  attempt 2  frame\u{1b}..
    video 2  注文番号4712     0:10
    [====                ] 11 of 53 tasks (20 %)  after 0:20  33/min  about 1:16 left
    2 at work, 40 pending, 10 completed, 1 given up, 1 tried again
    ");
}

#[test]
fn a_narrow_terminal_loses_the_less_important_first() {
    insta::assert_snapshot!(drawn(&busy(), 20, Size { columns: 40, rows: 24 }), @r"
    ocr 1    idle
    video 1  order-4711       0:20
    video 2  注文番号4712     0:10
    11 of 53 tasks (20 %)  after 0:20
    2 at work, 40 pending, 10 completed
    ");
    insta::assert_snapshot!(drawn(&busy(), 20, Size { columns: 16, rows: 24 }), @r"
    ocr 1    idle
    video 1  orde..
    video 2  注文..
    11 of 53 task..
    2 at work
    ");
}

#[test]
fn no_line_is_wider_than_the_terminal_and_a_third_of_it_is_left_whatever_its_size() {
    let mut board = busy();
    for stream in 1..200 {
        board.apply(
            at(stream),
            &started("worker-with-a-long-name", u32::try_from(stream).unwrap(), "注文", 7),
        );
    }
    board.apply(
        at(1),
        &Event::WorkerQuarantined { worker: WorkerName::new("x").unwrap(), retry_in: None, why: "".into() },
    );
    board.apply(at(1), &Event::StoreUnavailable { why: "full".into() });
    for columns in 1..150 {
        for rows in [1, 2, 3, 4, 10, 24, 60] {
            for colours in [false, true] {
                let lines = render(&board, at(300), Size { columns, rows }, colours);
                assert!(
                    !lines.is_empty() && lines.len() <= (rows * 2 / 3).max(1),
                    "{} of {rows} rows",
                    lines.len()
                );
                for line in lines {
                    assert!(line.columns <= columns.saturating_sub(1).max(1), "{columns}: {line:?}");
                    if !colours {
                        assert_eq!(crate::columns::width(&line.text), line.columns, "{line:?}");
                        assert!(!line.text.contains(char::is_control), "{line:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn of_more_streams_than_rows_those_are_shown_that_have_been_at_work_for_longest() {
    let mut board = Board::default();
    for stream in 1..=9 {
        board.apply(at(100 - i64::from(stream)), &started("w", stream, "a", 1));
    }
    insta::assert_snapshot!(drawn(&board, 100, Size { columns: 80, rows: 9 }), @r"
    w 7  a     0:07
    w 8  a     0:08
    w 9  a     0:09
    and 6 more at work
    0 tasks  after 0:01
    9 at work, 0 completed
    ");
}

#[test]
fn trouble_that_lasts_is_shown_until_it_is_over() {
    let mut board = Board::default();
    let worker = WorkerName::new("video").unwrap();
    let why: Box<str> = "why".into();
    board
        .apply(at(0), &Event::WorkerQuarantined { worker: worker.clone(), retry_in: None, why: why.clone() });
    board.apply(at(0), &Event::StoreUnavailable { why });
    board.apply(at(0), &Event::HostDraining { running: 0 });
    board.apply(at(0), &started("ocr", 1, "a", 1));
    board.apply(at(0), &Event::StreamStuck { carried: carried("ocr", 1, "a", 1) });
    insta::assert_snapshot!(drawn(&board, 0, WIDE), @r"
    ocr 1  its processes cannot be ended
    0 tasks  after 0:00
    0 at work, 0 completed
    the store does not answer; the host is going down and claims no more; put aside: video
    ");
    board.apply(at(1), &Event::WorkerRecovered { worker });
    board.apply(at(1), &Event::StoreBack);
    insta::assert_snapshot!(drawn(&board, 1, WIDE), @r"
    ocr 1  its processes cannot be ended
    0 tasks  after 0:01
    0 at work, 0 completed
    the host is going down and claims no more
    ");
}

#[test]
fn what_is_pending_is_carried_on_between_two_counts() {
    let mut board = Board::default();
    assert_eq!(board.pending, None, "nothing is claimed about what is not known");
    board.apply(at(0), &started("w", 1, "a", 1));
    assert_eq!(board.pending, None);
    board.count(&pending(2));
    let steps = [
        (started("w", 1, "a", 1), 78),
        (settled("w", 1, AGAIN), 79),
        (started("w", 1, "a", 2), 78),
        (settled("w", 1, Next::Completed), 78),
    ];
    for (event, expected) in steps {
        board.apply(at(1), &event);
        assert_eq!(board.pending, Some(expected), "{event:?}");
    }
    board.apply(at(2), &Event::NoWorker { task_type: TaskType::new("nobody").unwrap() });
    board.count(&pending(2));
    assert_eq!(board.pending, Some(2), "for what no worker takes nobody waits");
    let changes = Event::ConfigReloaded { added: Vec::new(), changed: Vec::new(), removed: Vec::new() };
    board.apply(at(3), &changes);
    board.count(&pending(2));
    assert_eq!(board.pending, Some(79), "a new configuration may take it");
}

#[test]
fn a_host_that_begins_anew_has_no_streams_at_work() {
    let mut board = busy();
    let host = HostId::new("h").unwrap();
    board.apply(at(30), &Event::HostStarted { host, workers: 1, streams: 1 });
    assert_eq!((board.busy().count(), board.ended()), (0, 11));
}

#[test]
fn colours_are_there_only_where_they_are_wanted() {
    let text = |colours| {
        render(&busy(), at(20), WIDE, colours).into_iter().map(|line| line.text).collect::<String>()
    };
    assert!(!text(false).contains('\u{1b}'));
    assert!(text(true).contains("\u{1b}[31m1 given up\u{1b}[0m"), "{:?}", text(true));
}

#[test]
fn applying_an_event_takes_next_to_nothing() {
    let (mut board, event) = (busy(), started("video", 3, "a", 1));
    let begin = std::time::Instant::now();
    (0..10_000).for_each(|_| board.apply(at(1), &event));
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?} for ten thousand", begin.elapsed());
}
