//! What belongs to a program: what its links lead to, its interpreter, its virtual environment, and where it was installed.

use super::places::is_common;
use super::reach::{Reach, found};
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use wh_domain::ending::Hindrance;

/// So far a script's interpreter may be a script itself.
const MOST_SCRIPTS: u32 = 4;

/// How much of a script's first line is read, in bytes: what the kernel reads.
const FIRST_LINE: u64 = 256;

impl Reach {
    /// Adds a program with what belongs to it: what its links lead to, its interpreter, its virtual environment, and the
    /// directory in which it was installed.
    pub(super) fn software(&mut self, program: &Path, path: Option<&OsStr>) -> Result<(), Hindrance> {
        self.programs(program, path, MOST_SCRIPTS)
    }

    fn programs(&mut self, program: &Path, path: Option<&OsStr>, scripts: u32) -> Result<(), Hindrance> {
        let Some(file) = found(program, fs::canonicalize(program))? else { return Ok(()) };
        self.spread(&file)?;
        if self.is_written(&file) {
            return Ok(());
        }
        for name in [program, &file] {
            if let Some(manager) = version_manager(name).filter(|manager| !self.is_written(manager)) {
                self.spread(&manager)?;
            }
            let Some(prefix) = prefix(name).filter(|prefix| !self.is_written(prefix)) else { continue };
            if let Some(home) = environment_home(&prefix)? {
                self.spread(&home)?;
            }
            self.spread(&prefix)?;
        }
        if scripts > 0
            && let Some(interpreter) = interpreter(&file, path)?
        {
            self.programs(&interpreter, path, scripts - 1)?;
        }
        Ok(())
    }
}

/// Where a program in a `bin` was installed with its libraries. Not `~/.local`, where more is kept than programs.
fn prefix(program: &Path) -> Option<PathBuf> {
    let bin = program.parent().filter(|bin| bin.file_name() == Some(OsStr::new("bin")))?;
    let prefix = bin.parent().filter(|prefix| !is_common(prefix) && !prefix.ends_with(".local"))?;
    let is_installation = prefix.join("lib").is_dir() || prefix.join("pyvenv.cfg").is_file();
    is_installation.then(|| prefix.to_owned())
}

/// Where a version manager (pyenv, asdf, mise and their like) keeps the programs that its shims lead to.
fn version_manager(program: &Path) -> Option<PathBuf> {
    let shims = program.parent().filter(|parent| parent.file_name() == Some(OsStr::new("shims")))?;
    let keeps_versions =
        |manager: &&Path| ["versions", "installs"].iter().any(|name| manager.join(name).is_dir());
    let is_of_others =
        |manager: &Path| is_common(manager) || manager.ends_with(".local") || manager.ends_with(".config");
    shims.parent().filter(keeps_versions).filter(|manager| !is_of_others(manager)).map(Path::to_owned)
}

/// Where the Python of a virtual environment was installed.
fn environment_home(prefix: &Path) -> Result<Option<PathBuf>, Hindrance> {
    let file = prefix.join("pyvenv.cfg");
    let Some(config) = found(&file, fs::read_to_string(&file))? else { return Ok(None) };
    let home = config.lines().find_map(|line| line.split_once('=').filter(|(key, _)| key.trim() == "home"));
    let Some(home) = home.map(|(_, home)| Path::new(home.trim())) else { return Ok(None) };
    let home = found(home, fs::canonicalize(home))?;
    Ok(home.and_then(|home| home.parent().filter(|prefix| !is_common(prefix)).map(Path::to_owned)))
}

/// What a script's first line names; behind `env` the program that is looked for.
fn interpreter(script: &Path, path: Option<&OsStr>) -> Result<Option<PathBuf>, Hindrance> {
    let mut head = Vec::new();
    let read = |file: fs::File| file.take(FIRST_LINE).read_to_end(&mut head);
    found(script, fs::File::open(script).and_then(read))?;
    Ok(named_in(&head, path))
}

fn named_in(head: &[u8], path: Option<&OsStr>) -> Option<PathBuf> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words =
        line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(OsStr::from_bytes);
    let first = Path::new(words.next()?);
    if first.file_name() != Some(OsStr::new("env")) {
        return Some(first.to_owned());
    }
    let name = words.find(|word| !word.as_bytes().starts_with(b"-"))?;
    std::env::split_paths(path?).map(|place| place.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::super::project::project;
    use super::*;
    use crate::wire::Access;

    #[test]
    fn what_a_worker_may_write_says_nothing_of_what_it_may_read() {
        let (_dir, root) = project();
        fs::write(root.join("lib/tool"), "#!/bin/sh\n").unwrap();
        let mut reach = Reach::new(&[], &[root.join("lib")]).unwrap();
        reach.software(&root.join("lib/tool"), None).unwrap();
        assert!(
            reach.granted.iter().all(|(path, _)| path.starts_with(root.join("lib"))),
            "{:?}",
            reach.granted
        );
    }

    #[test]
    fn a_virtual_environment_brings_the_python_that_it_was_made_of() {
        let (_dir, root) = project();
        fs::create_dir_all(root.join("python/bin")).unwrap();
        fs::create_dir_all(root.join("python/lib")).unwrap();
        fs::create_dir_all(root.join("venv/bin")).unwrap();
        fs::write(root.join("python/bin/python3"), "").unwrap();
        let config = format!("home = {}\nversion = 3.11.2\n", root.join("python/bin").display());
        fs::write(root.join("venv/pyvenv.cfg"), config).unwrap();
        std::os::unix::fs::symlink(root.join("python/bin/python3"), root.join("venv/bin/python")).unwrap();
        fs::write(root.join("venv/bin/tool"), format!("#!{}\n", root.join("venv/bin/python").display()))
            .unwrap();
        for program in ["venv/bin/python", "venv/bin/tool"] {
            let mut reach = Reach::new(&[], &[]).unwrap();
            reach.software(&root.join(program), None).unwrap();
            for wanted in ["venv", "python"] {
                assert!(reach.granted.contains(&(root.join(wanted), Access::Read)), "{program}: {wanted}");
            }
        }
    }

    #[test]
    fn a_version_managers_shim_brings_the_programs_that_it_leads_to() {
        let (_dir, root) = project();
        for directory in [".pyenv/shims", ".pyenv/versions/3.11.7/bin"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        fs::write(root.join(".pyenv/shims/python3"), "#!/bin/sh\n").unwrap();
        let mut reach = Reach::new(&[], &[]).unwrap();
        reach.software(&root.join(".pyenv/shims/python3"), None).unwrap();
        assert!(reach.granted.contains(&(root.join(".pyenv"), Access::Read)));
        for other in ["tools/shims", ".local/shims", ".local/versions"] {
            fs::create_dir_all(root.join(other)).unwrap();
        }
        assert_eq!(version_manager(&root.join("tools/shims/run")), None, "it keeps no versions");
        assert_eq!(version_manager(&root.join(".local/shims/run")), None, "more is kept there than programs");
    }

    #[test]
    fn a_script_behind_env_brings_the_interpreter_that_is_found() {
        let (_dir, root) = project();
        fs::create_dir_all(root.join("node/bin")).unwrap();
        fs::create_dir_all(root.join("node/lib")).unwrap();
        fs::write(root.join("node/bin/node"), "").unwrap();
        fs::write(root.join("tool.js"), "#!/usr/bin/env -S node --flag\n").unwrap();
        let path = std::env::join_paths([root.join("nowhere"), root.join("node/bin")]).unwrap();
        let mut reach = Reach::new(&[], &[]).unwrap();
        reach.software(&root.join("tool.js"), Some(&path)).unwrap();
        assert!(reach.granted.contains(&(root.join("node"), Access::Read)));
    }
}
