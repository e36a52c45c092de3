//! What a task is and what happens to it next: pure rules, no clock, no dice, no I/O.
//!
//! Everything here is a value or a function of values. Time and chance come in as arguments, so every rule can
//! be shown as a table (`tests/`). The one function that chooses a task's next state is
//! [`lifecycle::after_attempt`]; the one that reads an ending is [`ending::judge`].

pub mod ailment;
pub mod attempt;
pub mod ending;
pub mod event;
pub mod exit;
pub mod failure;
pub mod health;
pub mod id;
pub mod isolation;
pub mod lease;
pub mod lifecycle;
pub mod limits;
pub mod outcome;
pub mod outputs;
pub mod priority;
pub mod progress;
pub mod report;
pub mod retry;
pub mod routing;
pub mod task;
pub mod time;
pub mod timeout;
pub mod watermark;
pub mod worker;
