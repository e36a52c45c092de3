//! Who has a file locked, as far as the kernel tells.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

/// The list of locks is read in pieces, and one that is there all the time is left out of it now and then, when another
/// one goes in between.
const LOOKS: u32 = 10;

/// A process that has a file locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pid: u32,
    name: String,
    is_stopped: bool,
}

/// The process that has the file locked for itself alone. `None` where the kernel does not tell, which it does not
/// across the borders of containers and on some file systems.
pub(crate) fn holder(file: &File) -> Option<Holder> {
    let data = file.metadata().ok()?;
    let (major, minor) = (rustix::fs::major(data.dev()), rustix::fs::minor(data.dev()));
    let of = format!("{major:02x}:{minor:02x}:{}", data.ino());
    let pid = (0..LOOKS).find_map(|_| find(&fs::read_to_string("/proc/locks").ok()?, &of))?;
    let (name, state) = name_and_state(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
    Some(Holder { pid, name, is_stopped: matches!(state, 'T' | 't') })
}

/// The holder of an exclusive lock on `file`; those that wait for it stand behind an arrow.
fn find(locks: &str, file: &str) -> Option<u32> {
    locks.lines().find_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [_, "FLOCK", _, "WRITE", pid, of, ..] if of == file => pid.parse().ok(),
        _ => None,
    })
}

/// From a line such as `4711 (workerhost) T 1 …`; a name may hold brackets and spaces.
fn name_and_state(stat: &str) -> Option<(String, char)> {
    let (before, after) = stat.rsplit_once(')')?;
    Some((before.split_once('(')?.1.to_owned(), after.trim_start().chars().next()?))
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, name, is_stopped } = self;
        write!(f, "process {pid} ({name})")?;
        if *is_stopped { write!(f, ", which is stopped (`kill -CONT {pid}` lets it go on),") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_told_from_those_that_wait_and_from_holders_of_others() {
        let locks = "1: POSIX  ADVISORY  WRITE 1 fe:00:57 0 EOF\n2: FLOCK  ADVISORY  READ 2 fe:00:57 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 3 fe:01:57 0 EOF\n4: -> FLOCK  ADVISORY  WRITE 4 fe:00:57 0 EOF\n\
                     5: FLOCK  ADVISORY  WRITE 5 fe:00:57 0 EOF\n";
        assert_eq!(find(locks, "fe:00:57"), Some(5));
        assert_eq!(find(locks, "fe:00:5"), None);
    }

    #[test]
    fn a_name_with_brackets_is_a_name() {
        assert_eq!(name_and_state("7 (a) (b) T 1 2"), Some(("a) (b".to_owned(), 'T')));
        assert_eq!(name_and_state("7"), None);
    }
}
