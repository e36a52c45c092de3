//! Random lives of a store, side by side with the reference store: both must say and keep the same.

mod side;
mod step;

use super::harness::StoreUnderTest;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use side::Side;
use step::{Step, steps};
use tokio::runtime::Runtime;

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Lives.
    pub lives: u32,
    /// The most steps of a life.
    pub steps: usize,
    /// Same seed, same lives.
    pub seed: u8,
}

impl Default for Size {
    fn default() -> Self {
        Self { lives: 200, steps: 100, seed: 0 }
    }
}

/// Lives random lives with a store of each kind, a fresh one per life, and compares every answer and, after each
/// step, all tasks and facts. A life that tells them apart is made as short as possible.
///
/// # Errors
/// The shortest such life, with what was said differently.
pub fn model<A, B>(
    size: Size,
    make: impl Fn(&Runtime) -> A,
    make_reference: impl Fn(&Runtime) -> B,
) -> Result<(), String>
where
    A: StoreUnderTest + 'static,
    B: StoreUnderTest + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config =
        Config { cases: size.lives, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[size.seed; 32]);
    let result = TestRunner::new_with_rng(config, rng).run(&steps(size.steps), |life| {
        let (tested, reference) = (Side::new(make(&runtime)), Side::new(make_reference(&runtime)));
        runtime.block_on(compare(tested, reference, &life)).map_err(TestCaseError::fail)
    });
    result.map_err(|error| error.to_string())
}

async fn compare(mut tested: Side, mut reference: Side, life: &[Step]) -> Result<(), String> {
    for (no, step) in life.iter().enumerate() {
        let (said, expected) = (tested.take(step).await, reference.take(step).await);
        agree(&format!("step {no}, {step:?}, is answered"), &said, &expected)?;
        let (kept, expected) = (tested.account().await, reference.account().await);
        agree(&format!("after step {no}, {step:?}, it holds"), &kept, &expected)?;
    }
    agree("at last it holds", &tested.inventory().await, &reference.inventory().await)
}

fn agree(when: &str, tested: &str, reference: &str) -> Result<(), String> {
    if tested == reference {
        return Ok(());
    }
    Err(format!("{when}\n  by the store under test: {tested}\n  by the reference store:  {reference}"))
}
