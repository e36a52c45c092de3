//! How tasks come in.

use super::harness::{
    Harness, MAX_PENDING, ending, enqueued, given, id, json, of_type, one, secs, unique, wall,
};
use wh_domain::id::Seq;
use wh_domain::lifecycle::Next;
use wh_domain::task::{InputFile, NewTask, Payload, StateName};
use wh_ports::blobs::Stored;
use wh_ports::claims::{Produced, Settled, Settlement};
use wh_ports::intake::Enqueued;

pub(super) async fn a_new_task_is_pending_and_can_be_read(h: &Harness) {
    let id = h.enqueue("a.b").await;
    let task = h.task(&id).await;
    assert_eq!((task.state.name(), task.fence.0, task.priority), (StateName::Pending, 0, 0));
    assert_eq!((task.task_type, task.created_at), (of_type("a.b"), wall(h)));
}

pub(super) async fn answers_come_in_the_order_of_the_tasks(h: &Harness) {
    let first = given("one", h.task_of("a"));
    h.add(first.clone()).await;
    let other = NewTask { params: json("1"), ..first.clone() };
    let answers = h.offer_all(vec![h.task_of("a"), other, first, h.task_of("b")]).await;
    assert!(matches!(
        answers[..],
        [Enqueued::Created(_), Enqueued::Conflict, Enqueued::Existing { .. }, Enqueued::Created(_)]
    ));
}

pub(super) async fn later_tasks_have_larger_keys(h: &Harness) {
    let answers = h.offer_all((0..20).map(|_| h.task_of("a")).collect()).await;
    let seqs: Vec<Seq> = answers
        .iter()
        .map(|answer| match answer {
            Enqueued::Created(seq) => *seq,
            _ => Seq(0),
        })
        .collect();
    assert!(seqs.is_sorted_by(|a, b| a < b) && seqs.first() > Some(&Seq(0)), "{seqs:?}");
}

pub(super) async fn an_empty_call_adds_nothing(h: &Harness) {
    let before = h.latest().await;
    assert_eq!(h.offer_all(Vec::new()).await, []);
    assert_eq!(h.latest().await, before);
}

pub(super) async fn the_same_id_with_the_same_content_is_there_already(h: &Harness) {
    let task = given("order-7", h.task_of("a"));
    let Enqueued::Created(seq) = h.offer(task.clone()).await else { unreachable!("it is new") };
    assert_eq!(h.offer(task).await, Enqueued::Existing { seq, state: StateName::Pending });
    let host = h.join("h").await;
    assert_eq!(h.claim(&host, 10).await.len(), 1, "there is one task");
}

pub(super) async fn the_same_id_is_there_already_even_after_the_end(h: &Harness) {
    let (task, host) = (given("order-7", h.task_of("a")), h.join("h").await);
    h.add(task.clone()).await;
    let claim = h.claim_one(&host).await;
    h.settle_ok(&claim).await;
    let existing = Enqueued::Existing { seq: claim.seq, state: StateName::Completed };
    assert_eq!(h.offer(task).await, existing);
}

pub(super) async fn the_same_id_with_other_content_is_a_conflict(h: &Harness) {
    let task = given("order-7", NewTask { params: json("{\"a\":1}"), ..h.task_of("a") });
    h.add(task.clone()).await;
    let others = [
        NewTask { params: json("{\"a\":2}"), ..task.clone() },
        NewTask { params: Payload::Bytes((*b"{\"a\":1}").into()), ..task.clone() },
        NewTask { task_type: of_type("b"), ..task.clone() },
        NewTask { metadata: Some("{\"tenant\":1}".into()), ..task.clone() },
    ];
    for other in others {
        assert_eq!(h.offer(other.clone()).await, Enqueued::Conflict, "{other:?}");
    }
    assert!(matches!(h.dossier(&task.id).await.params, Stored::Inline(it) if it == task.params));
}

pub(super) async fn another_trace_is_no_other_content(h: &Harness) {
    let task = given("order-7", h.task_of("a"));
    h.add(task.clone()).await;
    let again = NewTask { traceparent: Some("00-2-2-01".into()), ..task };
    assert!(matches!(h.offer(again).await, Enqueued::Existing { .. }));
}

pub(super) async fn one_call_may_hold_the_same_task_twice(h: &Harness) {
    let task = given("order-7", h.task_of("a"));
    let other = NewTask { params: json("1"), ..task.clone() };
    let answers = h.offer_all(vec![task.clone(), task, other]).await;
    assert!(matches!(answers[..], [Enqueued::Created(_), Enqueued::Existing { .. }, Enqueued::Conflict]));
}

pub(super) async fn one_unfinished_task_holds_a_unique_key(h: &Harness) {
    let holder = h.add(unique("k", h.task_of("a"))).await;
    let duplicate = Enqueued::Duplicate { of: holder };
    assert_eq!(h.offer(unique("k", h.task_of("b"))).await, duplicate, "while it is pending");
    let host = h.join("h").await;
    h.claim_one(&host).await;
    assert_eq!(h.offer(unique("k", h.task_of("a"))).await, duplicate, "while it is claimed");
    h.add(unique("other", h.task_of("a"))).await;
}

pub(super) async fn a_unique_key_is_free_with_the_commit_that_ends_its_holder(h: &Harness) {
    let host = h.join("h").await;
    for next in [Next::Completed, Next::Cancelled] {
        h.add(unique("k", h.task_of("a"))).await;
        let claim = h.claim_one(&host).await;
        h.end(&claim, next).await;
    }
    h.add(unique("k", h.task_of("a"))).await;
}

pub(super) async fn a_cancelled_holder_frees_its_unique_key(h: &Harness) {
    let holder = h.add(unique("k", h.task_of("a"))).await;
    h.cancel(&holder).await;
    h.add(unique("k", h.task_of("a"))).await;
}

async fn fill(h: &Harness) -> Vec<NewTask> {
    let tasks: Vec<NewTask> = (0..MAX_PENDING).map(|_| h.task_of("a")).collect();
    let answers = h.offer_all(tasks.clone()).await;
    assert!(answers.iter().all(|answer| matches!(answer, Enqueued::Created(_))), "there is room for all");
    tasks
}

pub(super) async fn no_more_tasks_are_pending_than_allowed(h: &Harness) {
    let tasks = fill(h).await;
    let refused = h.task_of("a");
    assert_eq!(h.offer(refused.clone()).await, Enqueued::Full { max: MAX_PENDING });
    assert_eq!(h.find(&refused.id).await, None);
    assert!(matches!(h.offer(one(tasks[..1].to_vec())).await, Enqueued::Existing { .. }), "it is no new one");
}

pub(super) async fn what_is_claimed_or_ended_makes_room_for_others(h: &Harness) {
    let (tasks, host) = (fill(h).await, h.join("h").await);
    let claim = h.claim_one(&host).await;
    h.enqueue("a").await;
    assert!(matches!(h.offer(h.task_of("a")).await, Enqueued::Full { .. }));
    h.settle_ok(&claim).await;
    assert!(matches!(h.offer(h.task_of("a")).await, Enqueued::Full { .. }), "it was not pending any more");
    h.cancel(&tasks[1].id).await;
    h.enqueue("a").await;
}

pub(super) async fn a_full_queue_does_not_hold_up_what_a_host_settles(h: &Harness) {
    let host = h.join("h").await;
    h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    fill(h).await;
    let follow_up = h.task_of("a");
    let settlement = Settlement { follow_ups: vec![follow_up.clone()], ..ending(&claim, Next::Completed) };
    assert_eq!(h.settle(settlement).await, Settled::Done);
    assert_eq!(h.state(&follow_up.id).await, StateName::Pending);
}

pub(super) async fn what_is_refused_leaves_nothing_behind(h: &Harness) {
    h.add(unique("k", given("known", h.task_of("a")))).await;
    let before = h.latest().await;
    let refused = [
        given("known", h.task_of("other")),
        unique("k", given("fresh", h.task_of("a"))),
        NewTask { inputs: vec![absent()], ..given("fresh", h.task_of("a")) },
    ];
    for task in refused {
        h.offer(task).await;
    }
    assert_eq!(enqueued(&h.facts(before).await), []);
    assert_eq!(h.find(&id("fresh")).await, None);
}

fn absent() -> InputFile {
    InputFile { name: "absent.txt".into(), sha256: "0".repeat(64).into(), size: 1 }
}

pub(super) async fn a_missing_input_is_named(h: &Harness) {
    let task = NewTask { inputs: vec![absent()], ..h.task_of("a") };
    assert_eq!(h.offer(task).await, Enqueued::MissingInput("absent.txt".into()));
}

/// Values that come back changed from whoever parses and prints them again.
const DELICATE: &[&str] = &[
    r#"{"b":1,"a":2}"#,
    r#"{"same":1,"same":2}"#,
    "123456789012345678901234567890",
    "1.10",
    "1e400",
    "-0",
    r#""\u0041\/\u00e9""#,
    r#""\u0000""#,
    r#""\ud83d\ude00 \ud800""#,
    "\"\u{e9}\u{1f600}\u{2028}\"",
    "[]",
    "null",
];

pub(super) async fn params_and_results_come_out_byte_for_byte(h: &Harness) {
    let host = h.join("h").await;
    for text in DELICATE {
        let id = h.add(NewTask { params: json(text), ..h.task_of("a") }).await;
        let claim = h.claim_one(&host).await;
        assert_eq!(claim.params, Stored::Inline(json(text)));
        let mut settlement = ending(&claim, Next::Completed);
        settlement.result = Some(Produced { payload: json(text), partial: false });
        assert_eq!(h.settle(settlement).await, Settled::Done);
        let dossier = h.dossier(&id).await;
        assert_eq!(dossier.params, Stored::Inline(json(text)));
        assert_eq!(dossier.result, Some((Stored::Inline(json(text)), false)));
    }
}

pub(super) async fn bytes_come_out_as_bytes(h: &Harness) {
    let host = h.join("h").await;
    for bytes in [&b""[..], b"\0\xff\n", b"{\"looks\": \"like JSON\"}"] {
        let params = Payload::Bytes(bytes.into());
        h.add(NewTask { params: params.clone(), ..h.task_of("a") }).await;
        let claim = h.claim_one(&host).await;
        assert_eq!(claim.params, Stored::Inline(params));
        h.settle_ok(&claim).await;
    }
}

pub(super) async fn whatever_the_producer_said_reaches_the_attempt(h: &Harness) {
    let task = NewTask {
        metadata: Some(r#"{"tenant":"x"}"#.into()),
        priority: -3,
        max_attempts: Some(9),
        traceparent: Some("00-1-1-01".into()),
        params: json("[1]"),
        ..h.task_of("a")
    };
    h.add(task.clone()).await;
    let created = wall(h);
    h.pass(secs(5));
    let host = h.join("h").await;
    let claim = h.claim_one(&host).await;
    assert_eq!((claim.id, claim.task_type, claim.priority), (task.id, task.task_type, task.priority));
    assert_eq!((claim.metadata, claim.traceparent), (task.metadata, task.traceparent));
    assert_eq!(claim.params, Stored::Inline(task.params));
    assert_eq!(claim.history.max_attempts, Some(9));
    assert_eq!((claim.created_at, claim.claimed_at), (created, wall(h)));
}

pub(super) async fn an_acknowledged_task_survives_a_crash(h: &Harness) {
    let task = unique("k", given("order-7", NewTask { params: json("[1]"), ..h.task_of("a") }));
    h.add(task.clone()).await;
    let before = h.task(&task.id).await;
    h.crash().await;
    assert_eq!(h.task(&task.id).await, before);
    assert_eq!(h.dossier(&task.id).await.params, Stored::Inline(json("[1]")));
    assert!(matches!(h.offer(task).await, Enqueued::Existing { .. }));
    assert!(matches!(h.offer(unique("k", h.task_of("a"))).await, Enqueued::Duplicate { .. }));
}
