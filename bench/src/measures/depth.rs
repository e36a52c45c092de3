//! P8: claiming and settling beside many tasks, against the same beside a thousand.

use super::latency::thousands;
use crate::fill::Filling;
use crate::ground::Ground;
use crate::report::{Goal, Row, Unit};
use crate::stats::Spread;
use crate::store::{self, Pretender};
use crate::trouble::Trouble;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;
use wh_sqlite::SqliteStore;

/// So many are pending where few are.
const FEW: u64 = 1_000;
/// So many are claimed at once: as a host with four streams does, and as one with many.
const MOST: [u32; 2] = [4, 100];

/// A store with so many tasks.
struct Crowd {
    what: String,
    store: Arc<SqliteStore>,
    /// Rates, for each of [`MOST`], of each round.
    rates: [Vec<f64>; 2],
}

pub(super) fn measure(ground: &Ground) -> Result<Vec<Row>, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let few = ("few".to_owned(), FEW, 0);
    let many = std::iter::once(ground.scale.million).chain(ground.scale.ten_million).flat_map(|count| {
        let words = thousands(count);
        [(format!("{words} pending"), count, 0), (format!("{words} ended"), FEW, count)]
    });
    let dir = tempfile::tempdir_in(&ground.dir)?;
    let (mut crowds, mut hosts) = (Vec::new(), 0);
    for (what, pending, ended) in std::iter::once(few).chain(many) {
        let store = filled(&runtime, &dir.path().join(crowds.len().to_string()), pending, ended)?;
        crowds.push(Crowd { what, store, rates: Default::default() });
    }
    for round in 0..ground.scale.rounds {
        for (at, most) in MOST.into_iter().enumerate() {
            let rates = ground.quiet.round(|| {
                let rate = |crowd: &Crowd| {
                    runtime.block_on(async {
                        hosts += 1;
                        let host = format!("host-{hosts}");
                        Pretender::new(&crowd.store, &host, most).await?.rate(ground.scale.time).await
                    })
                };
                crowds.iter().map(rate).collect::<Result<Vec<f64>, _>>()
            })?;
            for (crowd, rate) in crowds.iter_mut().zip(rates) {
                if ground.scale.counts(round) {
                    crowd.rates[at].push(rate);
                }
            }
        }
    }
    Ok(told(&crowds))
}

/// A store with so many tasks that are pending, and so many that have ended.
fn filled(runtime: &Runtime, dir: &Path, pending: u64, ended: u64) -> Result<Arc<SqliteStore>, Trouble> {
    let store = store::open(dir)?;
    runtime.block_on(async {
        store::bring_in(&store, 0, 1).await?;
        Pretender::new(&store, "first", 1).await?.once().await?;
        store::bring_in(&store, 1, 1).await
    })?;
    drop(store);
    let filling = Filling::hasty(&dir.join("tasks.db"))?;
    let tasks = filling.tasks()?;
    if let [done, waits] = tasks.as_slice() {
        filling.ended(*done, ended)?;
        filling.pending(*waits, pending, None)?;
    }
    drop(filling);
    store::open(dir)
}

fn told(crowds: &[Crowd]) -> Vec<Row> {
    let Some((few, many)) = crowds.split_first() else { return Vec::new() };
    let mut rows = Vec::new();
    for (at, most) in MOST.into_iter().enumerate() {
        let rates = |crowd: &Crowd| crowd.rates.get(at).cloned().unwrap_or_default();
        let base = rates(few);
        for crowd in many {
            let these = rates(crowd);
            let ratios = these.iter().zip(&base).map(|(this, base)| this / base);
            let what = format!("claim and settle {most} at a time, {}", crowd.what);
            rows.push(
                Row::new("P8", what, Spread::of(these.iter().copied()).median, Unit::PerSecond)
                    .beside(Spread::of(base.iter().copied()).median, ratios)
                    .goal(Goal::RatioAtLeast(0.9))
                    .note("the store alone; raw: the same with 1,000 pending, none ended"),
            );
        }
    }
    rows
}
