//! Hosts: who is a member, who is gone, and the lock files that tell.

pub(crate) mod membership;
pub(crate) mod slots;
