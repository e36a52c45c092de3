//! The loop and its duties: claims what streams are free for, carries it, settles it.
//!
//! The host knows the database, the processes and the clock only as traits, so the whole loop runs in a test with
//! a map, a script and a paused clock. One task owns all state ([`Host`]); everything slow runs beside it and
//! comes back as an `Arrival`.

mod arrival;
mod bus;
mod carrying;
mod draining;
mod drift;
mod duties;
mod ear;
mod heartbeat;
pub mod host;
mod notes;
mod publishing;
mod roster;
mod settling;
mod tools;

pub use host::{Command, Farewell, Host, Settings, Why};
pub use tools::Parts;
