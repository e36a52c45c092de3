//! What people and other programs see.

use super::harness::{Harness, id, json, of_type, one, wall, want};
use std::time::Duration;
use wh_domain::id::{Seq, TaskId};
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::task::{NewTask, PoisonReason, StateName, TaskState, WaitingFor};
use wh_ports::blobs::Stored;
use wh_ports::claims::WorkerReport;
use wh_ports::reader::{Backlog, Count, Filter};

const AGAIN: Next = Next::Pending { wait: Wait::Now, waiting_for: None };

pub(super) async fn tasks_come_in_the_order_they_were_asked_for(h: &Harness) {
    let (one, two) = (h.enqueue("a").await, h.enqueue("a").await);
    let ids = vec![two.clone(), id("never-was"), one.clone(), two.clone()];
    let tasks = h.store().tasks(ids).await.expect("the store answers");
    let got: Vec<Option<TaskId>> = tasks.iter().map(|task| task.as_ref().map(|it| it.id.clone())).collect();
    assert_eq!(got, [Some(two.clone()), None, Some(one), Some(two)]);
    let seqs = tasks.iter().map(|task| task.as_ref().map_or(Seq(i64::MAX), |it| it.seq)).collect();
    assert_eq!(h.store().tasks_by_seq(seqs).await.expect("the store answers"), tasks);
}

pub(super) async fn a_dossier_holds_all_that_is_kept(h: &Harness) {
    let host = h.join("h").await;
    let task = NewTask {
        params: json("{}"),
        metadata: Some("{\"a\":1}".into()),
        traceparent: Some("00-1-1-01".into()),
        ..h.task_of("a")
    };
    h.add(task.clone()).await;
    for next in [AGAIN, AGAIN, Next::Completed] {
        let claim = h.claim_one(&host).await;
        h.end(&claim, next).await;
    }
    let dossier = h.dossier(&task.id).await;
    assert_eq!(dossier.task, h.task(&task.id).await);
    assert_eq!((dossier.metadata, dossier.traceparent), (task.metadata, task.traceparent));
    assert_eq!(dossier.params, Stored::Inline(task.params));
    let fences: Vec<i64> = dossier.attempts.iter().map(|attempt| attempt.fence.0).collect();
    assert_eq!(fences, [1, 2, 3], "first one first");
    assert!(dossier.result.is_some());
}

pub(super) async fn there_is_no_dossier_of_what_never_was(h: &Harness) {
    assert!(h.store().dossier(id("never-was")).await.expect("the store answers").is_none());
}

pub(super) async fn attempts_are_counted_in_the_order_of_the_tasks(h: &Harness) {
    let host = h.join("h").await;
    let often = h.enqueue("a").await;
    for next in [AGAIN, AGAIN, Next::Poisoned(PoisonReason::Attempts)] {
        let claim = h.claim_one(&host).await;
        h.end(&claim, next).await;
    }
    h.store().retry(vec![often.clone()]).await.expect("the store answers");
    let (never, seq) = (h.enqueue("b").await, h.task(&often).await.seq);
    let seqs = vec![h.task(&never).await.seq, seq, Seq(i64::MAX), seq];
    let made = h.store().attempts_made(seqs).await.expect("the store answers");
    assert_eq!(made, [0, 3, 0, 3], "a retry forgives what counted, and forgets nothing");
}

pub(super) async fn what_waits_is_counted_by_type_as_far_as_anybody_wants_to_know(h: &Harness) {
    const HOUR: Duration = Duration::from_secs(3_600);
    let host = h.join("h").await;
    let next = Next::Pending { wait: Wait::For(HOUR), waiting_for: Some(WaitingFor::Backoff) };
    let tried = h.ended(&host, "a", next).await;
    for _ in 0..5 {
        h.enqueue("b").await;
    }
    let backlog = async |most| h.store().backlog(most).await.expect("the store answers");
    let numbers = |backlog: &[Backlog]| -> Vec<(String, u64, u64, bool)> {
        backlog.iter().map(|it| (it.task_type.to_string(), it.due, it.later, it.since.is_some())).collect()
    };
    let row = |name: &str, due, later, is_due| (name.to_owned(), due, later, is_due);
    assert_eq!(numbers(&backlog(100).await), [row("a", 0, 1, false), row("b", 5, 0, true)]);
    assert_eq!(numbers(&backlog(3).await), [row("a", 0, 1, false), row("b", 3, 0, true)], "no further");
    for _ in 0..5 {
        h.add(NewTask { run_at: Some(wall(h).after(HOUR * 2)), ..h.task_of("b") }).await;
    }
    assert_eq!(numbers(&backlog(100).await), [row("a", 0, 1, false), row("b", 5, 5, true)]);
    assert_eq!(numbers(&backlog(4).await), [row("a", 0, 1, false), row("b", 4, 4, true)], "each by itself");
    h.pass(HOUR);
    let told = backlog(100).await;
    assert_eq!(numbers(&told), [row("a", 1, 0, true), row("b", 5, 5, true)], "no host has to be there");
    let due = match h.task(&tried).await.state {
        TaskState::Pending { due, .. } => Some(due.at),
        _ => None,
    };
    assert_eq!(told.first().and_then(|a| a.since), due);
}

pub(super) async fn the_last_attempts_are_told_newest_first_with_their_tasks(h: &Harness) {
    let host = h.join("h").await;
    let one = h.ended(&host, "a", AGAIN).await;
    h.settle_ok(&h.claim_one(&host).await).await;
    let two = h.ended(&host, "b", Next::Completed).await;
    let recent = async |most| h.store().recent_attempts(most).await.expect("the store answers");
    let all = recent(100).await;
    let told: Vec<_> = all.iter().map(|it| (&it.task, it.task_type.as_str())).collect();
    assert_eq!(told, [(&two, "b"), (&one, "a"), (&one, "a")]);
    let mut of_one: Vec<_> = all.iter().filter(|it| it.task == one).map(|it| it.record.clone()).collect();
    of_one.reverse();
    assert_eq!(of_one, h.dossier(&one).await.attempts);
    assert_eq!(recent(2).await, all.into_iter().take(2).collect::<Vec<_>>());
}

/// All pages of a list.
async fn list(h: &Harness, filter: Filter) -> Vec<Vec<TaskId>> {
    let (mut before, mut pages) = (filter.before, Vec::new());
    loop {
        let asked = Filter { before, ..filter.clone() };
        let page = h.store().list(asked).await.expect("the store answers");
        pages.push(page.tasks.into_iter().map(|task| task.id).collect());
        assert!(pages.len() < 100, "it ends");
        match page.next {
            Some(next) => before = Some(next),
            None => return pages,
        }
    }
}

pub(super) async fn pages_go_from_the_newest_to_the_oldest_without_gaps(h: &Harness) {
    let mut ids = Vec::new();
    for _ in 0..25 {
        ids.push(h.enqueue("a").await);
    }
    ids.reverse();
    for most in [1, 7, 25, 100] {
        let pages = list(h, Filter { most, ..Filter::default() }).await;
        let most = usize::try_from(most).expect("small");
        assert!(pages.iter().all(|page| page.len() <= most));
        assert_eq!(pages.concat(), ids, "{most} to a page");
    }
}

pub(super) async fn a_page_is_of_a_hundred_unless_said(h: &Harness) {
    h.offer_all((0..101).map(|_| h.task_of("a")).collect()).await;
    let lengths: Vec<usize> = list(h, Filter::default()).await.iter().map(Vec::len).collect();
    assert_eq!(lengths, [100, 1]);
}

pub(super) async fn a_page_is_never_of_more_than_ten_thousand(h: &Harness) {
    for _ in 0..6 {
        let tasks: Vec<NewTask> = (0..1_700).map(|_| h.task_of("a")).collect();
        let ids = tasks.iter().map(|task| task.id.clone()).collect();
        h.offer_all(tasks).await;
        h.store().cancel(ids).await.expect("the store answers");
    }
    let lengths: Vec<usize> =
        list(h, Filter { most: u32::MAX, ..Filter::default() }).await.iter().map(Vec::len).collect();
    assert_eq!(lengths, [10_000, 200]);
}

pub(super) async fn a_list_holds_only_what_was_asked_for(h: &Harness) {
    let host = h.join("h").await;
    let poisoned = h.ended(&host, "a", Next::Poisoned(PoisonReason::Attempts)).await;
    let completed = h.ended(&host, "a", Next::Completed).await;
    let other = h.ended(&host, "b", Next::Completed).await;
    let pending = h.enqueue("a").await;
    let listed = async |states: &[StateName], task_type: Option<&str>| {
        let task_type = task_type.map(of_type);
        list(h, Filter { states: states.to_vec(), task_type, ..Filter::default() }).await.concat()
    };
    use StateName::{Cancelled, Completed, Pending, Poisoned};
    assert_eq!(listed(&[Completed], None).await, [other.clone(), completed.clone()]);
    assert_eq!(listed(&[Completed], Some("a")).await, [completed]);
    assert_eq!(listed(&[Poisoned, Pending], Some("a")).await, [pending.clone(), poisoned.clone()]);
    assert_eq!(listed(&[], Some("b")).await, [other]);
    assert_eq!(listed(&[Cancelled], None).await, [] as [TaskId; 0]);
    assert_eq!(listed(&[], Some("never.was")).await, [] as [TaskId; 0]);
}

pub(super) async fn counts_add_up(h: &Harness) {
    let host = h.join("h").await;
    for _ in 0..3 {
        h.ended(&host, "a", Next::Completed).await;
    }
    h.ended(&host, "b", Next::Poisoned(PoisonReason::Attempts)).await;
    h.enqueue("a").await;
    h.claim_one(&host).await;
    h.enqueue("a").await;
    h.enqueue("a").await;
    let mut counts = h.store().counts().await.expect("the store answers");
    counts.retain(|count| count.tasks > 0);
    counts.sort_by(|one, two| (&one.task_type, one.state).cmp(&(&two.task_type, two.state)));
    let count = |task_type, state, tasks| Count { task_type: of_type(task_type), state, tasks };
    let expected = [
        count("a", StateName::Pending, 2),
        count("a", StateName::Claimed, 1),
        count("a", StateName::Completed, 3),
        count("b", StateName::Poisoned, 1),
    ];
    assert_eq!(counts, expected);
}

fn report(worker: &str) -> WorkerReport {
    WorkerReport {
        worker: want(worker, Vec::new(), 0).worker,
        streams: 3,
        busy: 1,
        health: "yellow",
        consecutive_failures: 2,
        succeeded: 10,
        failed: 4,
        total_recoveries: 1,
        last_error: Some("It failed.".into()),
        quarantine: None,
        task_types: vec!["a.*".into()],
    }
}

pub(super) async fn hosts_are_shown_with_their_workers(h: &Harness) {
    let host = h.join("h").await;
    let reports = vec![report("one"), report("two")];
    h.store().report(host.clone(), reports.clone()).await.expect("the store answers");
    let view = one(h.store().hosts().await.expect("the store answers"));
    assert_eq!((view.host, &*view.name, view.pid, &*view.version, view.alive), (host, "h", 1, "1", true));
    assert_eq!(view.workers, reports);
}

pub(super) async fn the_dead_are_not_shown_as_alive(h: &Harness) {
    let (left, killed, alive) = (h.join("left").await, h.join("killed").await, h.join("alive").await);
    h.leave(&left).await;
    h.kill(&killed);
    let views = h.store().hosts().await.expect("the store answers");
    let living: Vec<_> = views.into_iter().filter(|view| view.alive).map(|view| view.host).collect();
    assert_eq!(living, [alive]);
}
