//! Runs attempts as real processes on Linux, and answers for every process that they start.
//!
//! ```text
//! host ── ProcessRunner ── one Attempt per stream      (this process: asynchronous, one thread)
//!   │         │ pipes, channel                  ▲
//!   │         │ and commands                    │ notices
//!   │         ▼                                 │
//!   ├── spawner ── guardian ── worker ── …      (own processes: spawner, one guardian per stream)
//! ```
//!
//! The *spawner* is started while the host is small and forks a *guardian* for each stream that has something to
//! do. The guardian starts the worker, and as a subreaper becomes the parent of whatever the worker's processes
//! leave behind: the end of an attempt is the moment when the guardian has no children. Signals are sent only to
//! processes that are held by a descriptor, so never to a stranger with a number used again. Which guardian and which
//! worker carry an attempt is written down (`register`), so that another host can end them (`burial`).
//!
//! The ladder by which an attempt is warned, asked, told and made to end is a pure function (`machine`); `attempt`
//! drives it. What the worker says is read whether anybody wants it or not, within bounds, and put together in
//! `hearing`.

mod answer;
mod attempt;
mod birth;
mod briefing;
mod burial;
mod carry;
mod channel;
mod conclude;
mod course;
mod fitness;
mod ground;
mod guardian;
mod hearing;
mod hindrance;
mod limits;
mod link;
mod log;
mod machine;
mod nursery;
mod orders;
mod passing;
mod pipes;
mod program;
mod redact;
mod register;
mod reviewer;
mod reviewing;
mod runner;
mod sandbox;
mod seat;
mod spawner;
mod sweep;
mod sys;
mod timers;
mod tree;
mod trial;
mod wire;
mod workspace;

pub use fitness::Fitness;
pub use nursery::SpawnerProgram;
pub use program::Obstacle;
pub use reviewer::{REVIEWER_ARGUMENT, reviewer_main};
pub use runner::{ProcessRunner, RunnerOptions};
pub use spawner::{SPAWNER_ARGUMENT, spawner_main};
pub use sweep::sweep as sweep_workspaces;
pub use trial::{Trial, Trials};
pub use workspace::reading::AttemptLog;
