//! Which files a worker wrote outside its workspace: those of the directory that it starts in, where every relative
//! path leads to. What it writes elsewhere cannot be told from what other programs write at the same moment.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// As many files are looked at; a worker that starts in a larger tree is watched in a part of it.
const MOST: usize = 20_000;
/// And no deeper.
const DEEPEST: usize = 12;
/// What interpreters and tools write by themselves.
const SPARED: [&str; 3] = ["__pycache__", ".git", "node_modules"];

/// How files looked at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Files(BTreeMap<PathBuf, Look>);

/// What changes when a file is written.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Files {
    /// The files below a directory, without those below any of `spared`.
    pub(super) fn below(directory: &Path, spared: &[Option<&Path>]) -> Self {
        let mut files = BTreeMap::new();
        let mut left = vec![(directory.to_owned(), 0)];
        while let Some((directory, depth)) = left.pop() {
            // What cannot be read cannot be watched.
            for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                let path = entry.path();
                let is_spared = SPARED.iter().any(|name| entry.file_name() == *name)
                    || spared.iter().flatten().any(|spared| path == **spared);
                let Ok(data) = entry.metadata() else { continue };
                if files.len() >= MOST {
                    return Self(files);
                }
                if data.is_file() {
                    let modified = (data.mtime(), data.mtime_nsec());
                    files.insert(path, Look { inode: data.ino(), size: data.size(), modified });
                } else if data.is_dir() && !is_spared && depth < DEEPEST {
                    left.push((path, depth + 1));
                }
            }
        }
        Self(files)
    }

    /// Those that are new or look different in `after`.
    pub(super) fn changed(&self, after: &Self) -> Vec<String> {
        let is_changed = |(path, look): &(&PathBuf, &Look)| self.0.get(*path) != Some(look);
        after.0.iter().filter(is_changed).map(|(path, _)| path.display().to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_and_changed_files_are_named_and_the_spared_are_not() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let data = place.path().join("data");
        let look = || Files::below(place.path(), &[Some(&data), None]);
        for name in ["same", "changed", "data/tasks.db", "deep/er/same"] {
            write(name, "1");
        }
        let before = look();
        assert_eq!(before.changed(&look()), [""; 0]);
        for name in ["changed", "data/tasks.db", "deep/er/new", "__pycache__/x.pyc", ".git/index"] {
            write(name, "22");
        }
        let changed = before.changed(&look());
        let expected = ["changed", "deep/er/new"].map(|name| place.path().join(name).display().to_string());
        assert_eq!(changed, expected);
    }
}
