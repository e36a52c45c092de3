//! Where the store and everything that belongs to it lies: one directory for one store.
//!
//! Locks, bells and blobs lie beside the database. Two configurations with one database and different directories
//! would each take the other's host for dead; two databases in one directory would delete each other's blobs.

use super::surroundings::Surroundings;
use crate::config::StoreUrl;
use crate::report::Report;
use crate::secret;
use crate::source::At;
use crate::tree::Scalar;
use crate::value::{Block, Leaf, Origin, Sense, Setting, Value};
use std::path::{Path, PathBuf};
use wh_domain::isolation::Level;
use wh_domain::worker::Worker;

/// The directory, where neither it nor a store is named.
const DEFAULT_DIR: &str = ".workerhost";
/// The store's file in the directory, where nothing else is said.
const DEFAULT_FILE: &str = "tasks.db";

/// A store and what belongs to it.
pub(crate) struct Place {
    pub(crate) store: StoreUrl,
    pub(crate) data_dir: PathBuf,
    /// Whether somebody chose a place for it.
    pub(crate) is_chosen: bool,
    /// Where the directories are made for which nobody chose a place.
    pub(crate) state_home: Option<PathBuf>,
}

/// The store and its directory, from whichever of `store` and `data_dir` is given.
pub(crate) fn place(root: &mut Block, around: &Surroundings<'_>, report: &mut Report) -> Option<Place> {
    if root.is_broken("store") || root.is_broken("data_dir") {
        return None;
    }
    let is_chosen = root.text("store").or(root.text("data_dir")).is_some();
    let file = match root.text("store") {
        Some(store) => Some((store.clone(), file(store, report)?)),
        None => None,
    };
    let (file, directory) = match (file, root.text("data_dir")) {
        (None, None) => {
            let directory = around.base.join(DEFAULT_DIR);
            fill_in(root, Scalar::new(DEFAULT_DIR, root.at, true));
            (directory.join(DEFAULT_FILE), directory)
        }
        (None, Some(directory)) => {
            let directory = around.base.join(&directory.text);
            (directory.join(DEFAULT_FILE), directory)
        }
        (Some((store, file)), None) => {
            let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            let shown = parent.unwrap_or(Path::new(".")).to_string_lossy().into_owned();
            fill_in(root, Scalar { text: shown.clone(), written: shown, ..store });
            let file = around.base.join(file);
            let directory = file.parent()?.to_owned();
            (file, directory)
        }
        (Some((store, file)), Some(given)) => {
            let (file, directory) = (around.base.join(file), around.base.join(&given.text));
            if !file.parent().is_some_and(|parent| is_same(parent, &directory)) {
                refuse_apart(root, &store, given, report);
                return None;
            }
            (file, directory)
        }
    };
    Some(Place {
        store: StoreUrl::Sqlite(file),
        data_dir: directory,
        is_chosen,
        state_home: around.state_home(),
    })
}

/// Warns where an isolated worker starts in a directory that holds the data directory: whoever may list a directory may list
/// all below it, so it is granted what lies in there, and not the list.
pub(crate) fn warn_of_what_cannot_be_listed(
    root: &Block,
    place: &Place,
    workers: &[Worker],
    report: &mut Report,
) {
    // What nobody chose a place for is not made in there, where there is a home for it, but may be there since before.
    let is_made_elsewhere = || place.state_home.is_some() && !place.is_chosen;
    let data_dir = match place.data_dir.canonicalize() {
        Ok(data_dir) => data_dir,
        Err(_) if is_made_elsewhere() => return,
        Err(_) => {
            let parent = place.data_dir.parent().and_then(|parent| parent.canonicalize().ok());
            let Some(parent) = parent else { return };
            parent.join(place.data_dir.file_name().unwrap_or_default())
        }
    };
    let holds = |worker: &&Worker| {
        let directory = &worker.program.directory;
        worker.isolation.level != Level::None
            && directory.canonicalize().is_ok_and(|directory| data_dir.starts_with(directory))
    };
    if let Some(worker) = workers.iter().find(holds) {
        let message = format!(
            "the data directory, {}, lies in the directory in which worker `{}` starts, and which it cannot list therefore: \
             Python finds no module that lies right in it",
            shown(root, &data_dir),
            worker.name
        );
        let mend = "stop the hosts, move it out of there, and name its new place as `data_dir`";
        report.warn(root.at("data_dir"), message, mend);
    }
}

/// A path, but not where a variable's value is in it.
fn shown(root: &Block, data_dir: &Path) -> String {
    match root.text("data_dir") {
        Some(text) if text.is_hidden() => secret::REDACTED.to_owned(),
        _ => data_dir.display().to_string(),
    }
}

/// Makes the directory that was found part of what `show` prints.
fn fill_in(root: &mut Block, text: Scalar) {
    let (at, leaf) = (text.at, Leaf { text, sense: Sense::Text });
    root.set("data_dir", Setting { value: Value::Leaf(leaf), at, origin: Origin::Default });
}

/// Reads `sqlite:PATH`, `sqlite://PATH` or a bare path, as it stands.
fn file(store: &Scalar, report: &mut Report) -> Option<PathBuf> {
    let url = store.text.as_str();
    let path = match url.split_once(':') {
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("sqlite") => {
            path.strip_prefix("//").unwrap_or(path)
        }
        Some((scheme, _)) if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            report.error(
                store.at,
                format!("`store`: {} is no store that this version knows", store.quoted()),
                "this version keeps tasks in SQLite: write `sqlite:PATH`",
            );
            return None;
        }
        _ => url,
    };
    let names_none = Path::new(path).file_name().is_none() || path.ends_with('/') || path.ends_with("/.");
    if names_none || path.starts_with(':') || path.contains('\0') || path.starts_with('~') {
        report.error(
            store.at,
            format!("`store`: {} names no file", store.quoted()),
            "write `sqlite:PATH`; a relative path starts at the file's directory",
        );
        return None;
    }
    Some(path.into())
}

/// Whether two paths are one directory; also by what they lead to, where both are there.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn refuse_apart(root: &Block, store: &Scalar, directory: &Scalar, report: &mut Report) {
    let from = |at: At| report.origin(at).to_string();
    let message = format!(
        "`store` ({}) is {}, but `data_dir` ({}) is {}: a store lies directly in its data directory",
        from(root.at("store")),
        store.quoted(),
        from(root.at("data_dir")),
        directory.quoted(),
    );
    let name = Path::new(&store.written).file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.filter(|_| !store.is_hidden()).unwrap_or_else(|| "NAME".to_owned());
    let beside = if directory.secret { "DIRECTORY" } else { directory.written.trim_end_matches('/') };
    let wanted = secret::redacted(&format!("store: sqlite:{beside}/{name}"));
    report.error(store.at, message, format!("take out `data_dir`, or write `{wanted}`"));
}
