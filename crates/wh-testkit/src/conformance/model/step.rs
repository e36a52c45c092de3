//! What can happen in the life of a store.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// A task that is handed over.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    /// One of a few given ids, or a fresh one.
    pub(super) id: Option<u8>,
    pub(super) task_type: u8,
    pub(super) content: u8,
    pub(super) unique: Option<u8>,
    pub(super) priority: i32,
    pub(super) in_minutes: Option<u32>,
}

/// How a claim ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Succeeds,
    BacksOff,
    GoesBack,
    IsPoisoned,
    IsCancelled,
    IsDeferred,
}

/// One step. Hosts are few places that are taken anew with each join; claims and tasks are meant by their position
/// among all so far, taken round.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Enqueue(Vec<Offer>),
    Join(u8),
    Leave(u8),
    Kill(u8),
    Crash,
    Renew(u8),
    Claim { host: u8, each: u32, most: u32 },
    TakeOver(u8),
    Settle { claim: usize, end: End, saw_cancel: bool, follow_ups: Vec<Offer> },
    Note { claim: usize, percent: u8, checkpoint: bool },
    Cancel(Vec<usize>),
    Retry(Vec<usize>),
    RetryPoisoned(Option<u8>),
    Resume(u8),
    Heed(u8),
    Sweep { seconds: u64 },
    Pass { seconds: u64, alive: u8 },
    JumpCalendar { minutes: i64 },
    Reboot { up_seconds: u64 },
}

/// Lives of at most so many steps. Each begins with a host, so that short ones are lives too.
pub(super) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..most).prop_map(|mut life| {
        life.insert(0, Step::Join(0));
        life
    })
}

fn offer() -> impl Strategy<Value = Offer> {
    (
        option::of(0..6_u8),
        0..3_u8,
        0..2_u8,
        option::weighted(0.3, 0..3_u8),
        -1..=1_i32,
        option::weighted(0.3, 0..5_u32),
    )
        .prop_map(|(id, task_type, content, unique, priority, in_minutes)| Offer {
            id,
            task_type,
            content,
            unique,
            priority,
            in_minutes,
        })
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => Just(End::Succeeds),
        3 => Just(End::BacksOff),
        2 => Just(End::GoesBack),
        2 => Just(End::IsPoisoned),
        2 => Just(End::IsCancelled),
        1 => Just(End::IsDeferred),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let host = || 0..3_u8;
    let settle = (0..100_usize, end(), any::<bool>(), vec(offer(), 0..3))
        .prop_map(|(claim, end, saw_cancel, follow_ups)| Step::Settle { claim, end, saw_cancel, follow_ups });
    prop_oneof![
        12 => vec(offer(), 1..4).prop_map(Step::Enqueue),
        12 => (host(), 0..4_u32, 0..6_u32).prop_map(|(host, each, most)| Step::Claim { host, each, most }),
        16 => settle,
        4 => host().prop_map(Step::Join),
        1 => host().prop_map(Step::Leave),
        2 => host().prop_map(Step::Kill),
        1 => Just(Step::Crash),
        3 => host().prop_map(Step::Renew),
        5 => host().prop_map(Step::TakeOver),
        4 => (0..100_usize, 0..100_u8, any::<bool>())
            .prop_map(|(claim, percent, checkpoint)| Step::Note { claim, percent, checkpoint }),
        4 => vec(0..100_usize, 1..3).prop_map(Step::Cancel),
        3 => vec(0..100_usize, 1..3).prop_map(Step::Retry),
        1 => option::of(0..3_u8).prop_map(Step::RetryPoisoned),
        1 => (0..2_u8).prop_map(Step::Resume),
        3 => host().prop_map(Step::Heed),
        1 => (1..200_u64).prop_map(|seconds| Step::Sweep { seconds }),
        6 => (1..100_u64, 0..8_u8).prop_map(|(seconds, alive)| Step::Pass { seconds, alive }),
        1 => (-5..5_i64).prop_map(|minutes| Step::JumpCalendar { minutes }),
        1 => (0..4_000_u64).prop_map(|up_seconds| Step::Reboot { up_seconds }),
    ]
}
