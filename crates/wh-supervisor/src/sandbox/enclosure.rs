//! A sandbox, prepared once and entered by each worker of a program.

use super::syscalls;
use crate::birth::{self, Birth, Inside, Refusals, Step};
use crate::sys::{self, Start};
use crate::wire::{Access, Grant, Sandbox};
use landlock::{
    ABI, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use rustix::process::Pid;
use seccompiler::BpfProgram;
use std::error::Error;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use wh_domain::isolation::{Enforcement, Gap, Level, Network, Restriction};

/// The newest version of the kernel's interface that was tried: a newer one denies what this one allows, and workers that
/// ran would not run any more.
const NEWEST: ABI = ABI::V7;
/// The first that holds everything written: truncating too.
const FILES_SINCE: u32 = 3;
/// The first that holds connections over TCP.
const TCP_SINCE: u32 = 4;
/// The first that holds signals and abstract sockets.
const SCOPES_SINCE: u32 = 6;

/// A prepared sandbox.
pub(crate) struct Enclosure {
    sandbox: Sandbox,
    /// Which version of Landlock the kernel has, or why none.
    landlock: Result<u32, &'static str>,
    ruleset: Option<OwnedFd>,
    filter: BpfProgram,
}

/// What became of a start inside.
pub(crate) enum Started {
    /// It runs, and this is what holds for it.
    Running(Pid, Enforcement),
    /// Something does not hold, and all is required.
    NotIsolated(Enforcement),
}

impl Enclosure {
    /// Prepares a sandbox. An error is a want of the machine that may pass; what the kernel lacks is none.
    pub(crate) fn new(sandbox: Sandbox) -> io::Result<Self> {
        let landlock = match sys::landlock_version() {
            Ok(version) => Ok(version),
            Err(libc::ENOSYS) => Err("this kernel has no Landlock"),
            Err(_) => Err("Landlock is not enabled in this kernel"),
        };
        let ruleset = if landlock.is_ok() { ruleset(&sandbox)? } else { None };
        let filter = syscalls::filter(&sandbox.network).map_err(io::Error::other)?;
        Ok(Self { sandbox, landlock, ruleset, filter })
    }

    /// What is told of a start that is not tried.
    pub(crate) fn not_started(&self) -> Started {
        Started::NotIsolated(self.report(&Refusals::default()))
    }

    /// Starts a program inside.
    pub(crate) fn start(&self, start: &Start<'_>) -> io::Result<Started> {
        // What is known to be missing is no step that could be refused.
        let lacks = self.report(&Refusals::default());
        if self.sandbox.required && !lacks.missing.is_empty() {
            return Ok(Started::NotIsolated(lacks));
        }
        let inside = Inside {
            ruleset: self.ruleset.as_ref().map(AsFd::as_fd),
            filter: &self.filter,
            required: self.sandbox.required,
        };
        let (birth, refusals) = birth::spawn(start, Some(&inside))?;
        let report = self.report(&refusals);
        Ok(match birth {
            Birth::Running(pid) => Started::Running(pid, report),
            Birth::NotEntered => Started::NotIsolated(report),
        })
    }

    /// What holds and what does not, if these steps are refused.
    fn report(&self, refusals: &Refusals) -> Enforcement {
        let mut report = Enforcement {
            level: Level::Strict,
            landlock: self.landlock.ok().and_then(|version| u8::try_from(version).ok()),
            cgroup: None,
            enforced: Vec::new(),
            missing: Vec::new(),
        };
        let step = |step| refusals.of(step).map_or(Ok(()), |error| Err(error.to_string()));
        let landlock = |since| {
            let version = self.landlock.map_err(str::to_owned)?;
            if version < since {
                return Err(format!(
                    "this kernel has version {version} of Landlock, and it takes version {since}"
                ));
            }
            step(Step::Ruleset)
        };
        let mut note = |restriction, holds: Result<(), String>| match holds {
            Ok(()) => report.enforced.push(restriction),
            Err(why) => report.missing.push(Gap { restriction, why: why.into() }),
        };
        note(Restriction::Files, landlock(FILES_SINCE));
        note(Restriction::Signals, landlock(SCOPES_SINCE));
        note(Restriction::AbstractSockets, landlock(SCOPES_SINCE));
        match self.sandbox.network {
            Network::Any => {}
            Network::None => note(Restriction::Network, step(Step::Filter)),
            Network::Ports(_) => {
                note(Restriction::Network, landlock(TCP_SINCE).and_then(|()| step(Step::Filter)));
            }
        }
        note(Restriction::Privileges, step(Step::Privileges));
        note(Restriction::Syscalls, step(Step::Filter));
        note(Restriction::CoreDumps, step(Step::CoreDumps));
        // Setting it cannot be refused.
        note(Restriction::Umask, Ok(()));
        report
    }
}

fn ruleset(sandbox: &Sandbox) -> io::Result<Option<OwnedFd>> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(everything())
        .and_then(|ruleset| ruleset.scope(Scope::Signal | Scope::AbstractUnixSocket))
        .map_err(of_the_kernel)?;
    if let Network::Ports(_) = sandbox.network {
        ruleset = ruleset.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp).map_err(of_the_kernel)?;
    }
    let mut ruleset = ruleset.create().map_err(of_the_kernel)?;
    for grant in &sandbox.grants {
        ruleset = add(ruleset, grant)?;
    }
    if let Network::Ports(ports) = &sandbox.network {
        let rules =
            ports.iter().map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp)));
        ruleset = ruleset.add_rules(rules).map_err(of_the_kernel)?;
    }
    Ok(ruleset.into())
}

/// The kernel's own error, where there is one: a want of memory or of descriptors is the host's and passes.
fn of_the_kernel(error: impl Error + Send + Sync + 'static) -> io::Error {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(at) = cause {
        if let Some(number) = at.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return io::Error::from_raw_os_error(number);
        }
        cause = at.source();
    }
    io::Error::other(error)
}

/// What is not there any more cannot be reached; nor is a link followed that lies where none was when this was granted.
fn add(ruleset: RulesetCreated, grant: &Grant) -> io::Result<RulesetCreated> {
    let path = Path::new(OsStr::from_bytes(grant.path.as_bytes()));
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let file = match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(ruleset),
        Err(error) => return Err(error.into()),
    };
    let is_directory = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode).is_dir();
    let rights =
        if is_directory { rights(grant.access) } else { rights(grant.access) & AccessFs::from_file(NEWEST) };
    ruleset.add_rule(PathBeneath::new(file, rights)).map_err(of_the_kernel)
}

fn everything() -> BitFlags<AccessFs> {
    use landlock::Access as _;
    AccessFs::from_all(NEWEST)
}

fn rights(access: Access) -> BitFlags<AccessFs> {
    match access {
        Access::List => AccessFs::ReadDir.into(),
        Access::Read => AccessFs::from_read(NEWEST),
        Access::Use => AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev,
        // A device made by root in its own workspace would be the machine's all the same.
        Access::Write => everything() & !(AccessFs::MakeChar | AccessFs::MakeBlock),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Around(io::Error);

    impl std::fmt::Display for Around {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "around {}", self.0)
        }
    }

    impl Error for Around {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_want_of_memory_keeps_its_number_through_the_librarys_words() {
        let wanting = Around(io::Error::from_raw_os_error(libc::ENOMEM));
        assert_eq!(of_the_kernel(wanting).raw_os_error(), Some(libc::ENOMEM));
        let other = of_the_kernel(Around(io::Error::other("odd")));
        assert_eq!((other.raw_os_error(), other.to_string().as_str()), (None, "around odd"));
    }
}
