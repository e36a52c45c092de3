//! An input: its place among the lines and the digest of its content, and the task that stands for it.

use super::name::Name;
use sha2::{Digest as _, Sha256};
use std::fmt;
use wh_domain::id::{BadName, TaskId, TaskType};
use wh_domain::task::{NewTask, Payload};

/// The type of all tasks of a map.
pub(super) const TASK_TYPE: &str = "map";
/// As many hexadecimal digits of the digest stand in a task's id: 128 bits, which do not meet by chance.
const DIGITS: usize = 32;

/// SHA-256 of a line without its newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest(pub(super) [u8; 32]);

impl Digest {
    pub(super) fn of(line: &[u8]) -> Self {
        Self(Sha256::digest(line).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Which input it is. Lines that are alike are inputs of their own, and a line that has changed is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    /// The line's number, from 1.
    pub(super) index: u64,
    /// Its content's.
    pub(super) digest: Digest,
}

impl Identity {
    /// The id of its task. Unique among all maps, so that it serves downstream systems as a key.
    pub(super) fn task_id(&self, map: &Name) -> Result<TaskId, BadName> {
        let digest = self.digest.to_string();
        TaskId::new(format!("{map}/{}/{}", self.index, digest.get(..DIGITS).unwrap_or(&digest)))
    }
}

/// The index in a task's id; `None` for a task that no map made.
pub(super) fn index_of(id: &TaskId) -> Option<u64> {
    let mut parts = id.as_str().rsplit('/');
    parts.next()?;
    parts.next()?.parse().ok()
}

/// An input with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) identity: Identity,
    pub(super) payload: Payload,
}

impl Input {
    /// The task that stands for it. The same input is the same task, whoever brings it.
    pub(super) fn task(self, map: &Name) -> Result<NewTask, BadName> {
        let id = self.identity.task_id(map)?;
        Ok(NewTask { id_is_given: true, ..NewTask::new(id, TaskType::new(TASK_TYPE)?, self.payload) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_the_map_the_line_and_its_content_and_tells_the_index_again() {
        let name = Name::parse("thumbs").unwrap();
        let identity = |index, line: &[u8]| Identity { index, digest: Digest::of(line) };
        let id = identity(7, b"a").task_id(&name).unwrap();
        assert_eq!(id.as_str(), "thumbs/7/ca978112ca1bbdcafac231b39a23dc4d");
        assert_eq!(index_of(&id), Some(7));
        assert_ne!(id, identity(8, b"a").task_id(&name).unwrap());
        assert_ne!(id, identity(7, b"b").task_id(&name).unwrap());
        assert_eq!(index_of(&TaskId::new("order-4711").unwrap()), None);
        let longest = Name::parse(&"n".repeat(64)).unwrap();
        assert!(identity(u64::MAX, b"").task_id(&longest).is_ok());
    }
}
