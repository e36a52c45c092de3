//! What a worker's last attempts say is wrong with it.

use std::time::Duration;
use wh_domain::ailment::{Ailment, Allowance, Share, WINDOW, ailments};
use wh_domain::attempt::{AttemptRecord, Usage};
use wh_domain::ending::Stop;
use wh_domain::failure::FailureClass;
use wh_domain::id::{Fence, HostId, StreamNo, WorkerName};
use wh_domain::limits::{Breach, Limits, Resource};
use wh_domain::outcome::OutcomeName;
use wh_domain::time::Timestamp;
use wh_domain::timeout::TimeoutPolicy;

const MIB: u64 = 1 << 20;

fn timeout(seconds: u64) -> TimeoutPolicy {
    TimeoutPolicy::new(Duration::from_secs(seconds), None, Duration::ZERO).unwrap()
}

fn attempt(outcome: OutcomeName, seconds: i64) -> AttemptRecord {
    AttemptRecord {
        fence: Fence(1),
        attempt: 1,
        host: HostId::new("h").unwrap(),
        worker: WorkerName::new("w").unwrap(),
        stream: StreamNo(1),
        started_at: Timestamp::from_millis(0),
        ended_at: Timestamp::from_millis(seconds * 1_000),
        outcome,
        class: None,
        exit: None,
        stop: None,
        breach: None,
        sentence: "It ended.".into(),
        warnings: Vec::new(),
        leaked: Vec::new(),
        log_tail: "".into(),
        usage: Usage::default(),
        workspace: None,
        review: None,
        isolation: None,
    }
}

fn well(seconds: i64) -> AttemptRecord {
    attempt(OutcomeName::Succeeded, seconds)
}

fn timed_out(seconds: i64) -> AttemptRecord {
    AttemptRecord { stop: Some(Stop::Timeout), ..attempt(OutcomeName::TimedOut, seconds) }
}

fn failed(sentence: &str) -> AttemptRecord {
    AttemptRecord { sentence: sentence.into(), ..attempt(OutcomeName::Failed, 1) }
}

/// Looks at attempts, newest first, under a limit of ten seconds and of a hundred MiB.
fn told(attempts: &[AttemptRecord]) -> Vec<Ailment<'_>> {
    under(&timeout(10), attempts)
}

fn under<'a>(timeout: &TimeoutPolicy, attempts: &'a [AttemptRecord]) -> Vec<Ailment<'a>> {
    let limits = Limits { memory: Some(100 * MIB), ..Limits::default() };
    ailments(Allowance { timeout, limits: &limits }, &attempts.iter().collect::<Vec<_>>())
}

#[test]
fn attempts_that_time_out_are_told_with_how_long_the_others_take() {
    let attempts = [timed_out(10), well(8), timed_out(10), well(9)];
    let [Ailment::TimesOut { often, limit, slowest, last }] = told(&attempts)[..] else {
        panic!("{:?}", told(&attempts))
    };
    assert_eq!((often, limit), (Share { part: 2, whole: 4 }, Duration::from_secs(10)));
    assert_eq!(slowest, Some(Duration::from_secs(9)));
    assert!(std::ptr::eq(last, &raw const attempts[0]));
}

#[test]
fn what_is_rare_and_what_happened_once_is_no_ailment() {
    assert_eq!(told(&[]), []);
    assert_eq!(told(&[timed_out(10)]), []);
    let rare = |bad: usize| -> Vec<AttemptRecord> {
        let of_it = std::iter::repeat_with(|| timed_out(10)).take(bad);
        of_it.chain(std::iter::repeat_with(|| well(1)).take(WINDOW - bad)).collect()
    };
    assert_eq!(told(&rare(4)), [], "4 of 50");
    assert_eq!(told(&rare(5)).len(), 1, "5 of 50");
}

#[test]
fn what_has_been_mended_is_not_told() {
    let attempts = [timed_out(10), timed_out(10), timed_out(10)];
    assert_eq!(told(&attempts).len(), 1);
    assert_eq!(under(&timeout(20), &attempts), [], "the limit of now would not have ended them");
    let then_well: Vec<_> = std::iter::repeat_with(|| well(1)).take(3).chain(attempts).collect();
    assert_eq!(told(&then_well), []);
    let since: Vec<_> = [timed_out(20), timed_out(20)].into_iter().chain(then_well[3..].to_vec()).collect();
    let [Ailment::TimesOut { often, .. }] = under(&timeout(20), &since)[..] else { panic!("it goes on") };
    assert_eq!(often, Share { part: 2, whole: 2 }, "what the limit of now excuses does not count");
    assert_eq!(told(&then_well[1..]).len(), 1, "two are not enough");
}

#[test]
fn only_the_last_attempts_are_looked_at_and_none_that_says_nothing() {
    let waited = std::iter::repeat_with(|| attempt(OutcomeName::Deferred, 1)).take(200);
    let attempts: Vec<_> = waited.chain([failed("a"), failed("a")]).collect();
    assert_eq!(told(&attempts).len(), 1);
    let newer = (0..WINDOW).map(|at| if at % 3 == 2 { timed_out(10) } else { well(1) });
    let attempts: Vec<_> = newer.chain(std::iter::repeat_with(|| failed("old")).take(WINDOW)).collect();
    assert!(told(&attempts).iter().all(|ailment| matches!(ailment, Ailment::TimesOut { .. })));
}

#[test]
fn a_worker_that_runs_out_of_memory_is_told_by_its_peak_and_one_that_fills_its_disk_as_a_failure() {
    let ended = |resource, limit_mib: u64, used_mib: u64| AttemptRecord {
        class: Some(FailureClass::Resource),
        breach: Some(Breach { resource, limit: limit_mib * MIB, used: used_mib * MIB }),
        ..failed("It ran out.")
    };
    let memory = |limit, used| ended(Resource::Memory, limit, used);
    let attempts = [memory(100, 100), memory(200, 230)];
    let [Ailment::RunsOutOfMemory { often, limit, peak, .. }] = told(&attempts)[..] else {
        panic!("{:?}", told(&attempts))
    };
    assert_eq!((often.part, limit, peak), (2, 100 * MIB, 230 * MIB));
    assert_eq!(told(&[memory(50, 50), memory(50, 50)]), [], "it has been given more since");
    let machine = || ended(Resource::MachineMemory, 0, 10);
    assert!(matches!(told(&[machine(), machine()])[..], [Ailment::MachineRunsOutOfMemory { .. }]));
    let disk = || ended(Resource::Workspace, 10, 20);
    assert!(matches!(told(&[disk(), disk()])[..], [Ailment::Fails { .. }]));
}

#[test]
fn other_failures_are_told_by_the_sentence_that_most_of_them_have() {
    let attempts = [failed("rare"), failed("often"), failed("often"), attempt(OutcomeName::Crashed, 1)];
    let [Ailment::Fails { often, outcome, last }] = told(&attempts)[..] else {
        panic!("{:?}", told(&attempts))
    };
    assert_eq!((often.part, outcome, &*last.sentence), (3, OutcomeName::Failed, "often"));
    assert!(std::ptr::eq(last, &raw const attempts[1]), "the last of those");
}

#[test]
fn silence_is_told_where_silence_is_what_ends_attempts() {
    let silent = || AttemptRecord { stop: Some(Stop::Stall), ..attempt(OutcomeName::TimedOut, 6) };
    let attempts = [silent(), silent()];
    let watched = TimeoutPolicy { stall_after: Some(Duration::from_secs(5)), ..timeout(10) };
    assert!(matches!(under(&watched, &attempts)[..], [Ailment::Stalls { .. }]));
    assert_eq!(told(&attempts), [], "nobody minds it any more");
}
