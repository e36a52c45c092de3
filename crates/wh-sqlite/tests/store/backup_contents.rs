//! Large contents in copies of the store: none is left out, and none comes back damaged.

use crate::kit::{Home, claim, enqueue_one, files, id, join, run, success, task};
use std::fs;
use std::path::Path;
use wh_domain::task::{NewTask, Payload};
use wh_ports::blobs::{Blobs, Stored};
use wh_ports::claims::{Claims, Produced, Settlement};
use wh_ports::reader::Reader;
use wh_ports::store::StoreError;
use wh_ports::upkeep::Upkeep;
use wh_sqlite::{OpenError, SqliteStore, damaged_contents, describe, restore};

/// A content that does not stay in its row.
fn large(letter: &str) -> Payload {
    Payload::Json(format!("\"{}\"", letter.repeat(2 << 20)).into())
}

/// A store with an ended task whose params, result and input file are large.
async fn filled(home: &Home) -> std::sync::Arc<SqliteStore> {
    let store = home.open();
    let file = home.path().join("film");
    fs::write(&file, b"film").unwrap();
    let input = store.keep_file("film".into(), file).await.unwrap();
    enqueue_one(&store, NewTask { params: large("p"), inputs: vec![input], ..task("t") }).await;
    join(&store, "a").await;
    let claims = claim(&store, "a", 1).await;
    let settlement = Settlement {
        result: Some(Produced { payload: large("r"), partial: false }),
        ..success(&claims[0], "a")
    };
    store.settle(vec![settlement]).await.unwrap();
    store
}

async fn assert_whole(store: &SqliteStore) {
    let dossier = store.dossier(id("t")).await.unwrap().unwrap();
    let read = |stored: &Stored| match stored {
        Stored::Blob { path, .. } => fs::read(path).unwrap(),
        Stored::Inline(_) => panic!("it is large"),
    };
    assert_eq!(read(&dossier.params), large("p").bytes());
    assert_eq!(read(&dossier.result.unwrap().0), large("r").bytes());
    assert_eq!(fs::read(store.blob_path(&dossier.inputs[0].sha256)).unwrap(), b"film");
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[test]
fn a_backup_holds_every_large_content_and_brings_it_back_when_all_else_is_lost() {
    let home = Home::new();
    let copy = home.path().join("copy");
    run(async {
        let store = filled(&home).await;
        store.backup(copy.clone()).await.unwrap();
    });
    assert_eq!(
        files(&copy).len(),
        4,
        "the database and three contents, and nothing else: {:?}",
        files(&copy)
    );
    let description = describe(&copy.join("tasks.db")).unwrap();
    assert_eq!((description.ended, description.contents), (1, 3));
    assert_eq!(description.contents_size, 2 * large("p").bytes().len() as u64 + 4);
    assert_eq!(files(&copy).len(), 4, "looking at it leaves nothing in it");
    fs::remove_dir_all(home.path().join("data")).unwrap();
    restore(&copy, &home.options()).unwrap();
    run(async { assert_whole(&home.open()).await });
}

#[test]
fn what_no_task_needs_is_in_no_backup() {
    let home = Home::new();
    let copy = home.path().join("copy");
    run(async {
        let store = filled(&home).await;
        let file = home.path().join("other");
        fs::write(&file, b"no task came of it").unwrap();
        store.keep_file("other".into(), file).await.unwrap();
        store.backup(copy.clone()).await.unwrap();
    });
    assert_eq!(files(&home.path().join("data/blobs")).len(), 4);
    assert_eq!(files(&copy.join("blobs")).len(), 3);
}

#[test]
fn a_content_that_was_damaged_in_the_store_comes_back_from_the_backup_and_a_damaged_backup_is_refused() {
    let home = Home::new();
    let copy = home.path().join("copy");
    run(async {
        let store = filled(&home).await;
        store.backup(copy.clone()).await.unwrap();
    });
    // The backup's files may be the store's by another name, so that one is written anew.
    let spoil = |path: &Path| {
        fs::remove_file(path).unwrap();
        fs::write(path, b"spoilt").unwrap();
    };
    for path in files(&home.path().join("data/blobs")) {
        spoil(&path);
    }
    assert_eq!(damaged_contents(&home.options()).unwrap().len(), 3);
    restore(&copy, &home.options()).unwrap();
    run(async { assert_whole(&home.open()).await });
    assert_eq!(damaged_contents(&home.options()).unwrap(), Vec::<String>::new());
    let in_store = files(&home.path().join("data/blobs"));
    spoil(&in_store[0]);
    spoil(&files(&copy.join("blobs"))[0]);
    let refused = restore(&copy, &home.options()).unwrap_err();
    assert!(matches!(&refused, OpenError::Incomplete { missing: 1, .. }), "{refused:?}");
    assert!(refused.to_string().contains("workerhost db backup"), "{refused}");
}

#[test]
fn a_database_alone_is_restored_only_where_its_contents_still_are() {
    let home = Home::new();
    let copy = home.path().join("copy");
    let alone = home.path().join("alone.db");
    run(async {
        let store = filled(&home).await;
        store.backup(copy.clone()).await.unwrap();
    });
    fs::copy(copy.join("tasks.db"), &alone).unwrap();
    restore(&alone, &home.options()).unwrap();
    run(async { assert_whole(&home.open()).await });
    fs::remove_dir_all(home.path().join("data/blobs")).unwrap();
    let refused = restore(&alone, &home.options()).unwrap_err();
    assert!(matches!(&refused, OpenError::Incomplete { missing: 3, .. }), "{refused:?}");
}

#[test]
fn a_backup_on_another_file_system_is_a_copy() {
    use std::os::unix::fs::MetadataExt;
    let home = Home::new();
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else { return };
    if fs::metadata(elsewhere.path()).unwrap().dev() == fs::metadata(home.path()).unwrap().dev() {
        return;
    }
    let copy = elsewhere.path().join("copy");
    run(async { filled(&home).await.backup(copy.clone()).await.unwrap() });
    fs::remove_dir_all(home.path().join("data")).unwrap();
    restore(&copy, &home.options()).unwrap();
    run(async { assert_whole(&home.open()).await });
}

#[test]
fn a_store_that_lacks_a_content_cannot_be_backed_up_in_silence() {
    let home = Home::new();
    run(async {
        let store = filled(&home).await;
        fs::remove_file(&files(&home.path().join("data/blobs"))[0]).unwrap();
        let refused = store.backup(home.path().join("copy")).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Broken(words) if words.contains("missing")), "{refused:?}");
    });
    let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("copy")), "nothing is left: {left:?}");
}

#[test]
fn a_backup_is_written_over_nothing_and_seen_by_nobody_else() {
    use std::os::unix::fs::MetadataExt;
    let home = Home::new();
    let (empty, full) = (home.path().join("empty"), home.path().join("full"));
    fs::create_dir(&empty).unwrap();
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), b"mine").unwrap();
    run(async {
        let store = filled(&home).await;
        store.backup(empty.clone()).await.unwrap();
        for taken in [&empty, &full, &full.join("mine")] {
            let refused = store.backup(taken.clone()).await.unwrap_err();
            assert!(matches!(&refused, StoreError::Unavailable(words) if words.contains("there already")));
        }
    });
    assert_eq!(fs::metadata(&empty).unwrap().mode() & 0o777, 0o700);
    assert!(files(&empty).iter().all(|file| fs::metadata(file).unwrap().mode() & 0o777 == 0o600));
    assert_eq!(fs::read(full.join("mine")).unwrap(), b"mine");
}
