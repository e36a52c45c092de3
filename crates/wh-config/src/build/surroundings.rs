//! What a configuration meets outside itself: its directory, the files there, the environment.

use crate::tree::Scalar;
use crate::value::Block;
use std::path::{Path, PathBuf};

/// What a file is read among.
pub(crate) struct Surroundings<'a> {
    /// Relative paths start here.
    pub(crate) base: &'a Path,
    pub(crate) env: &'a dyn Fn(&str) -> Option<String>,
}

/// A path with the way it may be shown: never with the value of a variable.
#[derive(Clone)]
pub(crate) struct ShownPath {
    pub(crate) path: PathBuf,
    pub(crate) shown: PathBuf,
}

impl ShownPath {
    pub(crate) fn join(&self, text: &Scalar) -> Self {
        let written = if text.secret { crate::secret::REDACTED } else { text.written.as_str() };
        Self { path: self.path.join(&text.text), shown: self.shown.join(written) }
    }
}

impl std::fmt::Display for ShownPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.shown.display())
    }
}

impl Surroundings<'_> {
    /// The file's directory.
    pub(crate) fn directory(&self) -> ShownPath {
        ShownPath { path: self.base.to_owned(), shown: self.base.to_owned() }
    }

    /// Where programs of this user keep what must last, by the XDG base directory specification: a directory for this one.
    pub(crate) fn state_home(&self) -> Option<PathBuf> {
        let is_usable = |path: &PathBuf| path.is_absolute();
        let named = (self.env)("XDG_STATE_HOME").map(PathBuf::from).filter(is_usable);
        let home = || (self.env)("HOME").map(PathBuf::from).filter(is_usable);
        named.or_else(|| home().map(|home| home.join(".local/state"))).map(|state| state.join("workerhost"))
    }

    /// A path-valued key, from the file's directory.
    pub(crate) fn path(&self, block: &Block, key: &str) -> Option<PathBuf> {
        block.text(key).map(|text| self.base.join(&text.text))
    }

    /// Where `PATH` has a program of that name.
    pub(crate) fn on_path(&self, name: &str) -> Option<PathBuf> {
        let path = (self.env)("PATH")?;
        std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| is_executable(file))
    }
}

/// Whether a file is there and may be run.
pub(crate) fn is_executable(file: &Path) -> bool {
    let Ok(found) = file.metadata() else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        found.is_file() && found.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    found.is_file()
}
