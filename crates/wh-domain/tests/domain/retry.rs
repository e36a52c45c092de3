//! The wait between tries, at its edges.

use std::time::Duration;
use wh_domain::retry::{Backoff, Dice, Jitter};

const EXACT: Backoff =
    Backoff { base: Duration::from_secs(1), factor: 2, max: Duration::from_secs(60), jitter: Jitter::None };

#[test]
fn the_first_wait_is_the_base_and_the_longest_is_the_maximum() {
    for (tries, seconds) in
        [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (1_024, 60), (u32::MAX, 60)]
    {
        assert_eq!(EXACT.wait(tries, Dice(7)), Duration::from_secs(seconds), "after {tries} tries");
    }
}

#[test]
fn full_jitter_draws_anything_from_a_tenth_of_a_second_to_the_whole_wait() {
    let backoff = Backoff { jitter: Jitter::Full, ..EXACT };
    for (dice, millis) in
        [(0, 100), (99, 100), (101, 101), (4_000, 4_000), (4_001, 100), (u64::MAX, u64::MAX % 4_001)]
    {
        assert_eq!(backoff.wait(3, Dice(dice)), Duration::from_millis(millis), "dice {dice}");
    }
}

#[test]
fn a_whole_wait_below_a_tenth_of_a_second_is_not_made_longer() {
    let backoff = Backoff { base: Duration::from_millis(40), jitter: Jitter::Full, ..EXACT };
    assert_eq!(backoff.wait(1, Dice(0)), Duration::from_millis(40));
    assert_eq!(Backoff { base: Duration::ZERO, ..backoff }.wait(1, Dice(7)), Duration::ZERO);
}

#[test]
fn a_factor_of_zero_or_one_keeps_the_wait_at_its_base() {
    for factor in [0, 1] {
        let backoff = Backoff { factor, ..EXACT };
        assert_eq!(backoff.wait(50, Dice(0)), Duration::from_secs(1));
    }
}

#[test]
fn a_base_above_the_maximum_is_the_maximum() {
    let backoff = Backoff { base: Duration::from_secs(90), ..EXACT };
    assert_eq!(backoff.wait(1, Dice(0)), Duration::from_secs(60));
}

#[test]
fn the_longest_durations_there_are_do_not_overflow() {
    for jitter in [Jitter::None, Jitter::Full] {
        let backoff = Backoff { base: Duration::MAX, factor: u32::MAX, max: Duration::MAX, jitter };
        for tries in [0, 1, 2, 64, u32::MAX] {
            assert!(backoff.wait(tries, Dice(u64::MAX)) <= Duration::MAX);
        }
    }
}
