//! A judge that never condemns proves nothing: for each guard of the store and each duty of the host that is taken away,
//! some life breaks a promise.

use crate::judge::Charge;
use crate::plan::Plan;
use crate::sabotage::Sabotage;
use crate::shared::Missing;
use crate::world::{Broken, live};
use wh_testkit::memory::Guard;

/// Lives within which it must have been noticed.
const ENOUGH: u64 = 600;

/// What may be the first thing to be noticed when a duty is not done.
const DUTIES: [(Sabotage, &[Charge]); Sabotage::ALL.len()] = [
    (Sabotage::CommitBeforeSpawn, &[Charge::StartedUnclaimed]),
    (Sabotage::CommitBeforeAcknowledgement, &[Charge::FalseFact]),
    (Sabotage::EmptyBeforeSettlement, &[Charge::SettledAlive]),
    (Sabotage::Renewal, &[Charge::Stolen]),
    (Sabotage::Wishes, &[Charge::CancelIgnored]),
    (Sabotage::AskAboutWishes, &[Charge::CancelIgnored]),
    (Sabotage::News, &[Charge::Idle]),
    (Sabotage::TakeOver, &[Charge::NotDrained]),
    (Sabotage::Burial, &[Charge::SettledAlive, Charge::Overlap]),
    (Sabotage::Fence, &[Charge::FalseFact]),
    (Sabotage::Repetition, &[Charge::Refused]),
];

/// Guards that only a worse world would miss: a host never settles one claim in two ways, and a machine that has been
/// started again has no host left whose lease could matter. The sentences of the stores miss them.
const BEYOND_THIS_WORLD: [Guard; 2] = [Guard::StateOnSettle, Guard::BootOnLease];

/// The first broken promise, and the seed of its life.
fn noticed(missing: Missing) -> Option<(u64, Broken)> {
    (0..ENOUGH).find_map(|seed| live(Plan::draw(seed), missing, false).err().map(|broken| (seed, broken)))
}

#[test]
fn every_duty_of_a_host_is_missed_when_it_is_not_done() {
    for (duty, expected) in DUTIES {
        let found = noticed(Missing::Duty(duty));
        let Some((seed, (charge, why))) = found else { panic!("nobody misses {duty:?}") };
        println!("{duty:?}: seed {seed}, {charge:?}: {why:.200}");
        assert!(expected.contains(&charge), "without {duty:?}, seed {seed} shows {charge:?}: {why}");
    }
}

#[test]
fn every_guard_of_the_store_is_missed_when_it_is_gone() {
    for guard in Guard::ALL.into_iter().filter(|guard| !BEYOND_THIS_WORLD.contains(guard)) {
        let Some((seed, (charge, why))) = noticed(Missing::Guard(guard)) else {
            panic!("nobody misses {guard:?}")
        };
        println!("{guard:?}: seed {seed}, {charge:?}: {why:.200}");
    }
}
