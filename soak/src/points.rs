//! The named points at which hosts are killed, and what brings a host to each of them.

/// What is done so that a host passes a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lure {
    /// Nothing: it passes by itself.
    None,
    /// It is asked to stop.
    Stop,
    /// It brings in tasks of its own, one of them with a file.
    Bring,
    /// The configuration is replaced by one that says the same.
    Reload,
    /// The configuration is replaced by what is none.
    Spoil,
    /// A worker's program is taken away.
    Break,
    /// A worker's program is taken away, and comes back.
    Mend,
}

/// A point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Its name: a step of the store, or an event of the host.
    pub name: &'static str,
    /// It is let pass up to so often before the kill.
    pub most: u64,
    /// What brings a host there.
    pub lure: Lure,
}

const fn point(name: &'static str, most: u64, lure: Lure) -> Point {
    Point { name, most, lure }
}

/// Steps that only a data directory passes that is not there yet.
pub const FIRST: Point = point("mark.after_write", 1, Lure::None);

/// All others.
pub const POINTS: &[Point] = &[
    point("blob.after_write", 1, Lure::Bring),
    point("blob.after_rename", 1, Lure::Bring),
    point("enqueue.before_commit", 1, Lure::Bring),
    point("enqueue.after_commit", 1, Lure::Bring),
    point("join.before_commit", 1, Lure::None),
    point("join.after_commit", 1, Lure::None),
    point("claim.before_commit", 30, Lure::None),
    point("claim.after_commit", 30, Lure::None),
    point("renew.before_commit", 3, Lure::None),
    point("renew.after_commit", 3, Lure::None),
    point("note.before_commit", 3, Lure::None),
    point("note.after_commit", 3, Lure::None),
    point("settle.before_commit", 40, Lure::None),
    point("settle.after_commit", 40, Lure::None),
    point("takeover.before_commit", 2, Lure::None),
    point("takeover.after_commit", 2, Lure::None),
    point("leave.before_commit", 1, Lure::Stop),
    point("leave.after_commit", 1, Lure::Stop),
    point("report.before_commit", 2, Lure::None),
    point("report.after_commit", 2, Lure::None),
    point("bell.before", 30, Lure::None),
    point("bell.after", 30, Lure::None),
    point("HostStarted", 1, Lure::None),
    point("HostDraining", 1, Lure::Stop),
    point("HostStopped", 1, Lure::Stop),
    point("ConfigReloaded", 1, Lure::Reload),
    point("ConfigRefused", 1, Lure::Spoil),
    point("AttemptStarted", 40, Lure::None),
    point("Progressed", 3, Lure::None),
    point("Logged", 3, Lure::None),
    point("SoftTimeout", 2, Lure::None),
    point("Settled", 40, Lure::None),
    point("Reclaimed", 1, Lure::None),
    point("NoWorker", 1, Lure::None),
    point("WorkerQuarantined", 1, Lure::Break),
    point("WorkerRecovered", 1, Lure::Mend),
];

/// Steps of the store at which no host is killed in a soak, each with the reason.
pub const NOT_AIMED_AT: &[(&str, &str)] = &[
    ("mark.after_rename", "passed once in the life of a data directory"),
    ("sweep.before_commit", "first passed after a host has lived for a minute"),
    ("sweep.after_commit", "first passed after a host has lived for a minute"),
    ("wish.before_commit", "passed by whoever asks, who is killed there instead"),
    ("wish.after_commit", "passed by whoever asks, who is killed there instead"),
];
