//! The whole host in a world that is drawn from a seed: real hosts over the reference store, scripted workers, people
//! who change their minds, and trouble of every kind, under a clock that nobody waits for.

// Always true here; it tells clippy that helpers of tests may unwrap too.
#![cfg(test)]

mod alone;
mod judge;
mod line;
mod lives;
mod marks;
mod missing;
mod people;
mod plan;
mod sabotage;
mod seat;
mod shared;
mod trace;
mod troupe;
mod workers;
mod world;
