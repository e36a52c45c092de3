//! The reference store against itself, and against one that lacks a guard.

use crate::memory::InMemory;
use wh_testkit::conformance::{Size, model};
use wh_testkit::memory::Guard;

#[test]
fn the_reference_store_agrees_with_itself() {
    let size = Size { lives: 400, ..Size::default() };
    assert_eq!(model(size, |_| InMemory::new(), |_| InMemory::new()), Ok(()));
}

#[test]
fn random_lives_tell_a_store_without_a_guard_from_the_reference() {
    let size = Size { lives: 400, ..Size::default() };
    let mut missed = Vec::new();
    for guard in Guard::ALL {
        if model(size, |_| InMemory::without(guard), |_| InMemory::new()).is_ok() {
            missed.push(guard);
        }
    }
    // Lives are too short to fill a store.
    assert_eq!(missed, [Guard::MaxPending]);
}
