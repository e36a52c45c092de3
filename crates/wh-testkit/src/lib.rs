//! Reference store, fakes, and the suites every store must pass.
//!
//! [`memory::MemoryStore`] is the specification of a store as code; [`conformance`] is the same as sentences,
//! each a test of its own. The fakes ([`clock`], [`chance`], [`script`], [`recorder`]) let the whole host run
//! under a clock that is set by hand, with chance drawn from a seed.
#![expect(clippy::expect_used, reason = "this crate runs in tests only, and a test that cannot go on stops")]

pub mod chance;
pub mod clock;
pub mod conformance;
mod digest;
pub mod machine;
pub mod memory;
pub mod recorder;
pub mod script;
pub mod witness;
