//! The program as people use it: real processes, a real store, in a directory of its own.

mod about;
mod config;
mod enqueue;
mod host_faults;
mod operator;
mod place;
mod run;
