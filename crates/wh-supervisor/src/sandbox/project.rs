//! A project to try grants on.

use std::fs;
use std::path::PathBuf;

/// A project with the host's own files in it.
pub(super) fn project() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(dir.path()).unwrap();
    for path in ["lib/deep", ".workerhost/work/1/w/stream-1", ".workerhost/work/1/w/stream-10"] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    for path in ["worker.py", "workerhost.yaml", "lib/deep/module.py", ".workerhost/tasks.db"] {
        fs::write(root.join(path), "").unwrap();
    }
    std::os::unix::fs::symlink(".workerhost", root.join("elsewhere")).unwrap();
    (dir, root)
}
