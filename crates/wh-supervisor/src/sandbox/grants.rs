//! What a worker may reach of the file system: the system's programs, its own software, its project and its workspace,
//! and nothing that the host keeps for itself.

use crate::hindrance;
use crate::wire::{Access, Grant};
use std::ffi::{CString, OsStr};
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use wh_domain::ending::Hindrance;

/// Programs and libraries of the system.
const SYSTEM: [&str; 5] = ["/usr", "/bin", "/sbin", "/lib", "/lib64"];

/// Settings that programs read before they do anything: users, names, time, libraries, certificates. Keys lie beside
/// certificates, so those directories are not granted as a whole.
const SETTINGS: [&str; 33] = [
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "default/locale",
    "fonts",
    "gai.conf",
    "group",
    "host.conf",
    "hosts",
    "java",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "mime.types",
    "networks",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "perl",
    "pki/ca-trust",
    "pki/java",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "pki/tls/openssl.cnf",
    "protocols",
    "resolv.conf",
    "services",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
];

/// What the kernel tells of the machine, and of nobody's processes.
const MACHINE: [&str; 10] = [
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
];

/// Devices that are nobody's.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// So many entries may lie beside what is private.
const MOST_ENTRIES: usize = 4_096;

/// So far a script's interpreter may be a script itself.
const MOST_SCRIPTS: u32 = 4;

/// How much of a script's first line is read, in bytes: what the kernel reads.
const FIRST_LINE: u64 = 256;

/// What is known of a worker that is to be kept within its own.
pub(crate) struct Own<'a> {
    /// What is executed.
    pub(crate) program: &'a Path,
    /// Its arguments, with its name.
    pub(crate) argv: &'a [String],
    /// Where it starts.
    pub(crate) directory: &'a Path,
    /// Where it looks for programs.
    pub(crate) path: Option<&'a OsStr>,
    /// Its tree of files.
    pub(crate) workspace: Option<&'a Path>,
    /// What its configuration grants besides, to read and to write.
    pub(crate) granted: (&'a [PathBuf], &'a [PathBuf]),
    /// What the host keeps for itself: granted to nobody, whatever it lies in.
    pub(crate) private: &'a [PathBuf],
}

/// What it may reach, or why that cannot be told.
pub(crate) fn grants(own: &Own<'_>) -> Result<Vec<Grant>, Hindrance> {
    let mut reach = Reach::new(own.private, own.granted.1)?;
    let settings = SETTINGS.iter().map(|name| Path::new("/etc").join(name));
    for path in SYSTEM.iter().chain(&MACHINE).map(PathBuf::from).chain(settings) {
        reach.spread(&path)?;
    }
    for path in DEVICES {
        reach.add(path.into(), Access::Use);
    }
    if !is_common(own.directory) {
        reach.spread(own.directory)?;
    }
    reach.software(&own.directory.join(own.program), own.path, MOST_SCRIPTS)?;
    // What a worker may write leads nowhere: it could have put a link there.
    let files = own.argv.iter().skip(1).map(|word| own.directory.join(word));
    let files: Vec<PathBuf> =
        files.filter(|file| file.is_file() && !reach.passes_what_is_written(file)).collect();
    let mut files = files.into_iter();
    if let Some(script) = files.next() {
        // With what lies beside it: its modules.
        if let Some(directory) = script.parent().filter(|directory| !is_common(directory)) {
            reach.spread(directory)?;
        }
        reach.spread(&script)?;
    }
    for file in files {
        reach.spread(&file)?;
    }
    for path in own.granted.0 {
        // What the kernel tells of processes as a whole: it still tells nobody inside of the memory of those outside. Single
        // directories in there may be the guardian's own.
        let is_of_processes = fs::canonicalize(path).is_ok_and(|path| path == Path::new("/proc"));
        if is_of_the_kernel(path) && !is_of_processes {
            return Err(of_the_kernel(path));
        }
        if reach.passes_what_is_written(path) {
            return Err(hindrance::worker(format!(
                "it may not read {} for that alone, because it could put a link there; it can read what it may write",
                path.display()
            )));
        }
        if reach.is_private(path) {
            return Err(hindrance::worker(format!(
                "it may not read {}, which the host keeps for itself",
                path.display()
            )));
        }
        reach.spread(path)?;
    }
    if let Some(workspace) = own.workspace.and_then(|workspace| fs::canonicalize(workspace).ok()) {
        reach.add(workspace, Access::Write);
    }
    reach.told()
}

/// Directories in which everybody keeps something: none is granted for the sake of one file in it.
const COMMON: [&str; 13] = [
    "/tmp",
    "/var/tmp",
    "/home",
    "/root",
    "/etc",
    "/srv",
    "/opt",
    "/mnt",
    "/media",
    "/var",
    "/var/lib",
    "/run",
    "/usr/local",
];

/// Whether a directory, whatever it is called here, is such a one, somebody's home, or the kernel's.
fn is_common(directory: &Path) -> bool {
    let Ok(directory) = fs::canonicalize(directory) else { return true };
    let is = |path: &Path| fs::canonicalize(path).is_ok_and(|path| path == directory);
    directory.parent().is_none_or(|parent| parent == Path::new("/home"))
        || std::env::var_os("HOME").is_some_and(|home| is(Path::new(&home)))
        || COMMON.iter().any(|path| is(Path::new(path)))
        || is_of_the_kernel(&directory)
}

/// What is no file of anybody's, and in part the guardian's own memory.
fn is_of_the_kernel(path: &Path) -> bool {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // Files in memory are somebody's.
    let is_memory = path.starts_with("/dev/shm") && path != Path::new("/dev/shm");
    !is_memory && ["/proc", "/sys", "/dev"].iter().any(|root| path.starts_with(root))
}

fn of_the_kernel(path: &Path) -> Hindrance {
    hindrance::worker(format!("{} cannot be granted to a worker that is isolated", path.display()))
}

/// What was found at a path. What is not there, or not for this user, is not granted; but where the machine has run short of
/// something, nobody knows what is there.
fn found<T>(path: &Path, looked: io::Result<T>) -> Result<Option<T>, Hindrance> {
    match looked {
        Err(error) if error.raw_os_error().is_some_and(hindrance::is_shortage) => {
            Err(hindrance::host(&format!("{} could not be looked at", path.display()), &error))
        }
        looked => Ok(looked.ok()),
    }
}

/// What has come together. All paths are as the kernel knows them, so that names of one place are one.
struct Reach {
    private: Vec<PathBuf>,
    /// What workers write: nothing in there says what else is to be granted.
    written: Vec<PathBuf>,
    granted: Vec<(PathBuf, Access)>,
}

impl Reach {
    fn new(private: &[PathBuf], write: &[PathBuf]) -> Result<Self, Hindrance> {
        let private = private.iter().map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.clone()));
        let mut reach = Self { private: private.collect(), written: Vec::new(), granted: Vec::new() };
        for path in write {
            let Some(path) = found(path, fs::canonicalize(path))? else { continue };
            let holds = |private: &PathBuf| private.starts_with(&path) || path.starts_with(private);
            if let Some(private) = reach.private.iter().find(|private| holds(private)) {
                return Err(hindrance::worker(format!(
                    "it may not write to {}, because the host's own {} would be written with it; grant something smaller, \
                     or put the host's own somewhere else",
                    path.display(),
                    private.display()
                )));
            }
            if is_of_the_kernel(&path) {
                return Err(of_the_kernel(&path));
            }
            reach.add(path.clone(), Access::Write);
            reach.written.push(path);
        }
        Ok(reach)
    }

    fn add(&mut self, path: PathBuf, access: Access) {
        if !self.granted.contains(&(path.clone(), access)) {
            self.granted.push((path, access));
        }
    }

    fn is_private(&self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|path| self.private.iter().any(|private| path.starts_with(private)))
    }

    /// Whether a path, as it is written or at any of its links, leads through what the worker may write.
    fn passes_what_is_written(&self, path: &Path) -> bool {
        path.ancestors()
            .filter_map(|above| fs::canonicalize(above.parent()?).ok())
            .any(|above| self.is_written(&above))
            || fs::canonicalize(path).is_ok_and(|path| self.is_written(&path))
    }

    fn is_written(&self, path: &Path) -> bool {
        self.written.iter().any(|written| path.starts_with(written))
    }

    /// Adds a directory with all that is below it. One that holds something private is added entry by entry. It can be listed
    /// only where what is private is no directory: whoever may list a directory may list all below it.
    fn spread(&mut self, directory: &Path) -> Result<(), Hindrance> {
        let Some(directory) = found(directory, fs::canonicalize(directory))? else { return Ok(()) };
        let below: Vec<&PathBuf> =
            self.private.iter().filter(|private| private.starts_with(&directory)).collect();
        if self.private.iter().any(|private| directory.starts_with(private)) {
            return Ok(());
        }
        if below.is_empty() {
            self.add(directory, Access::Read);
            return Ok(());
        }
        if !below.iter().any(|private| private.is_dir()) {
            self.add(directory.clone(), Access::List);
        }
        let Some(entries) = found(&directory, fs::read_dir(&directory))? else {
            return Err(hindrance::worker(format!("its directory {} cannot be read", directory.display())));
        };
        for (count, entry) in entries.enumerate() {
            let Some(entry) = found(&directory, entry)? else { continue };
            if count == MOST_ENTRIES {
                return Err(hindrance::worker(format!(
                    "more than {MOST_ENTRIES} entries lie in {} beside the host's own files, and each would have to be \
                     granted by itself; put `data_dir` somewhere else",
                    directory.display()
                )));
            }
            // A link leads elsewhere; what it leads to is granted where that is.
            if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
                self.spread(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Adds a program with what belongs to it: what its links lead to, its interpreter, its virtual environment, and the
    /// directory in which it was installed.
    fn software(&mut self, program: &Path, path: Option<&OsStr>, scripts: u32) -> Result<(), Hindrance> {
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
            self.software(&interpreter, path, scripts - 1)?;
        }
        Ok(())
    }

    fn told(self) -> Result<Vec<Grant>, Hindrance> {
        let grant = |(path, access): (PathBuf, Access)| {
            let path = CString::new(path.into_os_string().into_encoded_bytes());
            path.map(|path| Grant { path, access })
                .map_err(|_| hindrance::worker("one of its paths holds a NUL byte"))
        };
        self.granted.into_iter().map(grant).collect()
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
    use super::*;

    /// A project with the host's own files in it, and what a worker there may reach.
    fn project() -> (tempfile::TempDir, PathBuf) {
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

    fn reached(root: &Path) -> Vec<(PathBuf, Access)> {
        let own = Own {
            program: Path::new("/bin/sh"),
            argv: &["sh".to_owned(), "worker.py".to_owned()],
            directory: root,
            path: None,
            workspace: Some(&root.join(".workerhost/work/1/w/stream-1")),
            granted: (&[], &[]),
            private: &[root.join(".workerhost"), root.join("workerhost.yaml")],
        };
        let below = |grant: Grant| {
            let path = PathBuf::from(OsStr::from_bytes(grant.path.as_bytes()));
            path.starts_with(root).then_some((path, grant.access))
        };
        let mut reached: Vec<_> = grants(&own).unwrap().into_iter().filter_map(below).collect();
        reached.sort_by(|one, other| one.0.cmp(&other.0));
        reached
    }

    #[test]
    fn a_project_is_granted_without_the_hosts_own_files_in_it_and_with_the_workers_own_stream() {
        let (_dir, root) = project();
        let expected = [
            (root.join(".workerhost/work/1/w/stream-1"), Access::Write),
            (root.join("lib"), Access::Read),
            (root.join("worker.py"), Access::Read),
        ];
        assert_eq!(reached(&root), expected);
    }

    #[test]
    fn a_project_that_holds_no_data_directory_can_be_listed_and_its_configuration_not_read() {
        let (_dir, root) = project();
        let mut reach = Reach::new(&[root.join("workerhost.yaml")], &[]).unwrap();
        reach.spread(&root).unwrap();
        assert!(reach.granted.contains(&(root.clone(), Access::List)));
        let read: Vec<_> = reach.granted.iter().filter(|(_, access)| *access == Access::Read).collect();
        assert!(read.iter().any(|(path, _)| *path == root.join("worker.py")));
        assert!(read.iter().all(|(path, _)| *path != root && *path != root.join("workerhost.yaml")));
    }

    #[test]
    fn nothing_private_is_granted_by_whatever_route() {
        let (_dir, root) = project();
        let private = [root.join(".workerhost"), root.join("workerhost.yaml")];
        for write in
            [root.clone(), root.join(".workerhost/work"), root.join("workerhost.yaml"), root.join("lib/..")]
        {
            assert!(Reach::new(&private, &[write]).is_err());
        }
        let mut reach = Reach::new(&private, &[root.join("lib")]).unwrap();
        for path in [
            ".workerhost",
            ".workerhost/tasks.db",
            "elsewhere/tasks.db",
            "lib/../.workerhost",
            "workerhost.yaml",
        ] {
            reach.spread(&root.join(path)).unwrap();
        }
        assert_eq!(reach.granted, [(root.join("lib"), Access::Write)]);
    }

    #[test]
    fn a_grant_of_what_the_host_keeps_for_itself_is_refused_and_not_passed_over() {
        let (_dir, root) = project();
        let own = Own {
            program: Path::new("/bin/sh"),
            argv: &[],
            directory: &root,
            path: None,
            workspace: None,
            granted: (&[root.join("elsewhere/tasks.db")], &[]),
            private: &[root.join(".workerhost")],
        };
        let Hindrance::Worker(why) = grants(&own).unwrap_err() else { panic!("it is the worker's fault") };
        assert!(why.contains("elsewhere/tasks.db, which the host keeps for itself"), "{why}");
    }

    #[test]
    fn what_a_worker_may_write_says_nothing_of_what_it_may_read() {
        let (_dir, root) = project();
        fs::write(root.join("lib/tool"), "#!/bin/sh\n").unwrap();
        let mut reach = Reach::new(&[], &[root.join("lib")]).unwrap();
        reach.software(&root.join("lib/tool"), None, MOST_SCRIPTS).unwrap();
        assert!(
            reach.granted.iter().all(|(path, _)| path.starts_with(root.join("lib"))),
            "{:?}",
            reach.granted
        );
    }

    #[test]
    fn what_a_worker_may_write_brings_nothing_else_whatever_link_it_puts_there() {
        let (_dir, root) = project();
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir(root.join("out")).unwrap();
        fs::write(outside.path().join("key"), "").unwrap();
        std::os::unix::fs::symlink(outside.path().join("key"), root.join("out/result.json")).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("out/state")).unwrap();
        let argv = ["sh", "worker.py", "out/result.json", "out/state/key"].map(str::to_owned);
        let own = Own {
            program: Path::new("/bin/sh"),
            argv: &argv,
            directory: &root,
            path: None,
            workspace: None,
            granted: (&[], &[root.join("out")]),
            private: &[],
        };
        let outside = fs::canonicalize(outside.path()).unwrap();
        let reached = grants(&own).unwrap();
        let path = |grant: &Grant| PathBuf::from(OsStr::from_bytes(grant.path.as_bytes()));
        assert!(reached.iter().all(|grant| !path(grant).starts_with(&outside)));
        let by_paths = Own { granted: (&[root.join("out/state")], &[root.join("out")]), ..own };
        assert!(grants(&by_paths).is_err());
    }

    #[test]
    fn no_directory_in_which_everybody_keeps_something_is_granted_for_one_file() {
        let (_dir, root) = project();
        let home = PathBuf::from(std::env::var_os("HOME").unwrap());
        for path in [
            Path::new("/"),
            Path::new("/tmp"),
            Path::new("/tmp/../etc"),
            &home,
            &home.join("."),
            Path::new("/proc"),
            Path::new("/dev/shm"),
        ] {
            assert!(is_common(path), "{}", path.display());
        }
        assert!(!is_common(&root) && !is_common(&root.join("lib/..")));
        assert!(!is_of_the_kernel(Path::new("/dev/shm/own")) && is_of_the_kernel(Path::new("/dev/own")));
    }

    #[test]
    fn a_directory_with_too_much_beside_what_is_private_is_refused_with_its_mend() {
        let (_dir, root) = project();
        (0..MOST_ENTRIES).for_each(|number| fs::write(root.join(format!("f{number}")), "").unwrap());
        let mut reach = Reach::new(&[root.join(".workerhost")], &[]).unwrap();
        let Hindrance::Worker(why) = reach.spread(&root).unwrap_err() else {
            panic!("it is the worker's fault")
        };
        assert!(why.contains("put `data_dir` somewhere else"), "{why}");
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
            reach.software(&root.join(program), None, MOST_SCRIPTS).unwrap();
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
        reach.software(&root.join(".pyenv/shims/python3"), None, MOST_SCRIPTS).unwrap();
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
        reach.software(&root.join("tool.js"), Some(&path), MOST_SCRIPTS).unwrap();
        assert!(reach.granted.contains(&(root.join("node"), Access::Read)));
    }
}
