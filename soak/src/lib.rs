//! Proof that nothing is lost: kills, power cuts and traces of the real program, judged by readers of their own.

pub mod arena;
pub mod cli;
pub mod cuts;
pub mod disk;
pub mod history;
pub mod hooked;
pub mod judge;
pub mod kills;
pub mod kind;
pub mod ledger;
pub mod load;
pub mod points;
pub mod process;
pub mod producer;
pub mod report;
pub mod runs;
pub mod syncs;
pub mod table;
pub mod tamper;
pub mod trace;
pub mod trees;
pub mod worker;

/// What goes wrong with the soak itself: nothing that it could judge.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;
/// A result whose error is the soak's own trouble.
pub type Tried<T> = Result<T, Trouble>;
