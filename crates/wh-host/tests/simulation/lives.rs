//! Thousands of lives, each drawn from a seed.
//!
//! `WH_SEED=7 cargo test -p wh-host --test simulation a_seed_that_is_asked_for -- --nocapture` prints the life of seed 7
//! line by line; `WH_LIVES=100000` and `WH_FIRST_SEED=2000` look at more of them.

use crate::marks::Marks;
use crate::plan::Plan;
use crate::shared::Missing;
use crate::world::{Life, live};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const LIVES: u64 = 2_000;
const EVENTS: u64 = 500;

fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// Lives the life of a seed; what went wrong is told with everything that is needed to see it again.
fn of(seed: u64) -> Result<Life, String> {
    let plan = Plan::draw(seed);
    live(plan.clone(), Missing::Nothing, false).map_err(|(charge, why)| {
        format!(
            "seed {seed}: {charge:?}: {why}\n  {plan:?}\n  WH_SEED={seed} cargo test -p wh-host --test \
             simulation a_seed_that_is_asked_for -- --nocapture"
        )
    })
}

#[derive(Debug, Default)]
struct Sum {
    lives: u64,
    events: u64,
    fewest: Option<u64>,
    took: Duration,
    marks: Marks,
    broken: Vec<String>,
}

impl Sum {
    fn add(&mut self, life: Result<Life, String>) {
        match life {
            Ok(life) => {
                self.lives += 1;
                self.events += life.events;
                self.fewest = Some(self.fewest.unwrap_or(u64::MAX).min(life.events));
                self.took += life.took;
                self.marks.add(&life.marks);
            }
            Err(why) => self.broken.push(why),
        }
    }
}

fn many(first: u64, lives: u64) -> Sum {
    let (next, sum) = (AtomicU64::new(first), Mutex::new(Sum::default()));
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + lives || sum.lock().unwrap().broken.len() > 2 {
                        return;
                    }
                    let life = of(seed);
                    sum.lock().unwrap().add(life);
                }
            });
        }
    });
    sum.into_inner().unwrap()
}

#[test]
fn two_thousand_lives_keep_every_promise_and_meet_every_situation() {
    let (first, lives) = (asked("WH_FIRST_SEED").unwrap_or(0), asked("WH_LIVES").unwrap_or(LIVES));
    let sum = many(first, lives);
    assert!(sum.broken.is_empty(), "{}", sum.broken.join("\n\n"));
    println!("{} lives, {} events, {:?} of their time", sum.lives, sum.events, sum.took);
    println!("{:#?}", sum.marks);
    assert!(sum.fewest >= Some(EVENTS), "a life of only {:?} events", sum.fewest);
    assert!(lives < LIVES || sum.marks.missed().is_empty(), "never seen: {:?}", sum.marks.missed());
}

#[test]
fn the_same_seed_lives_the_same_life() {
    for seed in 0..20 {
        assert_eq!(of(seed), of(seed));
    }
    assert_ne!(of(1).unwrap().digest, of(2).unwrap().digest);
}

#[test]
fn a_seed_that_is_asked_for_is_lived_line_by_line() {
    let asked_for = asked("WH_SEED");
    let plan = Plan::draw(asked_for.unwrap_or(0));
    if asked_for.is_some() {
        println!("{plan:?}");
    }
    let life = live(plan, Missing::Nothing, asked_for.is_some());
    assert!(life.is_ok(), "{life:?}");
}
