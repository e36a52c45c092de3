//! What an attempt leaves while it runs.

use super::harness::{Harness, one};
use wh_domain::attempt::Progress;
use wh_domain::lifecycle::{Next, Wait};
use wh_ports::claims::{Claim, Note};

const AGAIN: Next = Next::Pending { wait: Wait::Now, waiting_for: None };

fn progress(percent: f64) -> Progress {
    Progress { current: Some(1.5), total: None, percent: Some(percent), message: Some("half \"way\"".into()) }
}

fn saying(claim: &Claim, percent: f64, checkpoint: Option<&str>) -> Note {
    Note {
        seq: claim.seq,
        fence: claim.fence,
        progress: Some(progress(percent)),
        checkpoint: checkpoint.map(Into::into),
    }
}

async fn note(h: &Harness, note: Note) -> bool {
    one(h.store().note(vec![note]).await.expect("the store answers"))
}

pub(super) async fn progress_is_kept(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    assert!(note(h, saying(&claim, 10.0, None)).await);
    assert!(note(h, saying(&claim, 50.0, None)).await);
    assert_eq!(h.dossier(&id).await.progress, Some(progress(50.0)));
}

pub(super) async fn a_checkpoint_reaches_the_next_attempt(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    assert_eq!(claim.checkpoint, None);
    let text = r#"{"page":1.10,"page":2}"#;
    assert!(note(h, saying(&claim, 10.0, Some(text))).await);
    assert!(note(h, saying(&claim, 20.0, None)).await, "progress alone leaves the checkpoint");
    assert_eq!(h.dossier(&id).await.checkpoint.as_deref(), Some(text));
    h.end(&claim, AGAIN).await;
    assert_eq!(h.claim_one(&host).await.checkpoint.as_deref(), Some(text));
}

pub(super) async fn a_checkpoint_survives_a_crash(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    assert!(note(h, saying(&claim, 10.0, Some("[3]"))).await);
    h.crash().await;
    assert_eq!(h.dossier(&id).await.checkpoint.as_deref(), Some("[3]"));
}

pub(super) async fn an_old_fence_notes_nothing(h: &Harness) {
    let (old, new) = (h.join("old").await, h.join("new").await);
    let id = h.enqueue("a").await;
    let lost = h.claim_one(&old).await;
    h.kill(&old);
    assert_eq!(h.take_over(&new).await.len(), 1);
    assert!(!note(h, saying(&lost, 99.0, Some("[9]"))).await);
    let dossier = h.dossier(&id).await;
    assert_eq!((dossier.progress, dossier.checkpoint), (None, None));
}

pub(super) async fn an_ended_attempt_notes_nothing(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    h.end(&claim, AGAIN).await;
    assert!(!note(h, saying(&claim, 99.0, Some("[9]"))).await);
    assert_eq!(h.dossier(&id).await.checkpoint, None);
}

pub(super) async fn notes_of_one_call_stand_each_on_its_own(h: &Harness) {
    let host = h.join("h").await;
    h.enqueue("a").await;
    let ended = h.claim_one(&host).await;
    h.settle_ok(&ended).await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let notes = vec![saying(&ended, 1.0, None), saying(&claim, 2.0, None)];
    assert_eq!(h.store().note(notes).await.expect("the store answers"), [false, true]);
    assert_eq!(h.dossier(&id).await.progress, Some(progress(2.0)));
}
