//! The program as people use it: real processes, a real store, in a directory of its own.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

mod about;
mod cancel;
mod config;
mod db;
mod doctor;
mod enqueue;
mod host_faults;
mod isolated;
mod logs;
mod looking;
mod map;
mod operating;
mod operator;
mod outputs;
mod pending;
mod place;
mod pty;
mod retry;
mod run;
mod schema;
mod screen;
mod showing;
mod verify;
mod wait;
mod workers;
