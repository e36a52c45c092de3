//! What workers say while they work.

use super::{Rig, SECOND};
use crate::line::{Trouble, pass};
use crate::plan::Plan;
use std::time::Duration;
use wh_domain::attempt::Progress;
use wh_domain::task::StateName;
use wh_ports::reader::Reader;
use wh_ports::runner::{Assignment, Said};
use wh_testkit::memory::Verb;
use wh_testkit::script::Script;

/// Says something every tenth of a second; the first attempt leaves a checkpoint just before it fails.
fn talks(assignment: &Assignment) -> Script {
    let claim = &assignment.claim;
    let is_first = claim.history.counters.attempts == 0;
    let result = crate::judge::expected_result(&claim.id, claim.fence.0);
    let mut script =
        if is_first { Script::exits(SECOND * 10, 1) } else { Script::succeeds(SECOND).giving(result) };
    for nth in 0..100_u32 {
        let said = Progress { percent: Some(f64::from(nth)), ..Progress::default() };
        script = script.saying(Duration::from_millis(100) * nth, Said::Progress(said));
    }
    script.saying(Duration::from_millis(9_950), Said::Checkpoint("\"half\"".into()))
}

#[tokio::test(start_paused = true)]
async fn progress_is_kept_once_a_second_and_the_last_word_of_an_attempt_is_for_the_next() {
    let mut rig = Rig::with(Plan::alone(1, talks), 1);
    let id = rig.enqueue("any").await;
    rig.until("it waits", |rig| rig.attempts() == 1 && rig.is_pending(&id)).await;
    let notes = rig.line().asked().iter().filter(|verb| **verb == Verb::Note).count();
    assert!((9..=12).contains(&notes), "{notes}");
    let dossier = rig.shared.store.dossier(id.clone()).await.unwrap().unwrap();
    assert_eq!(dossier.checkpoint.as_deref(), Some("\"half\""));
    assert!(dossier.progress.unwrap().percent >= Some(89.0));
    rig.until("it is done", |rig| rig.has_ended_as(&id, StateName::Completed)).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_store_that_was_away_did_not_take_is_told_again() {
    let mut rig = Rig::with(Plan::alone(1, talks), 1);
    rig.line().trouble(Verb::Note, Trouble::Refused);
    let id = rig.enqueue("any").await;
    pass(Duration::from_millis(9_960)).await;
    rig.line().no_more_trouble();
    rig.until("it waits", |rig| rig.attempts() == 1 && rig.is_pending(&id)).await;
    let dossier = rig.shared.store.dossier(id).await.unwrap().unwrap();
    assert_eq!(dossier.checkpoint.as_deref(), Some("\"half\""));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_the_store_did_not_take_is_told_again_though_nothing_changed() {
    let mut rig = Rig::new(1);
    rig.line().trouble(Verb::Report, Trouble::Refused);
    let id = rig.enqueue("ok").await;
    rig.until("it is done", |rig| rig.has_ended_as(&id, StateName::Completed)).await;
    pass(SECOND * 30).await;
    rig.line().no_more_trouble();
    pass(SECOND * 6).await;
    let hosts = rig.shared.store.hosts().await.unwrap();
    assert_eq!(hosts[0].workers[0].succeeded, 1);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_the_store_did_not_take_is_kept_for_it() {
    let said = |_: &Assignment| Script::hangs().saying(SECOND, Said::Checkpoint("\"half\"".into()));
    let mut rig = Rig::with(Plan::alone(1, said), 1);
    rig.line().trouble(Verb::Note, Trouble::Refused);
    let id = rig.enqueue("any").await;
    pass(SECOND * 30).await;
    rig.line().no_more_trouble();
    pass(SECOND * 6).await;
    let dossier = rig.shared.store.dossier(id).await.unwrap().unwrap();
    assert_eq!(dossier.checkpoint.as_deref(), Some("\"half\""), "its worker has said it once");
}
