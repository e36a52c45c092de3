//! Numbers with an edge: names, time limits, leases; each is met exactly and one step beyond.

use std::time::Duration;
use wh_domain::id::{AttemptId, BadName, Fence, MAX_NAME_BYTES, TaskId};
use wh_domain::lease::LeasePolicy;
use wh_domain::timeout::{BadTimeout, TimeoutPolicy};

#[test]
fn a_name_holds_1_to_200_bytes_without_control_characters() {
    assert_eq!(MAX_NAME_BYTES, 200);
    for text in ["a", " ", "Ünï-códe ✓", &"x".repeat(200), &"ä".repeat(100)] {
        assert_eq!(TaskId::new(text).unwrap().as_str(), text);
    }
    for (text, why) in [
        (String::new(), BadName::Empty),
        ("x".repeat(201), BadName::TooLong(201)),
        (format!("{}x", "ä".repeat(100)), BadName::TooLong(201)),
        ("ä\tb".to_owned(), BadName::Control(2)),
        ("a\u{1b}[31m".to_owned(), BadName::Control(1)),
        ("a\0".to_owned(), BadName::Control(1)),
    ] {
        assert_eq!(TaskId::new(&text), Err(why), "{text:?}");
    }
}

#[test]
fn a_bad_name_is_told_so_that_it_can_be_mended() {
    assert_eq!(BadName::TooLong(212).to_string(), "is 212 bytes long; at most 200 are allowed");
    assert_eq!(BadName::Empty.to_string(), "is empty; give it at least one character");
    assert_eq!(
        BadName::Control(3).to_string(),
        "holds a control character at byte 3; use printable characters only"
    );
}

#[test]
fn an_attempt_is_named_by_its_task_and_its_fence() {
    let id = AttemptId { task: TaskId::new("video:7").unwrap(), fence: Fence(3) };
    assert_eq!(id.to_string(), "video:7:3");
}

#[test]
fn the_soft_limit_is_four_fifths_of_the_hard_one_unless_given_and_always_below_it() {
    let second = Duration::from_secs(1);
    let soft = |hard, soft| TimeoutPolicy::new(hard, soft, second).map(|policy| policy.soft);
    assert_eq!(soft(second * 300, None), Ok(second * 240));
    assert_eq!(soft(second * 10, Some(second * 3)), Ok(second * 3));
    let just_below = Duration::from_nanos(999_999_999);
    assert_eq!(soft(second, Some(just_below)), Ok(just_below));
    assert_eq!(soft(second, Some(second)), Err(BadTimeout::SoftNotBelowHard));
    assert_eq!(soft(Duration::ZERO, None), Err(BadTimeout::Zero));
    assert_eq!(
        TimeoutPolicy::new(second * 300, None, second * 10),
        Ok(TimeoutPolicy::default()),
        "the default is what its own rules give"
    );
    assert!(soft(Duration::MAX, None).is_ok(), "the longest limit there is does not overflow");
}

#[test]
fn a_reaper_holds_back_after_a_gap_longer_than_a_renewal() {
    let policy = LeasePolicy::default();
    assert_eq!((policy.length, policy.renew_every), (Duration::from_secs(30), Duration::from_millis(7_500)));
    assert!(!policy.needs_amnesty(Duration::from_millis(7_500)));
    assert!(policy.needs_amnesty(Duration::from_millis(7_501)));
}
