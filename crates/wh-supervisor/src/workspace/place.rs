//! A stream's tree: made once, checked after each attempt, cleaned before the next.

use crate::briefing::PlaceNames;
use crate::workspace::beneath::{self, Look};
use crate::workspace::marker;
use crate::workspace::{digest, heartbeat, remove};
use rustix::fd::OwnedFd;
use rustix::fs::FileType;
use std::ffi::{CStr, CString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wh_domain::id::{Fence, Seq, StreamNo};
use wh_domain::time::Timestamp;
use wh_domain::worker::Worker;

/// The directories of every tree.
pub(crate) const CHILDREN: [&CStr; 4] = [c"input", c"working", c"output", c"logs"];

/// What the next attempt of the stream may use again.
pub(crate) const CACHE: &CStr = c"cache";

/// The longest name of a directory, in bytes.
const MAX_NAME: usize = 240;

const CONFIG: &CStr = c"config.yaml";

/// The tree, clean.
#[derive(Debug)]
pub(crate) struct Place {
    /// The tree's root.
    pub(crate) root: Arc<OwnedFd>,
    /// The data directory.
    pub(crate) data_dir: Arc<OwnedFd>,
    /// Its directories, as absolute paths.
    pub(crate) names: PlaceNames,
    /// Where temporary files go.
    pub(crate) temp: PathBuf,
    slot: u32,
    config: Box<str>,
    /// How `input/config.yaml` looked when it was written.
    config_look: Option<Look>,
    /// How `output/progress.md` looked when it was written.
    pub(crate) progress_look: Option<Look>,
    stream: StreamNo,
}

impl Place {
    /// Makes the stream's tree below `data_dir`, without what an earlier host may have left in it but the cache.
    pub(crate) fn make(
        data_dir: &Path,
        (slot, worker, stream): (u32, &Worker, StreamNo),
        wall: Timestamp,
    ) -> io::Result<Self> {
        let data = Arc::new(open_data_dir(data_dir)?);
        // Made now: when an attempt's files are to be put there, the disk may be full.
        beneath::make_directory(&data, marker::FINISHED)?;
        let steps = ["work".to_owned(), slot.to_string(), directory_name(worker.name.as_str())];
        let mut at = data.try_clone()?;
        // Not by a link's name: what a worker resolves it to is the same.
        let mut path = std::fs::canonicalize(data_dir)?;
        for step in steps.into_iter().chain([format!("stream-{stream}")]) {
            path.push(&step);
            at = beneath::make_directory(&at, &CString::new(step)?)?;
        }
        let name = |child: &str| path.join(child).to_string_lossy().into_owned();
        let mut place = Self {
            root: Arc::new(at),
            data_dir: data,
            names: PlaceNames {
                workspace: path.to_string_lossy().into_owned(),
                input: name("input"),
                working: name("working"),
                output: name("output"),
                logs: name("logs"),
            },
            temp: path.join("working"),
            slot,
            config: config(worker, stream).into(),
            config_look: None,
            progress_look: None,
            stream,
        };
        place.clean(wall)?;
        Ok(place)
    }

    /// Whether it is the right one for this worker of a host in this slot.
    pub(crate) fn suits(&self, slot: u32, worker: &Worker, stream: StreamNo) -> bool {
        self.slot == slot && *self.config == *config(worker, stream)
    }

    /// Its root and the directory for temporary files in it.
    pub(crate) fn home(&self) -> (&Path, &Path) {
        (Path::new(&self.names.workspace), &self.temp)
    }

    /// Its name, as seen from its root.
    pub(crate) fn seen_from_its_root(&self) -> String {
        format!("../stream-{}", self.stream)
    }

    /// Says beside the tree whose it is from now on.
    pub(crate) fn mark(&self, attempt: (Seq, Fence)) -> io::Result<()> {
        marker::name(&self.root, self.stream, attempt)
    }

    /// Makes it as it is before an attempt, whatever is in it.
    pub(crate) fn clean(&mut self, wall: Timestamp) -> io::Result<()> {
        remove::empty(&self.root, &CHILDREN)?;
        for child in CHILDREN {
            let keep: &[&CStr] = if child == c"working" { &[CACHE] } else { &[] };
            if let Ok(directory) = beneath::make_directory(&self.root, child) {
                remove::empty(&directory, keep)?;
            } else {
                remove::tree(&self.root, child)?;
                beneath::make_directory(&self.root, child)?;
            }
        }
        self.make_cache()?;
        self.write_progress(wall)?;
        self.write_config()
    }

    /// Writes `output/progress.md` as it is before an attempt.
    pub(crate) fn write_progress(&mut self, wall: Timestamp) -> io::Result<()> {
        let output = beneath::directory(&self.root, c"output")?;
        self.progress_look = Some(heartbeat::initial(&output, wall, self.stream)?);
        Ok(())
    }

    /// Makes `working/cache/`, in the place of anything that is no directory.
    pub(crate) fn make_cache(&self) -> io::Result<()> {
        let working = beneath::directory(&self.root, c"working")?;
        if beneath::make_directory(&working, CACHE).is_err() {
            remove::tree(&working, CACHE)?;
            beneath::make_directory(&working, CACHE)?;
        }
        Ok(())
    }

    /// Writes `input/config.yaml` anew.
    pub(crate) fn write_config(&mut self) -> io::Result<()> {
        let input = beneath::directory(&self.root, c"input")?;
        let about = beneath::replace(&input, CONFIG, self.config.as_bytes())?;
        self.config_look = Some(Look::of(&about));
        Ok(())
    }

    /// Which of [`CHILDREN`] hold anything besides what the host put there, of which `output/progress.md` should
    /// look like `progress`; `None` where the tree itself was changed.
    pub(crate) fn used(&self, progress: Option<Look>) -> Option<[bool; 4]> {
        let entries = beneath::entries(&self.root, CHILDREN.len() + 1).ok()?;
        let is_ours = |entry: &beneath::Entry| {
            entry.kind == FileType::Directory && CHILDREN.contains(&entry.name.as_c_str())
        };
        if entries.len() != CHILDREN.len() || !entries.iter().all(is_ours) {
            return None;
        }
        let expected = [
            Some((CONFIG, Expected::File(self.config_look))),
            Some((CACHE, Expected::Directory)),
            Some((heartbeat::NAME, Expected::File(progress))),
            None,
        ];
        let mut used = [false; 4];
        for ((child, expected), used) in CHILDREN.into_iter().zip(expected).zip(&mut used) {
            let directory = beneath::directory(&self.root, child).ok()?;
            let entries = beneath::entries(&directory, 2).ok()?;
            *used = !match (entries.as_slice(), expected) {
                ([], None) => true,
                ([entry], Some((name, expected))) => {
                    *entry.name == *name && expected.is_met(&directory, entry)
                }
                _ => false,
            };
        }
        Some(used)
    }
}

/// What the host puts into a directory before an attempt.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// A file that looks like that.
    File(Option<Look>),
    /// A directory.
    Directory,
}

impl Expected {
    fn is_met(self, directory: &OwnedFd, entry: &beneath::Entry) -> bool {
        match self {
            Self::File(look) => {
                look.is_some() && beneath::look(directory, &entry.name).map(|about| Look::of(&about)) == look
            }
            Self::Directory => entry.kind == FileType::Directory,
        }
    }
}

/// Opens the data directory, making it where it is not there.
pub(crate) fn open_data_dir(data_dir: &Path) -> io::Result<OwnedFd> {
    std::fs::create_dir_all(data_dir)?;
    Ok(std::fs::File::open(data_dir)?.into())
}

/// A worker's name as the name of a directory: what is no letter, digit, `-`, `_` or a dot inside it is written as
/// `%` and two digits.
pub(crate) fn directory_name(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        let is_plain =
            byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || (byte == b'.' && at > 0);
        if is_plain { safe.push(char::from(byte)) } else { safe.extend(["%", &format!("{byte:02X}")]) }
    }
    if safe.len() > MAX_NAME {
        // Three for one may be more than a file system takes. The digest tells long names apart.
        safe.truncate(MAX_NAME - 17);
        safe.push('-');
        safe.extend(digest::of_text(name).chars().take(16));
    }
    safe
}

/// What the tree's owner is, in the keys of the older worker template. The values are JSON, which YAML reads.
fn config(worker: &Worker, stream: StreamNo) -> String {
    let timeout = &worker.timeout;
    let kind = serde_json::Value::from(worker.name.as_str());
    format!(
        "# Written by the host; what a worker writes here is lost.\n\
         worker_id: {stream}\nworker_type: {kind}\nisolation_mode: {}\nworkspace: ./stream-{stream}/\n\
         max_runtime: {}_seconds\nretry_policy: exponential_backoff\n\
         max_attempts: {}\nsoft_timeout_seconds: {}\ngrace_seconds: {}\n",
        worker.isolation.level.as_str(),
        timeout.hard.as_secs_f64(),
        worker.retry.max_attempts,
        timeout.soft.as_secs_f64(),
        timeout.grace.as_secs_f64(),
    )
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_workers_name_never_leads_anywhere_else() {
        for (name, safe) in [
            ("video", "video"),
            ("video.v2_x-1", "video.v2_x-1"),
            ("..", "%2E."),
            ("../../etc", "%2E.%2F..%2Fetc"),
            ("a b", "a%20b"),
            ("é", "%C3%A9"),
            ("a%", "a%25"),
        ] {
            assert_eq!(directory_name(name), safe);
        }
        let long = [1, 2].map(|last| directory_name(&format!("{}{last}", "/".repeat(199))));
        assert!(long[0].len() <= MAX_NAME);
        assert_ne!(long[0], long[1]);
    }
}
