//! The repository's text files, read once; checks on text take this, so that tests can hand them a small one.

use std::io;
use std::path::Path;

/// Folders that hold what was built or kept by a run, never what somebody wrote.
const NOT_OURS: &[&str] = &["target", ".git", ".workerhost", "node_modules", "__pycache__"];

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Text files, ordered by their paths, and the paths of what is no text.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
    /// Images and the like.
    pub(crate) others: Vec<String>,
}

impl Tree {
    /// Reads every text file below `root` that somebody wrote.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.add_folder(root, "")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) {
                self.add_folder(&entry.path(), &path)?;
            } else if kind.is_file() {
                match String::from_utf8(std::fs::read(entry.path())?) {
                    Ok(text) => self.files.push(File { path, text }),
                    Err(_) => self.others.push(path),
                }
            }
        }
        Ok(())
    }

    /// The Rust files among them.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| Path::new(&file.path).extension().is_some_and(|it| it == "rs"))
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Tree {
    fn from(files: [(&str, &str); N]) -> Self {
        let file = |(path, text): (&str, &str)| File { path: path.to_owned(), text: text.to_owned() };
        Self { files: files.into_iter().map(file).collect(), others: Vec::new() }
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn what_was_built_is_not_read_and_images_are_only_named() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["target", "crates"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("a.rs"), "//! A.").unwrap();
        }
        std::fs::write(folder.path().join("logo.png"), [0xff, 0xfe, 0x00]).unwrap();
        let tree = Tree::read(folder.path()).unwrap();
        let paths: Vec<&str> = tree.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["crates/a.rs"]);
        assert_eq!(tree.others, ["logo.png"]);
    }
}
