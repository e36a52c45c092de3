//! The life of a task from enqueue to its dossier, also over a restart.

use crate::kit::{Home, claim, enqueue_one, host, id, join, of_type, run, success, task};
use wh_domain::attempt::OutcomeName;
use wh_domain::id::Seq;
use wh_domain::lifecycle::Next;
use wh_domain::task::{PoisonReason, StateName};
use wh_ports::blobs::Stored;
use wh_ports::claims::{Claims, Cursor, Settled};
use wh_ports::intake::Enqueued;
use wh_ports::reader::{Fact, Filter, Reader};
use wh_ports::upkeep::Upkeep;

#[test]
fn a_task_lives_from_enqueue_to_dossier_and_all_of_it_survives_a_restart() {
    let home = Home::new();
    run(async {
        let store = home.open();
        join(&store, "a").await;
        assert_eq!(enqueue_one(&store, task("t")).await, Enqueued::Created(Seq(1)));
        let claims = claim(&store, "a", 5).await;
        assert_eq!(claims.len(), 1);
        assert_eq!(claims[0].fence.0, 1);
        store.renew(host("a")).await.unwrap();
        let settled = store.settle(vec![success(&claims[0], "a")]).await.unwrap();
        assert_eq!(settled, [Settled::Done]);
    });
    run(async {
        let store = home.open();
        let dossier = store.dossier(id("t")).await.unwrap().unwrap();
        assert_eq!(dossier.task.state.name(), StateName::Completed);
        assert_eq!(dossier.params, Stored::Inline(crate::kit::json("{\"n\": 1}")));
        assert_eq!(dossier.result, Some((Stored::Inline(crate::kit::json("{\"ok\":true}")), false)));
        assert_eq!(dossier.attempts.len(), 1);
        assert_eq!(&*dossier.attempts[0].log_tail, "last words");
        let (facts, cursor) = store.facts(Cursor::default(), 10).await.unwrap();
        assert_eq!(facts[0], Fact::Enqueued { from: Seq(1), to: Seq(1) });
        let Fact::Settled { outcome, state, .. } = &facts[1] else { panic!("{facts:?}") };
        assert_eq!((*outcome, *state), (OutcomeName::Succeeded, StateName::Completed));
        assert_eq!(store.latest().await.unwrap(), cursor);
        assert_eq!(store.list(Filter::default()).await.unwrap().tasks.len(), 1);
        assert_eq!(store.counts().await.unwrap()[0].tasks, 1);
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        assert_eq!(
            enqueue_one(&store, task("t")).await,
            Enqueued::Existing { seq: Seq(1), state: StateName::Completed }
        );
    });
}

#[test]
fn every_choice_of_states_and_type_lists_what_it_says() {
    let home = Home::new();
    run(async {
        let store = home.open();
        let _membership = join(&store, "a").await;
        for name in ["completed", "poisoned", "cancelled", "claimed", "pending"] {
            enqueue_one(&store, task(name)).await;
        }
        let claims = claim(&store, "a", 4).await;
        let ends = [Next::Completed, Next::Poisoned(PoisonReason::Lost), Next::Cancelled];
        let settlements = claims.iter().zip(ends).map(|(claim, next)| {
            let mut settlement = success(claim, "a");
            settlement.decision.next = next;
            settlement
        });
        store.settle(settlements.collect()).await.unwrap();
        for choice in 0..32_u8 {
            let chosen = |at: usize| choice & (1 << at) != 0;
            let states: Vec<StateName> = StateName::ALL
                .into_iter()
                .enumerate()
                .filter(|(at, _)| chosen(*at))
                .map(|(_, state)| state)
                .collect();
            for task_type in [None, Some(of_type("echo")), Some(of_type("other"))] {
                let filter =
                    Filter { states: states.clone(), task_type: task_type.clone(), ..Filter::default() };
                let listed = store.list(filter).await.unwrap().tasks;
                let expected = match (&task_type, states.len()) {
                    (Some(task_type), _) if task_type.as_str() == "other" => 0,
                    (_, 0) => 5,
                    (_, some) => some,
                };
                assert_eq!(listed.len(), expected, "{states:?} {task_type:?}");
                assert!(listed.is_sorted_by(|newer, older| newer.seq > older.seq));
            }
        }
    });
}
