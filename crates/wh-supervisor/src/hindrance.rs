//! Why an attempt could not begin, read from the system's errors: by whose fault, and which resource ran short.

use std::io;
use wh_domain::ending::Hindrance;

/// The task's fault: what it brings cannot be given to the worker.
pub(crate) fn task(why: impl Into<Box<str>>) -> Hindrance {
    Hindrance::Task(why.into())
}

/// The worker's fault: what is configured cannot be started.
pub(crate) fn worker(why: impl Into<Box<str>>) -> Hindrance {
    Hindrance::Worker(why.into())
}

/// The host's fault: `what` could not be done.
pub(crate) fn host(what: &str, error: &io::Error) -> Hindrance {
    Hindrance::Host(format!("{what}: {}", in_words(error)).into())
}

/// Something that the task brings could not be read from where the store keeps it. What is gone stays gone; any
/// other trouble is the host's.
pub(crate) fn reading(what: &str, error: &io::Error) -> Hindrance {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::InvalidData => task(format!("{what}: {error}")),
        _ => host(what, error),
    }
}

/// Something that the task brings could not be written under its name. A name that the file system does not take,
/// or one that is there already, is the task's fault; any other trouble is the host's.
pub(crate) fn naming(what: &str, error: &io::Error) -> Hindrance {
    match error.raw_os_error() {
        Some(libc::EEXIST | libc::ENAMETOOLONG | libc::EINVAL | libc::EILSEQ) => {
            task(format!("{what}: {error}"))
        }
        _ => host(what, error),
    }
}

/// Whether the kernel refused to start a program because the machine ran short of something, whatever program it
/// was. The others (`ENOENT`, `EACCES`, `ENOEXEC`, …) are about the program.
pub(crate) const fn is_shortage(errno: i32) -> bool {
    matches!(
        errno,
        libc::EAGAIN
            | libc::ENOMEM
            | libc::EMFILE
            | libc::ENFILE
            | libc::ENOSPC
            | libc::EDQUOT
            | libc::ENOBUFS
    )
}

/// An error that names the resource, where one ran short.
pub(crate) fn in_words(error: &io::Error) -> String {
    let words = match error.raw_os_error() {
        Some(libc::EMFILE) => "the host has as many files open as it may (EMFILE; see `ulimit -n`)",
        Some(libc::ENFILE) => "the machine has as many files open as it can (ENFILE)",
        Some(libc::ENOMEM | libc::ENOBUFS) => "there is no memory left (ENOMEM)",
        Some(libc::EAGAIN) => "there are as many processes as there may be (EAGAIN; see `ulimit -u`)",
        Some(libc::ENOSPC) => "there is no space left on the disk (ENOSPC)",
        Some(libc::ETOOMANYREFS) => {
            "too many descriptors are on their way to other processes (ETOOMANYREFS; see `ulimit -n`)"
        }
        Some(libc::EDQUOT) => "the disk quota is used up (EDQUOT)",
        Some(libc::EROFS) => "the file system can only be read (EROFS)",
        _ => return error.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod unit {
    use super::*;

    fn error(errno: i32) -> io::Error {
        io::Error::from_raw_os_error(errno)
    }

    #[test]
    fn whatever_the_machine_runs_short_of_is_the_hosts_and_named() {
        for (errno, name) in [
            (libc::EMFILE, "EMFILE"),
            (libc::ENFILE, "ENFILE"),
            (libc::ENOMEM, "ENOMEM"),
            (libc::ENOBUFS, "ENOMEM"),
            (libc::EAGAIN, "EAGAIN"),
            (libc::ENOSPC, "ENOSPC"),
            (libc::EDQUOT, "EDQUOT"),
        ] {
            assert!(is_shortage(errno), "{name}");
            for hindrance in
                [host("x", &error(errno)), reading("x", &error(errno)), naming("x", &error(errno))]
            {
                let Hindrance::Host(why) = &hindrance else { panic!("{hindrance:?}") };
                assert!(why.starts_with("x: ") && why.contains(name), "{why}");
            }
        }
        for errno in [libc::ENOENT, libc::EACCES, libc::ENOEXEC, libc::ENOTDIR, libc::ELOOP, libc::E2BIG] {
            assert!(!is_shortage(errno), "{errno}");
        }
    }

    #[test]
    fn what_a_task_brings_and_cannot_be_found_or_named_is_the_tasks() {
        assert!(matches!(reading("x", &error(libc::ENOENT)), Hindrance::Task(_)));
        assert!(matches!(reading("x", &error(libc::EIO)), Hindrance::Host(_)));
        for errno in [libc::EEXIST, libc::ENAMETOOLONG, libc::EINVAL, libc::EILSEQ] {
            assert!(matches!(naming("x", &error(errno)), Hindrance::Task(_)), "{errno}");
        }
        assert!(matches!(naming("x", &error(libc::ENOENT)), Hindrance::Host(_)));
    }
}
