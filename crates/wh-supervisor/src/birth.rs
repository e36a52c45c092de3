//! Starts a program with limits and inside a sandbox, which `posix_spawn` cannot: the steps between birth and execution, and
//! nothing else.
//!
//! The new process shares this one's memory until it executes (`vfork`), and this one stands still meanwhile. So its birth
//! costs the same however large this process is, and it tells which step was refused. It makes system calls only: nothing
//! allocates, nothing takes a lock.
#![expect(unsafe_code, reason = "clone, and the calls of the new process, have no safe wrapper")]

use crate::sys::{Rlimits, Start};
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::process::{Pid, WaitOptions, waitpid};
use seccompiler::{BpfProgram, sock_filter};
use std::ffi::{CStr, CString, c_char, c_int, c_long, c_ulong, c_void};
use std::io;
use std::mem::MaybeUninit;

/// What the new process needs until it executes, and then some.
const STACK: usize = 64 << 10;

/// The highest signal there is.
const LAST_SIGNAL: c_int = 64;

/// What is done one after the other. Whatever is refused, the next is tried all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The limit on core dumps.
    CoreDumps,
    /// `no_new_privs`, which the following two need.
    Privileges,
    /// Landlock's ruleset.
    Ruleset,
    /// The filter of system calls. Last, for what comes before must not be filtered.
    Filter,
}

/// How many there are.
const STEPS: usize = 4;

/// No kernel has more capabilities.
const LAST_CAPABILITY: c_ulong = 63;

/// Those that root keeps, as in containers: over files and their owners, to become other users, to send signals (which Landlock
/// bounds), to listen on low ports, to send raw packets.
const KEPT_CAPABILITIES: [c_ulong; 10] = [0, 1, 3, 4, 5, 6, 7, 10, 13, 31];

/// What is to be entered.
pub(crate) struct Inside<'a> {
    /// `None` where the kernel has none.
    pub(crate) ruleset: Option<BorrowedFd<'a>>,
    pub(crate) filter: &'a BpfProgram,
    /// Whether nothing is to be executed where a step was refused.
    pub(crate) required: bool,
}

/// An error number for each step; 0 where it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Refusals([c_int; STEPS]);

impl Refusals {
    /// Why a step was refused, if it was.
    pub(crate) fn of(&self, step: Step) -> Option<io::Error> {
        let number = self.0.get(step as usize).copied().unwrap_or(0);
        (number != 0).then(|| io::Error::from_raw_os_error(number))
    }
}

/// What became of a start.
#[derive(Debug)]
pub(crate) enum Birth {
    /// It runs.
    Running(Pid),
    /// A step was refused, and all were required.
    NotEntered,
}

/// What parent and child share.
struct Shared {
    program: *const c_char,
    argv: *const *const c_char,
    env: *const *const c_char,
    directory: *const c_char,
    descriptors: [c_int; 4],
    /// -1 for none.
    ruleset: c_int,
    /// Null for none; then there is no sandbox to be entered.
    filter: *const Filter,
    rlimits: Rlimits,
    required: bool,
    /// What was refused, and why it was not executed.
    outcome: (Refusals, c_int),
}

/// As `struct sock_fprog`.
#[repr(C)]
struct Filter {
    length: u16,
    code: *const sock_filter,
}

impl Filter {
    fn of(program: &BpfProgram) -> io::Result<Self> {
        let length = u16::try_from(program.len()).map_err(io::Error::other)?;
        Ok(Self { length, code: program.as_ptr() })
    }
}

/// Starts a program, inside where there is an inside, in a session of its own, with default signal dispositions and an empty
/// signal mask. The error is the one that the kernel gave for the birth, the directory, a descriptor, a limit or the
/// execution.
pub(crate) fn spawn(start: &Start<'_>, inside: Option<&Inside<'_>>) -> io::Result<(Birth, Refusals)> {
    let argv = pointers(start.argv.iter().map(CString::as_c_str));
    let env = pointers(start.env.iter().copied());
    let filter = inside.map(|inside| Filter::of(inside.filter)).transpose()?;
    let mut shared = Shared {
        program: start.program.as_ptr(),
        argv: argv.as_ptr(),
        env: env.as_ptr(),
        directory: start.directory.as_ptr(),
        descriptors: start.descriptors.map(|descriptor| descriptor.as_raw_fd()),
        ruleset: inside.and_then(|inside| inside.ruleset).map_or(-1, |ruleset| ruleset.as_raw_fd()),
        filter: filter.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
        rlimits: start.rlimits,
        required: inside.is_some_and(|inside| inside.required),
        outcome: (Refusals::default(), 0),
    };
    let mut stack = vec![0_u128; STACK / size_of::<u128>()];
    let top = stack.as_mut_ptr_range().end.cast::<c_void>();
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let shared_with = (&raw mut shared).cast::<c_void>();
    // SAFETY: this process has one thread, which stands still until the child has executed or left; until then the stack
    // and all that `shared` points to live. The child returns from no function of this one but `child`.
    let pid = unsafe { libc::clone(child, top, flags, shared_with) };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the value lives, and whoever wrote it through a pointer that the compiler does not follow is done with it.
    let (refusals, error) = unsafe { (&raw const shared.outcome).read_volatile() };
    let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::other("the new process has no number"))?;
    if error == 0 {
        return Ok((Birth::Running(pid), refusals));
    }
    // It has left, so this waits for nothing.
    waitpid(Some(pid), WaitOptions::empty())?;
    match error {
        NOT_ENTERED => Ok((Birth::NotEntered, refusals)),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// No error number.
const NOT_ENTERED: c_int = -1;

fn pointers<'a>(strings: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    strings.map(CStr::as_ptr).chain(std::iter::once(std::ptr::null())).collect()
}

extern "C" fn child(shared: *mut c_void) -> c_int {
    // SAFETY: the parent passes a `Shared` that lives as long as this process shares its memory, and does not touch it.
    let shared = unsafe { &mut *shared.cast::<Shared>() };
    if let Err(error) = become_the_program(shared) {
        shared.outcome.1 = error;
    }
    // SAFETY: always sound.
    unsafe { libc::_exit(127) }
}

/// Returns only with what kept it from becoming the program.
fn become_the_program(shared: &mut Shared) -> Result<(), c_int> {
    forget_signals()?;
    // SAFETY: changes nothing but this process's session.
    made(unsafe { libc::setsid() }.into())?;
    // SAFETY: the string is the parent's, which stands still.
    made(unsafe { libc::chdir(shared.directory) }.into())?;
    for (number, from) in (0..).zip(shared.descriptors) {
        // SAFETY: the table of descriptors is this process's own; nobody in it owns the first four.
        made(unsafe { libc::dup2(from, number) }.into())?;
    }
    limit(&shared.rlimits)?;
    if !shared.filter.is_null() {
        enter(shared);
    }
    if shared.required && shared.outcome.0 != Refusals::default() {
        return Err(NOT_ENTERED);
    }
    // SAFETY: the strings and the arrays of them, each with a null at its end, are the parent's, which stands still.
    made(unsafe { libc::execve(shared.program, shared.argv, shared.env) }.into())
}

/// Default dispositions and an empty mask, whatever was inherited.
fn forget_signals() -> Result<(), c_int> {
    for signal in 1..=LAST_SIGNAL {
        // Refused for SIGKILL and SIGSTOP, and for the two that the library keeps for itself.
        // SAFETY: the dispositions are this process's own, and the default one runs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let mut none = MaybeUninit::uninit();
    // SAFETY: the pointer is to memory of the right size, which the call initialises.
    made(unsafe { libc::sigemptyset(none.as_mut_ptr()) }.into())?;
    // SAFETY: the set is initialised, and the old mask is not asked for.
    made(unsafe { libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut()) }.into())
}

/// Takes this process inside, as far as the kernel can.
fn enter(shared: &mut Shared) {
    // SAFETY: the umask is this process's own.
    unsafe { libc::umask(0o077) };
    note(shared, Step::CoreDumps, without_core_dumps());
    note(shared, Step::Privileges, without_capabilities());
    let (yes, no): (c_ulong, c_ulong) = (1, 0);
    // SAFETY: numbers only, and nothing but this process changes.
    let privileges = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, yes, no, no, no) };
    note(shared, Step::Privileges, made(privileges.into()));
    if shared.ruleset >= 0 {
        // SAFETY: numbers only, and nothing but this process changes.
        let entered = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, shared.ruleset, 0_u32) };
        note(shared, Step::Ruleset, made(entered));
    }
    // SAFETY: the filter and its code are the parent's, which stands still.
    let set =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0_u32, shared.filter) };
    note(shared, Step::Filter, made(set));
}

/// Limits what this process may use, and its children.
fn limit(limits: &Rlimits) -> Result<(), c_int> {
    for (resource, most) in [(libc::RLIMIT_NOFILE, limits.open_files), (libc::RLIMIT_FSIZE, limits.file_size)]
    {
        let Some(most) = most else { continue };
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer is to a value of the right type, which the call fills.
        made(unsafe { libc::getrlimit(resource, &raw mut limit) }.into())?;
        // Only root could have more than this process may.
        let most = most.min(limit.rlim_max);
        limit = libc::rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: the value is initialised.
        made(unsafe { libc::setrlimit(resource, &raw const limit) }.into())?;
    }
    Ok(())
}

/// Takes from root the capabilities that container engines take from it: over other processes, devices, the network, the clock,
/// the kernel. Who is not root has none of them. Effective with the execution.
fn without_capabilities() -> Result<(), c_int> {
    // SAFETY: always sound.
    if unsafe { libc::geteuid() } != 0 {
        return Ok(());
    }
    for capability in (0..=LAST_CAPABILITY).filter(|capability| !KEPT_CAPABILITIES.contains(capability)) {
        // SAFETY: numbers only, and nothing is changed.
        match unsafe { libc::prctl(libc::PR_CAPBSET_READ, capability) } {
            // SAFETY: numbers only, and nothing but this process changes.
            1 => made(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability) }.into())?,
            0 => {}
            // The kernel knows none of that number, and so none of a higher one.
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Lowers the soft limit; the hard one is the worker's to use.
fn without_core_dumps() -> Result<(), c_int> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a value of the right type, which the call fills.
    made(unsafe { libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) }.into())?;
    limit.rlim_cur = 0;
    // SAFETY: the value is initialised.
    made(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) }.into())
}

fn note(shared: &mut Shared, step: Step, answer: Result<(), c_int>) {
    if let Err(error) = answer
        && let Some(refused) = shared.outcome.0.0.get_mut(step as usize)
    {
        *refused = error;
    }
}

/// The usual answer of a call: -1 with an error number, which this process's memory has in the parent's place.
fn made(answer: c_long) -> Result<(), c_int> {
    if answer < 0 { Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)) } else { Ok(()) }
}
