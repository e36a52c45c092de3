//! Every enumeration that is stored or shown as a word reads its own words back and no other.

use std::fmt::Debug;
use wh_domain::ending::{Meaning, Stop};
use wh_domain::failure::FailureClass;
use wh_domain::outcome::OutcomeName;
use wh_domain::task::{PoisonReason, StateName, WaitingFor};

fn check<T: Copy + Debug + PartialEq>(all: &[T], word: fn(T) -> &'static str, parse: fn(&str) -> Option<T>) {
    for (at, one) in all.iter().enumerate() {
        assert_eq!(parse(word(*one)), Some(*one));
        assert!(!all.iter().skip(at + 1).any(|other| word(*other) == word(*one)), "{one:?} shares its word");
        assert!(word(*one).chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{one:?}");
    }
    for stranger in ["", " ", "unknown", "pending ", "PENDIN"] {
        assert_eq!(parse(stranger), None, "{stranger:?}");
    }
}

#[test]
fn words_read_back_and_strangers_are_refused() {
    check(&OutcomeName::ALL, OutcomeName::as_str, OutcomeName::parse);
    check(&StateName::ALL, StateName::as_str, StateName::parse);
    check(&PoisonReason::ALL, PoisonReason::as_str, PoisonReason::parse);
    check(&WaitingFor::ALL, WaitingFor::as_str, WaitingFor::parse);
    check(&FailureClass::ALL, FailureClass::as_str, FailureClass::parse);
    check(&Stop::ALL, Stop::as_str, Stop::parse);
    check(&Meaning::ALL, Meaning::as_str, Meaning::parse);
}

#[test]
fn what_workers_and_people_write_is_read_in_any_case() {
    assert_eq!(FailureClass::parse("Transient"), Some(FailureClass::Transient));
    assert_eq!(StateName::parse("POISONED"), Some(StateName::Poisoned));
}

#[test]
fn a_task_has_ended_in_three_states_of_five() {
    let ended: Vec<&str> =
        StateName::ALL.into_iter().filter(|state| state.has_ended()).map(StateName::as_str).collect();
    assert_eq!(ended, ["completed", "poisoned", "cancelled"]);
}
