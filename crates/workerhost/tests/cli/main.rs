//! The program as people use it: real processes, a real store, in a directory of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod about;
mod config;
mod db;
mod enqueue;
mod host_faults;
mod operator;
mod place;
mod run;
mod verify;
