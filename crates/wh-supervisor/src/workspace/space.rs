//! How much room a worker's files take, looked at again and again while it runs.

use crate::workspace::beneath::{self, Entry};
use crate::workspace::remove;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, openat2};
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use wh_domain::limits::{Breach, Limits, Resource};

/// The shortest time between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// A look that took long is followed by a pause so many times as long.
const REST: u32 = 20;
/// So many entries of one directory are listed at a time; one with more than are allowed in all is not listed to its end.
const MOST_ENTRIES: u64 = 1 << 20;
/// What `st_blocks` counts, whatever the file system's blocks are.
const BLOCK: u64 = 512;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Space {
    /// What all files take on the disk.
    bytes: u64,
    /// Files, directories and whatever else has a name.
    inodes: u64,
    /// What those below `output/` take.
    output: u64,
}

/// Looks at a tree again and again.
#[derive(Debug)]
pub(crate) struct SpaceWatch {
    root: Arc<OwnedFd>,
    limits: Limits,
    due: Instant,
    looking: Option<JoinHandle<(Option<Breach>, Duration)>>,
}

impl SpaceWatch {
    /// Begins now; `None` where nothing is limited.
    pub(crate) fn new(root: Arc<OwnedFd>, limits: &Limits) -> Option<Self> {
        let is_limited = [limits.workspace, limits.inodes, limits.output] != [None; 3];
        is_limited.then(|| Self { root, limits: *limits, due: Instant::now() + PAUSE, looking: None })
    }

    /// Resolves when a limit was passed, and not before. Nothing is lost when this is dropped before it is done.
    pub(crate) async fn passed(&mut self) -> Breach {
        loop {
            let Some(looking) = &mut self.looking else {
                tokio::time::sleep_until(self.due).await;
                let (root, limits) = (Arc::clone(&self.root), self.limits);
                self.looking = Some(tokio::task::spawn_blocking(move || look(&root, &limits)));
                continue;
            };
            let seen = looking.await;
            self.looking = None;
            // A look that did not come to its end is made again.
            let (breach, took) = seen.unwrap_or((None, PAUSE));
            self.due = Instant::now() + PAUSE.max(took * REST);
            if let Some(breach) = breach {
                return breach;
            }
        }
    }
}

fn look(root: &OwnedFd, limits: &Limits) -> (Option<Breach>, Duration) {
    let begun = std::time::Instant::now();
    let space = measure(root, limits.inodes.unwrap_or(u64::MAX));
    let passed = [
        (Resource::Workspace, limits.workspace, space.bytes),
        (Resource::Inodes, limits.inodes, space.inodes),
        (Resource::Output, limits.output, space.output),
    ];
    let passed = passed.into_iter().find_map(|(resource, limit, used)| {
        limit.filter(|limit| used > *limit).map(|limit| Breach { resource, limit, used })
    });
    (passed, begun.elapsed())
}

/// Measures a tree, and stops where it has more entries than it may. Directories are opened one at a time by the path of where
/// they lie, never through a link, also where their mode refuses it; those that a path cannot name are left out.
fn measure(root: &OwnedFd, most: u64) -> Space {
    let mut space = Space::default();
    let mut waiting = vec![Directory { within: b".".to_vec(), name: c".".into(), is_output: false }];
    while let Some(Directory { within, name, is_output }) = waiting.pop() {
        let Some(directory) = open(root, &within, &name) else { continue };
        let is_root = within == b"." && *name == *c".";
        let path = if is_root { within } else { [&within, b"/".as_slice(), name.to_bytes()].concat() };
        let room = most.saturating_sub(space.inodes).saturating_add(1).min(MOST_ENTRIES);
        let listed = beneath::entries(&directory, usize::try_from(room).unwrap_or(usize::MAX));
        for Entry { name, kind } in listed.unwrap_or_default() {
            space.inodes += 1;
            if space.inodes > most {
                return space;
            }
            let is_output = is_output || (is_root && *name == *c"output");
            if let Some(about) = beneath::look(directory.as_fd(), &name) {
                let taken = u64::try_from(about.st_blocks).unwrap_or(0) * BLOCK;
                space.bytes += taken;
                space.output += if is_output { taken } else { 0 };
            }
            if kind == FileType::Directory {
                waiting.push(Directory { within: path.clone(), name, is_output });
            }
        }
    }
    space
}

/// A directory that is still to be looked at.
struct Directory {
    /// The path of where it lies, from the root.
    within: Vec<u8>,
    name: CString,
    is_output: bool,
}

fn open(root: &OwnedFd, within: &[u8], name: &CStr) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let within = openat2(root, CString::new(within).ok()?, flags, Mode::empty(), beneath).ok()?;
    if name == c"." {
        return Some(within);
    }
    // A mode is changed only where it stands in the way: the worker is at work with it.
    beneath::directory(&within, name).or_else(|_| remove::enter(within.as_fd(), name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree() -> (tempfile::TempDir, OwnedFd) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("output/deep")).unwrap();
        fs::create_dir(dir.path().join("working")).unwrap();
        fs::write(dir.path().join("output/deep/large"), vec![1; 1 << 20]).unwrap();
        fs::write(dir.path().join("working/small"), vec![1; 1 << 16]).unwrap();
        std::os::unix::fs::symlink("/usr", dir.path().join("working/usr")).unwrap();
        let root = fs::File::open(dir.path()).unwrap().into();
        (dir, root)
    }

    #[test]
    fn all_that_lies_below_counts_and_nothing_that_a_link_leads_to() {
        let (_dir, root) = tree();
        let space = measure(&root, u64::MAX);
        assert_eq!(space.inodes, 6);
        assert!((1 << 20..2 << 20).contains(&space.output), "{space:?}");
        assert!((17 << 16..33 << 16).contains(&space.bytes), "{space:?}");
    }

    #[test]
    fn nothing_hides_behind_a_mode() {
        let (dir, root) = tree();
        let deep = dir.path().join("output/deep");
        fs::set_permissions(&deep, std::os::unix::fs::PermissionsExt::from_mode(0o311)).unwrap();
        assert!(measure(&root, u64::MAX).output >= 1 << 20);
        let working = dir.path().join("working");
        fs::set_permissions(&working, std::os::unix::fs::PermissionsExt::from_mode(0o750)).unwrap();
        measure(&root, u64::MAX);
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&working).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o750, "what can be looked at stays as it is");
    }

    #[test]
    fn a_tree_with_too_many_entries_is_not_looked_at_to_its_end() {
        let (dir, root) = tree();
        for number in 0..100 {
            fs::write(dir.path().join(format!("working/{number}")), "").unwrap();
        }
        assert_eq!(measure(&root, 20).inodes, 21);
    }

    #[test]
    fn each_limit_is_passed_by_its_own_and_names_it() {
        let (_dir, root) = tree();
        let passed = |limits: Limits| look(&root, &limits).0.map(|breach| breach.resource);
        let none = Limits::NONE;
        assert_eq!(passed(none), None);
        assert_eq!(passed(Limits { workspace: Some(1 << 20), ..none }), Some(Resource::Workspace));
        assert_eq!(passed(Limits { inodes: Some(5), ..none }), Some(Resource::Inodes));
        assert_eq!(passed(Limits { output: Some(1 << 19), ..none }), Some(Resource::Output));
        let enough = Limits { workspace: Some(4 << 20), inodes: Some(6), output: Some(4 << 20), ..none };
        assert_eq!(passed(enough), None);
    }
}
