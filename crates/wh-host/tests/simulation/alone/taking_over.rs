//! What a host does with what the dead have left.

use super::{Rig, SECOND};
use crate::line::{Line, Trouble, pass};
use std::sync::Arc;
use wh_domain::event::Event;
use wh_domain::id::HostId;
use wh_domain::task::StateName;
use wh_ports::claims::{Claims, Introduction, Want};
use wh_testkit::memory::Verb;

/// A host that has claimed so many tasks and died.
async fn dead(rig: &mut Rig, name: &str, tasks: u32) -> HostId {
    let host = HostId::new(name).unwrap();
    rig.shared.judge().joins(&host, tasks, &[]);
    let line: Arc<Line> = Line::new(&rig.shared, Some(host.clone()), 1);
    line.calm();
    let introduction = Introduction { host: host.clone(), name: name.into(), pid: 1, version: "1".into() };
    line.join(introduction).await.unwrap();
    for _ in 0..tasks {
        rig.enqueue("left").await;
    }
    let (_, lanes) = line.lanes().await.unwrap();
    let lanes = lanes.into_iter().map(|lane| lane.id).collect();
    let worker = crate::workers::name("rest");
    let want = Want { worker, lanes, most: tasks, lost_is_final: false };
    let claimed = line.claim(host.clone(), vec![want], tasks).await.unwrap();
    assert_eq!(claimed.claims.len(), usize::try_from(tasks).unwrap());
    rig.shared.store.kill_host(&host);
    rig.shared.judge().died(&host);
    host
}

fn reclaimed(rig: &Rig) -> usize {
    rig.told(|it| matches!(it, Event::Reclaimed { .. }))
}

/// A host that is busy, so that it claims nothing itself.
async fn busy() -> Rig {
    let mut rig = Rig::new(1);
    rig.enqueue("slow").await;
    rig.until("it is busy", |rig| rig.attempts() == 1).await;
    rig
}

#[tokio::test(start_paused = true)]
async fn it_takes_over_everything_with_one_heartbeat_however_much_there_is() {
    let mut rig = busy().await;
    dead(&mut rig, "dead", 1_200).await;
    let took = rig.until("all is taken over", |rig| reclaimed(rig) == 1_200).await;
    assert!(took <= SECOND * 8, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_dies_just_before_or_after_its_start_is_found_soon() {
    let mut rig = busy().await;
    // The later, the longer it may take, but neither takes a whole rhythm.
    for (nth, soon) in [(1, SECOND), (2, SECOND * 3)] {
        let before = reclaimed(&rig);
        dead(&mut rig, &format!("dead-{nth}"), 1).await;
        let took = rig.until("it is taken over", |rig| reclaimed(rig) > before).await;
        assert!(took <= soon, "{nth}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn processes_that_cannot_be_ended_hold_up_the_tasks_of_their_own_host_only() {
    let mut rig = busy().await;
    // Four attempts resist four times, eleven not at all.
    dead(&mut rig, "resists", 4).await;
    dead(&mut rig, "gone", 11).await;
    rig.until("the one is buried", |rig| reclaimed(rig) == 11).await;
    assert_eq!(rig.told(|it| matches!(it, Event::ProcessesRemain { .. })), 1);
    let took = rig.until("and then the other", |rig| reclaimed(rig) == 15).await;
    assert!(took > SECOND / 10, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wish_for_what_is_taken_over_is_obeyed() {
    let mut rig = busy().await;
    dead(&mut rig, "dead", 1).await;
    let id = rig.shared.judge().unfinished().pop().unwrap();
    rig.line().trouble(Verb::Settle, Trouble::Late(SECOND));
    rig.until("it is taken over", |rig| rig.line().asked().contains(&Verb::Settle)).await;
    super::cancel(&rig, &id).await;
    rig.until("it is cancelled", |rig| rig.has_ended_as(&id, StateName::Cancelled)).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_meanwhile_delays_it_and_loses_nothing() {
    let mut rig = busy().await;
    dead(&mut rig, "dead", 30).await;
    rig.line().trouble(Verb::Settle, Trouble::Refused);
    pass(SECOND * 60).await;
    assert_eq!(reclaimed(&rig), 0);
    rig.line().no_more_trouble();
    rig.until("all is taken over", |rig| reclaimed(rig) == 30).await;
}
