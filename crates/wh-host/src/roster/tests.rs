//! Who gets what: streams, lanes and health, table by table.

use super::*;
use std::path::PathBuf;
use wh_domain::ending::ExitTable;
use wh_domain::health::FaultKind;
use wh_domain::id::TaskId;
use wh_domain::isolation::Isolation;
use wh_domain::limits::Limits;
use wh_domain::retry::{Backoff, Dice};
use wh_domain::routing::TypePattern;
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::{Bounds, Program, Protocol, Workspace};

const NOW: Duration = Duration::from_secs(1_000);

fn worker(name: &str, pattern: &str, streams: u32) -> Worker {
    Worker {
        name: WorkerName::new(name).unwrap(),
        task_types: vec![TypePattern::parse(pattern).unwrap()],
        streams,
        program: Program {
            argv: vec!["true".into()],
            directory: PathBuf::from("/"),
            env: Vec::new(),
            secrets: Vec::new(),
        },
        protocol: Protocol::Json,
        workspace: Workspace::None,
        isolation: Isolation::default(),
        limits: Limits::NONE,
        timeout: TimeoutPolicy::default(),
        retry: RetryPolicy::default(),
        outputs: Vec::new(),
        exit_codes: ExitTable::default(),
        bounds: Bounds::default(),
        metadata: None,
        files: Vec::new(),
    }
}

fn name(text: &str) -> WorkerName {
    WorkerName::new(text).unwrap()
}

fn task_type(text: &str) -> TaskType {
    TaskType::new(text).unwrap()
}

fn lanes(types: &[&str]) -> Vec<Lane> {
    types.iter().zip(1..).map(|(text, id)| Lane { id: LaneId(id), task_type: task_type(text) }).collect()
}

/// `a` and `b` for their own types, `rest` for all others.
fn roster(streams: u32) -> Roster {
    let workers = vec![worker("a", "a", 2), worker("b", "b", 3), worker("rest", "*", 1)];
    let mut roster = Roster::new(workers, streams);
    roster.learn(1, lanes(&["a", "b", "c"]));
    roster
}

/// Wants as `worker most lanes`.
fn wants(roster: &Roster, now: Duration) -> Vec<String> {
    let words = roster.wants(now).into_iter().map(|want| {
        let lanes: Vec<i64> = want.lanes.iter().map(|lane| lane.0).collect();
        format!("{} {} {lanes:?}", want.worker, want.most)
    });
    words.collect()
}

fn fails_to_start(roster: &mut Roster, worker: &str, now: Duration) {
    let task = TaskId::new("task").unwrap();
    let health = roster.health(&name(worker)).unwrap();
    health.saw_fault(FaultKind::NotStarted, &task, "It broke.", now, &Backoff::default(), Dice(0));
}

fn occupy(roster: &mut Roster, worker: &str) -> Option<u32> {
    roster.occupy(&name(worker)).map(|(_, stream)| stream.0)
}

#[test]
fn a_worker_wants_as_much_as_it_has_free_streams_and_the_host_no_more_than_its_own() {
    let mut roster = roster(4);
    assert_eq!(wants(&roster, NOW), ["a 2 [1]", "b 3 [2]", "rest 1 [3]"]);
    assert_eq!(roster.room(NOW), 4);
    for (worker, stream, left) in
        [("b", Some(1), 3), ("b", Some(2), 2), ("rest", Some(1), 1), ("rest", None, 1), ("b", Some(3), 0)]
    {
        assert_eq!(occupy(&mut roster, worker), stream, "{worker}");
        assert_eq!(roster.room(NOW), left, "after {worker}");
    }
    assert_eq!(wants(&roster, NOW), ["a 2 [1]"], "the host's own bound comes with the call");
    roster.free(&name("b"), StreamNo(2));
    assert_eq!((roster.room(NOW), occupy(&mut roster, "b")), (1, Some(2)));
}

#[test]
fn a_worker_that_is_unknown_or_full_is_given_nothing() {
    let mut roster = roster(16);
    assert_eq!(occupy(&mut roster, "nobody"), None);
    assert_eq!([occupy(&mut roster, "a"), occupy(&mut roster, "a")], [Some(1), Some(2)]);
    assert_eq!(occupy(&mut roster, "a"), None);
}

#[test]
fn a_stuck_stream_is_out_of_use_and_leaves_the_host_its_room() {
    let mut roster = roster(2);
    assert_eq!(occupy(&mut roster, "a"), Some(1));
    roster.retire(&name("a"), StreamNo(1));
    assert_eq!((roster.stuck(), roster.busy(), roster.room(NOW)), (1, 0, 2));
    assert_eq!(wants(&roster, NOW)[0], "a 1 [1]");
    roster.free(&name("a"), StreamNo(1));
    assert_eq!((roster.stuck(), wants(&roster, NOW)[0].as_str()), (0, "a 2 [1]"));
}

#[test]
fn a_worker_put_aside_gets_nothing_then_one_at_a_time() {
    let mut roster = roster(16);
    fails_to_start(&mut roster, "b", NOW);
    let back = NOW + Backoff::default().base;
    assert_eq!(roster.next_recovery(NOW), Some(back));
    assert_eq!(wants(&roster, NOW), ["a 2 [1]", "rest 1 [3]"], "its lane waits for it, not for the fallback");
    assert_eq!(wants(&roster, back)[1], "b 1 [2]");
    assert_eq!(occupy(&mut roster, "b"), Some(1));
    assert_eq!(wants(&roster, back), ["a 2 [1]", "rest 1 [3]"]);
    roster.health(&name("b")).unwrap().resume();
    assert_eq!(wants(&roster, back)[1], "b 2 [2]");
}

#[test]
fn a_recovery_is_seen_once_whenever_somebody_looks() {
    let mut roster = roster(16);
    fails_to_start(&mut roster, "b", NOW);
    let back = NOW + Backoff::default().base;
    for (since, now, seen) in [
        (NOW, NOW + Duration::from_millis(999), false),
        (NOW, back, true),
        (NOW, back * 2, true),
        (back, back * 2, false),
        (back, back, false),
    ] {
        assert_eq!(roster.recovered(since, now), seen, "from {since:?} to {now:?}");
    }
    assert_eq!(roster.next_recovery(back), None);
}

#[test]
fn lanes_that_may_move_are_those_whose_workers_recover_by_themselves() {
    let mut roster = roster(16);
    let lanes = |roster: &Roster| roster.lanes_that_may_move().iter().map(|lane| lane.0).collect::<Vec<_>>();
    assert_eq!(lanes(&roster), [1, 2, 3]);
    fails_to_start(&mut roster, "b", NOW);
    assert_eq!(lanes(&roster), [1, 2, 3]);
    let mut now = NOW;
    while let Some(until) = roster.next_recovery(now) {
        now = until;
        fails_to_start(&mut roster, "b", now);
    }
    assert_eq!(lanes(&roster), [1, 3], "it is put aside for good");
}

#[test]
fn a_type_that_nobody_takes_is_told_once_per_configuration() {
    let mut roster = Roster::new(vec![worker("a", "a", 1)], 4);
    assert_eq!(roster.learn(1, lanes(&["a", "b"])), [task_type("b")]);
    assert_eq!(roster.learn(2, lanes(&["a", "b", "c"])), [task_type("c")]);
    roster.reload(vec![worker("a", "a", 1), worker("c", "c", 1)]);
    assert_eq!(roster.learn(3, lanes(&["a", "b", "c"])), [task_type("b")]);
}

#[test]
fn a_new_configuration_is_compared_with_the_old_one_and_counts_in_its_own_order() {
    let mut roster = roster(16);
    let changes = roster.reload(vec![worker("rest", "*", 1), worker("c", "b", 1), worker("b", "b", 5)]);
    let expected = Changes { added: vec![name("c")], changed: vec![name("b")], removed: vec![name("a")] };
    assert_eq!(changes, expected);
    assert_eq!(roster.configured(), 3);
    assert_eq!(wants(&roster, NOW), ["rest 1 [1, 3]", "c 1 [2]"], "among equals the first one counts");
    assert_eq!(roster.reload(vec![worker("c", "b", 1)]).changed, []);
}

#[test]
fn what_runs_on_streams_that_were_taken_away_counts_until_it_has_ended() {
    let mut roster = roster(16);
    for stream in 1..=3 {
        assert_eq!(occupy(&mut roster, "b"), Some(stream));
    }
    roster.reload(vec![worker("b", "b", 2)]);
    let b = |roster: &Roster| wants(roster, NOW).concat();
    assert_eq!(b(&roster), "");
    roster.free(&name("b"), StreamNo(1));
    assert_eq!((b(&roster).as_str(), occupy(&mut roster, "b")), ("", None), "two still run");
    roster.free(&name("b"), StreamNo(3));
    assert_eq!((b(&roster).as_str(), occupy(&mut roster, "b")), ("b 1 [2]", Some(1)));
}

#[test]
fn a_worker_that_left_stays_until_its_last_attempt_has_ended_and_may_come_back() {
    let mut roster = roster(16);
    assert_eq!(occupy(&mut roster, "a"), Some(1));
    roster.reload(Vec::new());
    assert_eq!((roster.configured(), roster.busy(), roster.room(NOW)), (0, 1, 0));
    assert_eq!(occupy(&mut roster, "a"), None);
    roster.reload(vec![worker("a", "a", 2)]);
    assert_eq!(occupy(&mut roster, "a"), Some(2), "its first stream is still at work");
    roster.reload(Vec::new());
    roster.free(&name("a"), StreamNo(1));
    roster.free(&name("a"), StreamNo(2));
    assert!(roster.health(&name("a")).is_none(), "nothing is left of it");
}

#[test]
fn a_new_configuration_ends_a_quarantine_and_the_same_one_does_not() {
    let mut roster = roster(16);
    fails_to_start(&mut roster, "a", NOW);
    fails_to_start(&mut roster, "b", NOW);
    roster.reload(vec![worker("a", "a", 2), worker("b", "b", 1), worker("rest", "*", 1)]);
    assert!(roster.health(&name("a")).unwrap().quarantine().is_some());
    assert!(roster.health(&name("b")).unwrap().quarantine().is_none());
}

#[test]
fn an_attempt_speaks_of_the_configuration_that_it_began_with() {
    let mut roster = roster(16);
    let old = worker("a", "a", 2);
    assert!(roster.health_of(&old).is_some());
    roster.reload(vec![worker("a", "a", 3)]);
    assert!(roster.health_of(&old).is_none());
}

#[test]
fn the_report_says_what_others_may_know() {
    let mut roster = roster(16);
    assert_eq!(occupy(&mut roster, "b"), Some(1));
    fails_to_start(&mut roster, "a", NOW);
    let report = roster.report();
    let lines: Vec<String> = report
        .iter()
        .map(|it| {
            format!(
                "{} {}/{} {} {} {:?}",
                it.worker, it.busy, it.streams, it.health, it.failed, it.task_types
            )
        })
        .collect();
    assert_eq!(lines, ["a 0/2 red 1 [\"a\"]", "b 1/3 green 0 [\"b\"]", "rest 0/1 green 0 [\"*\"]"]);
    assert_eq!(report[0].quarantine.as_deref(), Some("It broke."));
}
