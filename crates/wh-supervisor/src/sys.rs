//! The only unsafe code: calls into the C library and the reactor that no safe wrapper offers.
#![expect(unsafe_code, reason = "fork, wait4, signal masks and the reactor have no safe wrapper")]

use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::process::Pid;
use std::ffi::{CStr, CString, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use wh_domain::attempt::Usage;

/// Signals that end or stop a process by habit and must not touch the processes that watch workers: they obey
/// nothing but their sockets.
const IGNORED: [c_int; 8] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGTSTP,
    libc::SIGPIPE,
    libc::SIGUSR1,
    libc::SIGUSR2,
];

/// One program to be started.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    /// What is executed; looked up nowhere.
    pub(crate) program: &'a CStr,
    /// Its arguments, the first one by habit its name.
    pub(crate) argv: &'a [CString],
    /// All of its environment, as `NAME=value`.
    pub(crate) env: Vec<&'a CStr>,
    /// Where it starts.
    pub(crate) directory: &'a CStr,
    /// Its descriptors 0 to 3. Each must be numbered 4 or above here.
    pub(crate) descriptors: [BorrowedFd<'a>; 4],
    /// What each of its processes may use.
    pub(crate) rlimits: Rlimits,
}

/// What a process may use; its children inherit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rlimits {
    /// Files open at the same time; no more than this process may have.
    pub(crate) open_files: Option<u64>,
    /// The largest file that may be written, in bytes.
    pub(crate) file_size: Option<u64>,
}

/// The usual code: -1 with `errno`, or a value.
fn value(code: c_int) -> io::Result<c_int> {
    if code < 0 { Err(io::Error::last_os_error()) } else { Ok(code) }
}

fn signal_set(signals: &[c_int]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the pointer is to memory of the right size, which the call initialises and which cannot fail.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialised above.
    let mut set = unsafe { set.assume_init() };
    for signal in signals {
        // SAFETY: the set is initialised; a number that is no signal is refused without effect.
        unsafe { libc::sigaddset(&raw mut set, *signal) };
    }
    set
}

/// On which side of a fork one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The old process; holds the new one's number.
    Parent(Pid),
    /// The new one.
    Child,
}

/// Splits this process in two. To be called only where it has a single thread.
pub(crate) fn fork() -> io::Result<Side> {
    // SAFETY: the spawner is single-threaded, so no lock can be held by a thread that the child lacks.
    let pid = value(unsafe { libc::fork() })?;
    Ok(Pid::from_raw(pid).map_or(Side::Child, Side::Parent))
}

/// Ends this process at once, without running anything that others registered for its end.
pub(crate) fn leave(code: i32) -> ! {
    // SAFETY: always sound; destructors that do not run free nothing that outlives the process.
    unsafe { libc::_exit(code) }
}

/// Lets this process be ended only by SIGKILL or by its own will, and makes sure that its children can be waited
/// for, whatever it inherited.
pub(crate) fn ignore_signals() {
    for signal in IGNORED {
        // SAFETY: ignoring a signal runs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    // SAFETY: the default disposition runs no code of ours.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// A descriptor that is readable when a child has changed its state.
pub(crate) fn child_signals() -> io::Result<OwnedFd> {
    let set = signal_set(&[libc::SIGCHLD]);
    // SAFETY: the set is initialised and the old mask is not asked for.
    value(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) })?;
    // SAFETY: the set is initialised; -1 asks for a new descriptor.
    let fd = value(unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) })?;
    // SAFETY: the call just made this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Closes every descriptor from `first` on but `spared`, whoever owns it. Only for a process that has just been forked
/// and keeps none of what it inherited.
pub(crate) fn close_from(first: u32, spared: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let spared = spared.and_then(|spared| u32::try_from(spared.as_raw_fd()).ok()).filter(|it| *it >= first);
    let close = |first: u32, last: u32| {
        if first > last {
            return Ok(());
        }
        // SAFETY: the caller's promise is that no owner of these descriptors is used again in this process.
        value(unsafe { libc::close_range(first, last, 0) }).map(drop)
    };
    match spared {
        Some(spared) => close(first, spared.saturating_sub(1)).and_then(|()| close(spared + 1, u32::MAX)),
        None => close(first, u32::MAX),
    }
}

/// Has the reactor tell when there is something to read; gives the descriptor back where it refuses.
pub(crate) fn listen_to(fd: OwnedFd) -> Result<AsyncFd<OwnedFd>, OwnedFd> {
    // SAFETY: an owned descriptor stays open, and the same, for as long as it is owned.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    registered.map_err(|refused| refused.into_parts().0)
}

/// Which version of Landlock the kernel has, or the error number that says why none.
pub(crate) fn landlock_version() -> Result<u32, c_int> {
    const VERSION: u32 = 1;
    let (nothing, size) = (std::ptr::null::<libc::c_void>(), 0_usize);
    // SAFETY: with this flag the call reads nothing and makes nothing.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, size, VERSION) };
    u32::try_from(version).map_err(|_| io::Error::last_os_error().raw_os_error().unwrap_or(libc::ENOSYS))
}

/// A child that has ended and was waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reaped {
    /// Which.
    pub(crate) pid: Pid,
    /// How, as the kernel packs it.
    pub(crate) status: i32,
    /// What it used, with the children that it had waited for.
    pub(crate) usage: Usage,
}

/// What there was to wait for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Waited {
    /// This one has ended.
    Reaped(Reaped),
    /// There are children, and all of them are alive.
    Alive,
    /// There are no children.
    Childless,
}

/// Waits for any child that has ended, without blocking.
pub(crate) fn reap() -> io::Result<Waited> {
    let mut status = 0;
    let mut usage = MaybeUninit::zeroed();
    // SAFETY: both pointers are to memory of the right size, which the call may fill.
    let pid = unsafe { libc::wait4(-1, &raw mut status, libc::WNOHANG, usage.as_mut_ptr()) };
    if pid < 0 {
        let error = io::Error::last_os_error();
        return if error.raw_os_error() == Some(libc::ECHILD) { Ok(Waited::Childless) } else { Err(error) };
    }
    let Some(pid) = Pid::from_raw(pid) else { return Ok(Waited::Alive) };
    // SAFETY: all-zero bytes are a valid value, and the call has filled it.
    let usage: libc::rusage = unsafe { usage.assume_init() };
    // Its blocks are of 512 bytes, whatever the file system's are.
    let usage = Usage {
        user: duration(usage.ru_utime),
        system: duration(usage.ru_stime),
        max_rss_kib: u64::try_from(usage.ru_maxrss).unwrap_or(0),
        disk_read_kib: u64::try_from(usage.ru_inblock).unwrap_or(0) / 2,
        disk_written_kib: u64::try_from(usage.ru_oublock).unwrap_or(0) / 2,
        oom_kills: 0,
    };
    Ok(Waited::Reaped(Reaped { pid, status, usage }))
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_usec).unwrap_or(0);
    Duration::from_secs(seconds).saturating_add(Duration::from_micros(micros))
}
