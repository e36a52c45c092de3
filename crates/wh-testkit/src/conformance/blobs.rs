//! Contents too large for a row.

use super::harness::{Harness, ending, one, secs};
use crate::digest::sha256;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use wh_domain::lifecycle::Next;
use wh_domain::task::{InputFile, NewTask, Payload};
use wh_ports::blobs::Stored;
use wh_ports::claims::{Produced, Settled, Settlement};
use wh_ports::upkeep::Retention;

/// Well above the bound of a row.
const LARGE: usize = (1 << 20) + 1_000;
/// SHA-256 of `abc`, as the standard gives it.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A JSON text of [`LARGE`] bytes in which every part is different.
fn large_text() -> String {
    let mut text = "[".to_owned();
    while text.len() < LARGE {
        text.push_str(&text.len().to_string());
        text.push(',');
    }
    text.push_str("1.0]");
    text
}

fn written(folder: &TempDir, content: &[u8]) -> PathBuf {
    let path = folder.path().join("file");
    std::fs::write(&path, content).expect("the folder can be written");
    path
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a place for files")
}

/// Checks that a large payload came back whole, and where its digest says.
fn check(h: &Harness, stored: &Stored, content: &[u8], is_json: bool) {
    let Stored::Blob { path, sha256: digest, size, json } = stored else {
        unreachable!("it is large: {stored:?}")
    };
    assert_eq!((*size, *json), (u64::try_from(content.len()).expect("small"), is_json));
    assert!(std::fs::read(path).expect("it is there") == content, "not a byte is changed");
    assert_eq!((digest.len(), path), (64, &h.store().blob_path(digest)));
    assert_eq!(*digest, sha256(content));
}

pub(super) async fn large_params_are_a_file_under_their_digest(h: &Harness) {
    let (host, text) = (h.join("h").await, large_text());
    let id = h.add(NewTask { params: Payload::Json(text.as_str().into()), ..h.task_of("a") }).await;
    check(h, &h.claim_one(&host).await.params, text.as_bytes(), true);
    h.crash().await;
    check(h, &h.dossier(&id).await.params, text.as_bytes(), true);
}

pub(super) async fn a_mebibyte_stays_in_its_row(h: &Harness) {
    let host = h.join("h").await;
    let of = |size: usize| Payload::Bytes(vec![7; size].into());
    for (size, is_inline) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let id = h.add(NewTask { params: of(size), ..h.task_of("a") }).await;
        let claim = h.claim_one(&host).await;
        let result = Some(Produced { payload: of(size), partial: false });
        h.settle(Settlement { result, ..ending(&claim, Next::Completed) }).await;
        let (result, _) = h.dossier(&id).await.result.expect("it has one");
        for stored in [claim.params, result] {
            assert_eq!(matches!(stored, Stored::Inline(_)), is_inline, "{size} bytes");
        }
    }
}

pub(super) async fn a_large_result_is_a_file_under_its_digest(h: &Harness) {
    let (host, bytes) = (h.join("h").await, vec![0xfe; LARGE]);
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let payload = Payload::Bytes(bytes.as_slice().into());
    let result = Some(Produced { payload, partial: false });
    h.settle(Settlement { result, ..ending(&claim, Next::Completed) }).await;
    let (stored, partial) = h.dossier(&id).await.result.expect("it has one");
    assert!(!partial);
    check(h, &stored, &bytes, false);
}

pub(super) async fn the_same_large_settlement_again_is_done(h: &Harness) {
    let host = h.join("h").await;
    h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let payload = Payload::Json(large_text().into());
    let result = Some(Produced { payload, partial: false });
    let settlement = Settlement { result, ..ending(&claim, Next::Completed) };
    assert_eq!(h.settle(settlement.clone()).await, Settled::Done);
    assert_eq!(h.settle(settlement).await, Settled::Done);
}

pub(super) async fn a_kept_file_lies_under_its_digest(h: &Harness) {
    let folder = folder();
    let input = h.store().keep_file("a name".into(), written(&folder, b"abc")).await.expect("it can be read");
    assert_eq!((&*input.name, &*input.sha256, input.size), ("a name", ABC, 3));
    drop(folder);
    assert_eq!(std::fs::read(h.store().blob_path(ABC)).expect("it is a copy"), b"abc");
    h.crash().await;
    assert_eq!(std::fs::read(h.store().blob_path(ABC)).expect("it is durable"), b"abc");
}

pub(super) async fn a_kept_file_reaches_the_attempt(h: &Harness) {
    let (host, folder) = (h.join("h").await, folder());
    let input = h.store().keep_file("in.txt".into(), written(&folder, b"abc")).await.expect("it can be read");
    let twin = InputFile { name: "again.txt".into(), ..input.clone() };
    let inputs = vec![input, twin];
    let id = h.add(NewTask { inputs: inputs.clone(), ..h.task_of("a") }).await;
    let claim = h.claim_one(&host).await;
    let (files, paths): (Vec<_>, Vec<_>) = claim.inputs.into_iter().unzip();
    assert_eq!(files, inputs, "in their order");
    assert!(paths.iter().all(|path| std::fs::read(path).expect("it is there") == b"abc"));
    assert_eq!(h.dossier(&id).await.inputs, inputs);
}

pub(super) async fn a_file_that_is_not_there_cannot_be_kept(h: &Harness) {
    let absent = folder().path().join("absent");
    assert!(h.store().keep_file("x".into(), absent).await.is_err());
    h.enqueue("a").await;
}

async fn sweep_all(h: &Harness) {
    let nothing = Retention { completed: secs(1), finished: 0, ..Retention::default() };
    for _ in 0..10 {
        h.store().sweep(nothing).await.expect("the store answers");
    }
}

pub(super) async fn a_blob_stays_as_long_as_its_task(h: &Harness) {
    let (host, folder) = (h.join("h").await, folder());
    let input = h.store().keep_file("in.txt".into(), written(&folder, b"abc")).await.expect("it can be read");
    h.add(NewTask { inputs: vec![input], ..h.task_of("a") }).await;
    h.pass(Duration::from_secs(100 * 86_400));
    sweep_all(h).await;
    let claim = one(h.claim(&host, 1).await);
    assert!(std::fs::exists(&claim.inputs[0].1).expect("it can be looked at"));
    h.settle_ok(&claim).await;
}

pub(super) async fn a_blob_is_kept_for_a_while_before_its_task_comes(h: &Harness) {
    let folder = folder();
    let input = h.store().keep_file("in.txt".into(), written(&folder, b"abc")).await.expect("it can be read");
    h.pass(Duration::from_secs(59 * 60));
    sweep_all(h).await;
    h.add(NewTask { inputs: vec![input], ..h.task_of("a") }).await;
}
