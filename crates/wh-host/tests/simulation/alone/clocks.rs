//! Clocks that jump: what became due by it is found with the next heartbeat.

use super::{HOUR, Rig, SECOND};
use crate::workers::task_type;
use std::time::Duration;
use wh_domain::id::TaskId;
use wh_domain::task::{NewTask, Payload, StateName};
use wh_ports::clock::Clock;

async fn in_a_week(rig: &mut Rig) -> TaskId {
    let run_at = Some(rig.shared.clock.wall().after(HOUR * 24 * 7));
    let id = TaskId::new("in-a-week").unwrap();
    let id = rig.hand_over(NewTask { run_at, ..NewTask::new(id, task_type("ok"), Payload::null()) }).await;
    crate::line::pass(SECOND * 20).await;
    assert!(rig.is_pending(&id));
    id
}

#[tokio::test(start_paused = true)]
async fn what_became_due_because_the_calendar_was_set_is_claimed_with_the_next_heartbeat() {
    let mut rig = Rig::new(1);
    let id = in_a_week(&mut rig).await;
    rig.shared.clock.jump_wall(8 * 24 * 3_600 * 1_000);
    rig.shared.judge().calendar_jumped(false);
    let took = rig.until("it is done", |rig| rig.has_ended_as(&id, StateName::Completed)).await;
    assert!(took <= SECOND * 9, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_became_due_while_the_machine_slept_is_claimed_with_the_next_heartbeat() {
    let mut rig = Rig::new(1);
    let id = in_a_week(&mut rig).await;
    // Both clocks of the store went on; the timers of the process stood still.
    rig.shared.clock.advance(HOUR * 24 * 8);
    let took = rig.until("it is done", |rig| rig.has_ended_as(&id, StateName::Completed)).await;
    assert!(took <= SECOND * 9, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_calendar_that_is_set_back_delays_no_backoff() {
    let mut rig = Rig::new(1);
    let id = rig.enqueue("fails-once").await;
    rig.until("it waits", |rig| rig.attempts() == 1 && rig.is_pending(&id)).await;
    rig.shared.clock.jump_wall(-10 * 365 * 24 * 3_600 * 1_000);
    rig.shared.judge().calendar_jumped(true);
    let took = rig.until("it is done", |rig| rig.has_ended_as(&id, StateName::Completed)).await;
    assert!(took <= Duration::from_millis(2_100), "{took:?}");
}
