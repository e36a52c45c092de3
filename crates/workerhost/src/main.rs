//! Runs any program as a durable worker.
fn main() {}
