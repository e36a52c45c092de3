//! Which processes carry which attempts: a small file that outlives its host, for whoever has to bury it.
//!
//! A worker may empty its environment, and then nothing about its processes tells whose they are. So for every stream
//! a line says who watches it and which worker was started last: the host writes its part before it asks for the
//! start, the guardian adds the worker as soon as there is one. Nothing of this is synced, for a machine that has gone
//! down has no processes left to bury.
//!
//! Whoever buries closes the file first. A host looks whether it is closed after it has written its part: so either it
//! begins nothing, or what it begins is found, wherever it was stopped before it went on.
//!
//! The files lie in `processes/` in the data directory, one for each life of a host. Not in the workspaces, because a
//! worker may have none, and because the next host of a slot uses them again before its predecessor is buried. A file
//! is locked for as long as its host or one of its guardians lives, and nobody removes it before nothing that it names
//! is left.

use crate::tree::{Born, everybody, session};
use crate::workspace::place::open_data_dir;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{FlockOperation, flock, fstat};
use rustix::io::Errno;
use rustix::process::Pid;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use wh_domain::id::{AttemptId, HostId};

/// Where the files lie, in the data directory.
const DIRECTORY: &str = "processes";

/// A line: what the host writes, and behind it what the guardian writes. Far more than two names and some numbers take.
const LINE: usize = 1024;
const GUARDIANS_PART: usize = 128;
const HOSTS_PART: usize = LINE - GUARDIANS_PART;

/// The first line: the machine, and then, each with a line's end, whose file it is and for whom it is closed.
const NAME: usize = 384;
const OWNER_AT: usize = LINE - 2 * NAME;
const CLOSED_AT: usize = LINE - NAME;

/// Between two fields; no name holds one.
const TAB: char = '\t';

/// How often a new file may be removed by somebody who found it before it was locked.
const TRIES: u32 = 16;

/// The file of one host's life.
#[derive(Debug)]
pub(crate) struct Register {
    file: File,
    lines: AtomicU32,
    owner: Mutex<Option<HostId>>,
}

impl Register {
    /// A new one in `data_dir`. Those that nobody needs any more go.
    pub(crate) fn make(data_dir: &Path) -> io::Result<Arc<Self>> {
        open_data_dir(data_dir)?;
        let directory = data_dir.join(DIRECTORY);
        fs::create_dir_all(&directory)?;
        tidy(&directory);
        for _ in 0..TRIES {
            let named = tempfile::Builder::new().prefix("").suffix("").tempfile_in(&directory)?;
            let (mut file, _) = named.keep().map_err(|refused| refused.error)?;
            flock(&file, FlockOperation::LockExclusive)?;
            // Whoever tidies up may have found it before it was locked.
            if fstat(&file)?.st_nlink > 0 {
                file.write_all(&padded::<LINE>(&machine()?)?)?;
                return Ok(Arc::new(Self { file, lines: AtomicU32::new(0), owner: Mutex::default() }));
            }
        }
        Err(io::Error::other("others keep removing it"))
    }

    /// Says whose file it is. To be called before an attempt is prepared.
    pub(crate) fn serve(&self, host: &HostId) -> io::Result<()> {
        let mut owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        if owner.as_ref() != Some(host) {
            self.file.write_all_at(&padded::<NAME>(host.as_str())?, OWNER_AT as u64)?;
            *owner = Some(host.clone());
        }
        Ok(())
    }

    /// The line of one more stream.
    pub(crate) fn line(self: &Arc<Self>) -> Line {
        Line { register: Arc::clone(self), number: self.lines.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

/// The line of one stream.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    register: Arc<Register>,
    /// The first one is 1.
    pub(crate) number: u32,
}

impl Line {
    /// The file.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.register.file.as_fd()
    }

    /// Says that an attempt is about to begin under that guardian, in the place of whatever stood there. Refused where
    /// others bury the host.
    pub(crate) fn begin(&self, (host, attempt): (&HostId, &AttemptId), guardian: Born) -> io::Result<()> {
        let Born { pid, at } = guardian;
        let text = format!("{}{TAB}{at}{TAB}{host}{TAB}{attempt}", pid.as_raw_pid());
        // All of the line: the worker of the attempt before must not stand beside this one.
        self.register.file.write_all_at(&padded::<LINE>(&text)?, offset(self.number))?;
        // After the writing: whoever has closed the file meanwhile, and has not found the line, is seen here.
        let mut closed = [0; NAME];
        self.register.file.read_exact_at(&mut closed, CLOSED_AT as u64)?;
        if first_line(&closed) == [host.as_str()] {
            return Err(io::Error::other("others have taken over whatever this host had claimed"));
        }
        Ok(())
    }
}

/// Sees to it that `dead` begins nothing more, if it should live.
pub(crate) fn close(data_dir: &Path, dead: &HostId) -> io::Result<()> {
    for (path, register) in all(data_dir)? {
        if *register.owner == *dead.as_str() || register.entries.iter().any(|it| *it.host == *dead.as_str()) {
            let file = File::options().write(true).open(path)?;
            file.write_all_at(&padded::<NAME>(dead.as_str())?, CLOSED_AT as u64)?;
        }
    }
    Ok(())
}

/// Adds the worker to its line: a process that was born between these two moments.
pub(crate) fn add_worker(file: impl AsFd, number: u32, pid: Pid, (from, to): (u64, u64)) -> io::Result<()> {
    let text = padded::<GUARDIANS_PART>(&format!("{}{TAB}{from}{TAB}{to}", pid.as_raw_pid()))?;
    let mut rest = text.as_slice();
    let mut at = offset(number) + HOSTS_PART as u64;
    while !rest.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::pwrite(&file, rest, at))?;
        at += written as u64;
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}

fn offset(number: u32) -> u64 {
    u64::from(number) * LINE as u64
}

/// The text with a line's end, and zeros up to the length.
fn padded<const LENGTH: usize>(text: &str) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let room = bytes.get_mut(..=text.len()).ok_or(ErrorKind::InvalidInput)?;
    let (room, end) = room.split_at_mut(text.len());
    room.copy_from_slice(text.as_bytes());
    end.fill(b'\n');
    Ok(bytes)
}

/// A worker, as its line tells of it: born in or between these two ticks, and the leader of the session of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Worker {
    pub(crate) pid: Pid,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    host: Box<str>,
    attempt: Box<str>,
    /// Who was to start the worker.
    pub(crate) guardian: Born,
    /// Who was started, where that has happened.
    pub(crate) worker: Option<Worker>,
}

/// What this machine's registers say of these attempts.
pub(crate) fn find(data_dir: &Path, dead: &HostId, attempts: &[AttemptId]) -> io::Result<Vec<Entry>> {
    let attempts: HashSet<String> = attempts.iter().map(ToString::to_string).collect();
    let entries = all(data_dir)?.into_iter().flat_map(|(_, register)| register.entries);
    let is_wanted = |entry: &Entry| *entry.host == *dead.as_str() && attempts.contains(&*entry.attempt);
    Ok(entries.filter(is_wanted).collect())
}

/// What a file says.
struct Contents {
    machine: String,
    /// Whose file it is; empty before its first attempt.
    owner: Box<str>,
    entries: Vec<Entry>,
}

/// All files that mean something here: the numbers of another boot, or seen from elsewhere, name nobody.
fn all(data_dir: &Path) -> io::Result<Vec<(PathBuf, Contents)>> {
    let entries = match fs::read_dir(data_dir.join(DIRECTORY)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let here = machine()?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let contents = parse(&bytes);
        if contents.machine == here {
            found.push((path, contents));
        }
    }
    Ok(found)
}

/// Removes what tells of nobody that lives. What cannot be judged stays for the next one.
fn tidy(directory: &Path) {
    let Ok(here) = machine() else { return };
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let is_useless = File::open(entry.path()).is_ok_and(|file| is_useless(&file, &entry.path(), &here));
        if is_useless {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Whether neither the file's host nor any guardian of it lives, nor a process in the session of any worker.
fn is_useless(file: &File, path: &Path, here: &str) -> bool {
    if flock(file, FlockOperation::NonBlockingLockExclusive) != Ok(()) {
        return false;
    }
    let Ok(bytes) = fs::read(path) else { return false };
    let Contents { machine, entries, .. } = parse(&bytes);
    let boot = |machine: &str| machine.split(TAB).next().map(str::to_owned);
    if machine != here {
        // Written half, or before this boot; what lives in other namespaces is for those who see it.
        return machine.is_empty() || boot(&machine) != boot(here);
    }
    let sessions: HashSet<Pid> = entries.iter().filter_map(|entry| entry.worker).map(|it| it.pid).collect();
    sessions.is_empty() || !everybody().filter_map(session).any(|of| sessions.contains(&of))
}

/// This boot of this machine, and from where its processes are seen: the numbers in a file mean something only there.
fn machine() -> io::Result<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let seen_from = |what: &str| -> io::Result<String> {
        Ok(fs::read_link(format!("/proc/self/ns/{what}"))?.to_string_lossy().into_owned())
    };
    // Where the kernel has no namespaces of time, all see the same.
    let time = seen_from("time").or_else(|error| match Errno::from_io_error(&error) {
        Some(Errno::NOENT) => Ok(String::new()),
        _ => Err(error),
    })?;
    Ok(format!("{}{TAB}{}{TAB}{time}", boot.trim_end(), seen_from("pid")?))
}

/// Lines that say nothing yet are left out.
fn parse(bytes: &[u8]) -> Contents {
    let mut lines = bytes.chunks(LINE);
    let head = lines.next().unwrap_or_default();
    let owner = head.get(OWNER_AT..CLOSED_AT).map(first_line).unwrap_or_default();
    Contents {
        machine: first_line(head).join("\t"),
        owner: owner.concat().into(),
        entries: lines.filter_map(entry).collect(),
    }
}

fn entry(line: &[u8]) -> Option<Entry> {
    let (hosts, guardians) = line.split_at_checked(HOSTS_PART)?;
    let [pid, at, host, attempt] = first_line(hosts).try_into().ok()?;
    let worker = first_line(guardians).try_into().ok().and_then(|[pid, from, to]: [&str; 3]| {
        Some(Worker { pid: number(pid)?, from: from.parse().ok()?, to: to.parse().ok()? })
    });
    Some(Entry {
        host: host.into(),
        attempt: attempt.into(),
        guardian: Born { pid: number(pid)?, at: at.parse().ok()? },
        worker,
    })
}

/// The fields before the line's end; none where there is no end.
fn first_line(part: &[u8]) -> Vec<&str> {
    let line = part.split(|byte| *byte == b'\n').next().filter(|line| line.len() < part.len());
    line.and_then(|line| std::str::from_utf8(line).ok())
        .map(|line| line.split(TAB).collect())
        .unwrap_or_default()
}

fn number(text: &str) -> Option<Pid> {
    text.parse().ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod unit {
    use super::*;
    use rustix::process::getpid;
    use std::io::Read;
    use wh_domain::id::{Fence, TaskId};

    fn attempt(fence: i64) -> AttemptId {
        AttemptId { task: TaskId::new("x".repeat(200)).unwrap(), fence: Fence(fence) }
    }

    fn host(name: &str) -> HostId {
        HostId::new(name).unwrap()
    }

    fn born() -> Born {
        Born::of(getpid()).unwrap()
    }

    /// A process that leads a session.
    fn leader() -> std::process::Child {
        let mut command = std::process::Command::new("setsid");
        let piped = std::process::Stdio::piped;
        let mut leader = command.arg("cat").stdin(piped()).stdout(piped()).spawn().unwrap();
        // It answers once it is one.
        leader.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        leader.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        leader
    }

    fn files(data_dir: &Path) -> usize {
        fs::read_dir(data_dir.join(DIRECTORY)).unwrap().count()
    }

    #[test]
    fn a_line_tells_of_the_last_attempt_alone_and_of_its_worker_once_there_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let register = Register::make(dir.path()).unwrap();
        let (line, other) = (register.line(), register.line());
        let dead = host(&"h".repeat(200));
        let workers = |of: i64| -> Vec<Option<Worker>> {
            let found = find(dir.path(), &dead, &[attempt(of)]).unwrap();
            found.into_iter().map(|entry| entry.worker).collect()
        };
        line.begin((&dead, &attempt(i64::MAX)), born()).unwrap();
        assert_eq!(workers(i64::MAX), [None]);
        add_worker(line.file(), line.number, getpid(), (3, u64::MAX)).unwrap();
        let worker = Worker { pid: getpid(), from: 3, to: u64::MAX };
        assert_eq!(workers(i64::MAX), [Some(worker)]);
        other.begin((&dead, &attempt(1)), born()).unwrap();
        line.begin((&dead, &attempt(2)), born()).unwrap();
        assert_eq!((workers(i64::MAX), workers(1), workers(2)), (vec![], vec![None], vec![None]));
        assert_eq!(find(dir.path(), &host("another"), &[attempt(1)]).unwrap(), []);
    }

    #[test]
    fn a_file_goes_once_nobody_lives_of_whom_it_tells() {
        let dir = tempfile::tempdir().unwrap();
        let register = Register::make(dir.path()).unwrap();
        let line = register.line();
        line.begin((&host("h"), &attempt(1)), born()).unwrap();
        let mut leader = leader();
        add_worker(line.file(), line.number, Pid::from_child(&leader), (0, 1)).unwrap();
        drop(Register::make(dir.path()).unwrap());
        assert_eq!(files(dir.path()), 2, "the first one's host lives");
        drop((line, register));
        let second = Register::make(dir.path()).unwrap();
        assert_eq!(files(dir.path()), 2, "the first one's worker's session lives, the other tells of nobody");
        leader.kill().unwrap();
        leader.wait().unwrap();
        let third = Register::make(dir.path()).unwrap();
        assert_eq!(
            files(dir.path()),
            2,
            "the first one tells of nobody any more, the second one's host lives"
        );
        let line = third.line();
        line.begin((&host("h"), &attempt(1)), born()).unwrap();
        drop((line, second, third));
        for entry in fs::read_dir(dir.path().join(DIRECTORY)).unwrap() {
            let file = File::options().write(true).open(entry.unwrap().path()).unwrap();
            file.write_all_at(b"another-boot\t", 0).unwrap();
        }
        drop(Register::make(dir.path()).unwrap());
        assert_eq!(files(dir.path()), 1, "only the new one is of this boot");
        assert_eq!(find(dir.path(), &host("h"), &[attempt(1)]).unwrap(), []);
    }

    #[test]
    fn a_host_that_is_closed_begins_nothing_and_another_one_does() {
        let dir = tempfile::tempdir().unwrap();
        let register = Register::make(dir.path()).unwrap();
        let (line, alive, dead) = (register.line(), host(&"a".repeat(200)), host(&"d".repeat(200)));
        register.serve(&dead).unwrap();
        close(dir.path(), &alive).unwrap();
        line.begin((&dead, &attempt(1)), born()).unwrap();
        close(dir.path(), &dead).unwrap();
        assert!(line.begin((&dead, &attempt(2)), born()).is_err());
        line.begin((&alive, &attempt(3)), born()).unwrap();
        assert_eq!(find(dir.path(), &alive, &[attempt(3)]).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_register_says_nothing() {
        for bytes in [b"".as_slice(), b"\n", &[0; 3 * LINE], &[b'\t'; 3 * LINE], &[b'\n'; 3 * LINE]] {
            assert_eq!(parse(bytes).entries, []);
        }
    }
}
