//! What is executed for a worker: its command line, directory and lasting variables, ready to be handed over.

use crate::hindrance;
use crate::redact::Redactor;
use crate::sandbox::grants::{Own, grants};
use crate::wire::{Program, Sandbox};
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wh_domain::ending::Hindrance;
use wh_domain::isolation::Level;
use wh_domain::worker::Worker;
use wh_protocol::env::{PASSED_ON, TRACEPARENT};

/// Where programs are looked for when the worker has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Variables that the host alone sets.
const OWN_PREFIX: &[u8] = b"WORKERHOST_";

/// The variables of the host from which workers get the few that are passed on.
pub(crate) type HostEnv = [(OsString, OsString)];

/// Where an attempt is at home.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home<'a> {
    /// What is its own, if it has anything, and the directory for temporary files in it.
    pub(crate) own: Option<(&'a Path, &'a Path)>,
    /// What the host keeps for itself.
    pub(crate) private: &'a [PathBuf],
}

/// What a worker is started with, and what is kept out of what it says.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) program: Arc<Program>,
    pub(crate) redactor: Arc<Redactor>,
}

/// What keeps a worker from being started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// In words, as they stand behind a colon.
    pub why: String,
    /// The file that is there and only lacks the mode.
    pub not_executable: Option<PathBuf>,
}

/// Resolves a worker's program, or says by whose fault it cannot be started.
pub(crate) fn resolve(worker: &Worker, host: &HostEnv, home: Home<'_>) -> Result<Program, Hindrance> {
    let env = lasting_variables(worker, host, home.own.map(|(_, temp)| temp));
    let program = &worker.program;
    let name = program.argv.first().ok_or_else(|| hindrance::worker("its command is empty"))?;
    let path = find(name, &program.directory, lookup(&env, "PATH")).ok_or_else(|| {
        let has_its_own = program.env.iter().any(|(name, _)| name == "PATH");
        let whose = if has_its_own { "its own" } else { "the host's" };
        hindrance::worker(format!("there is no `{name}` in {whose} PATH"))
    })?;
    let sandbox = sandbox(worker, &path, lookup(&env, "PATH"), home)?;
    Ok(Program {
        path: c_string(path.into_os_string(), "its command")?,
        argv: program
            .argv
            .iter()
            .map(|word| c_string(word.into(), "its command"))
            .collect::<Result<_, _>>()?,
        directory: c_string(program.directory.clone().into_os_string(), "its directory")?,
        env: env
            .into_iter()
            .map(|(mut name, value)| {
                name.push("=");
                name.push(value);
                c_string(name, "a variable of its environment")
            })
            .collect::<Result<_, _>>()?,
        sandbox,
    })
}

fn sandbox(
    worker: &Worker,
    program: &Path,
    path: Option<&OsStr>,
    home: Home<'_>,
) -> Result<Option<Sandbox>, Hindrance> {
    let isolation = &worker.isolation;
    if isolation.level == Level::None {
        return Ok(None);
    }
    let own = Own {
        program,
        argv: &worker.program.argv,
        directory: &worker.program.directory,
        path: Some(path.unwrap_or(OsStr::new(DEFAULT_PATH))),
        workspace: home.own.map(|(root, _)| root),
        granted: (&isolation.read, &isolation.write),
        private: home.private,
    };
    let (required, network) = (isolation.required, isolation.network.clone());
    Ok(Some(Sandbox { required, grants: grants(&own)?, network }))
}

/// `NAME=value`, ready to be handed over; `None` where it holds a NUL byte.
pub(crate) fn variable(name: &str, value: &str) -> Option<CString> {
    CString::new(format!("{name}={value}")).ok()
}

fn c_string(text: OsString, what: &str) -> Result<CString, Hindrance> {
    CString::new(text.into_vec()).map_err(|_| hindrance::worker(format!("{what} holds a NUL byte")))
}

/// The short allow-list of the host's variables, then those that lead into the workspace, then the worker's own; later
/// ones win.
fn lasting_variables(worker: &Worker, host: &HostEnv, temp: Option<&Path>) -> Vec<(OsString, OsString)> {
    let is_passed_on = |name: &OsStr| PASSED_ON.iter().any(|passed| name == *passed) || name == "TMPDIR";
    let mut env: Vec<(OsString, OsString)> =
        host.iter().filter(|(name, _)| is_passed_on(name)).cloned().collect();
    let own = temp.map(|temp| ("TMPDIR".into(), temp.into()));
    // The home of the host's user is closed to it.
    let home =
        temp.filter(|_| worker.isolation.level != Level::None).map(|temp| ("HOME".into(), temp.into()));
    let given = worker.program.env.iter().map(|(name, value)| (name.into(), value.into()));
    for (name, value) in own.into_iter().chain(home).chain(given) {
        let name: OsString = name;
        if name.as_bytes().starts_with(OWN_PREFIX) || name == TRACEPARENT {
            continue;
        }
        match env.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => env.push((name, value)),
        }
    }
    env
}

fn lookup<'a>(env: &'a [(OsString, OsString)], name: &str) -> Option<&'a OsStr> {
    env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
}

/// The file that a command's first word means. One with a slash in it is taken as it stands, relative to the
/// worker's directory.
fn find(name: &str, directory: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(name.into());
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    std::env::split_paths(path)
        .filter(|place| !place.as_os_str().is_empty())
        .map(|place| directory.join(place).join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

fn may_execute(file: &Path) -> bool {
    rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Why the kernel would refuse to execute the program, as far as that can be seen beforehand, in plain words.
pub(crate) fn obstacle(program: &Program) -> Option<Obstacle> {
    let directory = Path::new(OsStr::from_bytes(program.directory.as_bytes()));
    let file = directory.join(OsStr::from_bytes(program.path.as_bytes()));
    let errno = if !directory.is_dir() || !file.exists() {
        libc::ENOENT
    } else if !is_executable(&file) || !may_execute(&file) {
        libc::EACCES
    } else {
        let interpreter = interpreter(&file).map(PathBuf::from)?;
        match interpreter.exists() {
            false => libc::ENOENT,
            true if !may_execute(&interpreter) => libc::EACCES,
            true => return None,
        }
    };
    let own = rustix::process::geteuid();
    let may_change = |about: std::fs::Metadata| {
        about.is_file() && (own.is_root() || std::os::unix::fs::MetadataExt::uid(&about) == own.as_raw())
    };
    let lacks_mode = errno == libc::EACCES && !is_executable(&file) && file.metadata().is_ok_and(may_change);
    Some(Obstacle { why: explain(errno, program), not_executable: lacks_mode.then_some(file) })
}

/// Why the kernel refused to execute the program, in plain words.
pub(crate) fn explain(errno: i32, program: &Program) -> String {
    let directory = Path::new(OsStr::from_bytes(program.directory.as_bytes()));
    let file = directory.join(OsStr::from_bytes(program.path.as_bytes()));
    let shown = file.display();
    let interpreter = interpreter(&file);
    match errno {
        libc::ENOENT | libc::ENOTDIR | libc::EACCES if !directory.is_dir() => {
            format!("its directory {} is not there or cannot be entered", directory.display())
        }
        libc::ENOENT | libc::ENOTDIR if !file.exists() => format!("{shown} is not there"),
        libc::ENOENT => match interpreter {
            Some(interpreter) => format!("the interpreter of {shown}, {interpreter}, is not there"),
            None => format!("{shown} needs a loader that is not there"),
        },
        libc::EACCES if is_executable(&file) && may_execute(&file) && program.sandbox.is_some() => {
            format!("{shown}, or what it needs to begin, is not among what its isolation grants")
        }
        libc::EACCES if is_executable(&file) => match interpreter {
            Some(interpreter) => format!("the interpreter of {shown}, {interpreter}, may not be executed"),
            None => format!("{shown} may not be executed by this user"),
        },
        libc::EACCES => format!("{shown} is not executable"),
        libc::ENOEXEC => format!("{shown} is neither a program for this machine nor a script with a #! line"),
        libc::E2BIG => "its command line and environment are too long".to_owned(),
        other => format!("{shown} could not be executed ({})", words(other)),
    }
}

fn words(errno: i32) -> std::io::Error {
    std::io::Error::from_raw_os_error(errno)
}

/// What a script's first line names.
fn interpreter(file: &Path) -> Option<String> {
    use std::io::Read;
    let mut head = Vec::new();
    let file = file.is_file().then(|| std::fs::File::open(file)).and_then(Result::ok)?;
    file.take(256).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    line.split_whitespace().next().map(str::to_owned)
}
