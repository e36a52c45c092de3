//! A host on a machine that has enough to do.

use super::{Rig, SECOND, by_type};
use crate::line::pass;
use crate::plan::Plan;
use wh_domain::event::Event;
use wh_domain::task::StateName;
use wh_domain::watermark::Readings;

fn load(hundredths: u64) -> Readings {
    Readings { load: Some(hundredths), ..Readings::default() }
}

#[tokio::test(start_paused = true)]
async fn a_host_on_a_strained_machine_claims_nothing_says_so_once_and_goes_on_afterwards() {
    let mut rig = Rig::new(2);
    let running = rig.enqueue("slow").await;
    rig.until("one runs", |rig| rig.is_claimed(&running)).await;
    rig.shared.machine.set(load(801));
    pass(SECOND).await;
    let waiting = rig.enqueue("ok").await;
    pass(SECOND * 600).await;
    assert!(rig.is_pending(&waiting) && rig.is_claimed(&running), "what runs goes on");
    assert_eq!(rig.told(|it| matches!(it, Event::HostStrained { .. })), 1);
    rig.shared.machine.set(load(799));
    pass(SECOND * 600).await;
    assert!(rig.is_pending(&waiting), "a little less is not enough");
    rig.shared.machine.set(load(700));
    let took = rig.until("it is done", |rig| rig.has_ended_as(&waiting, StateName::Completed)).await;
    assert!(took < SECOND * 4, "{took:?}");
    assert_eq!(rig.told(|it| matches!(it, Event::HostRelieved)), 1);
    super::cancel(&rig, &running).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_ends_when_nothing_is_left_does_not_take_a_strain_for_that() {
    let mut rig = Rig::with(Plan { until_idle: true, ..Plan::alone(1, by_type) }, 1);
    rig.shared.machine.set(load(10_000));
    let waiting = rig.enqueue("ok").await;
    pass(SECOND * 600).await;
    assert!(rig.is_pending(&waiting));
    rig.shared.machine.set(load(0));
    rig.farewell().await;
    assert!(rig.has_ended_as(&waiting, StateName::Completed));
}
