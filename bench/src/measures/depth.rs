//! P8: claiming and settling beside many tasks, against the same beside a thousand.

use super::latency::thousands;
use crate::fill::Filling;
use crate::ground::Ground;
use crate::raw::Cost;
use crate::report::{Goal, Row, Unit};
use crate::stats::Spread;
use crate::store::{self, Pretender};
use crate::trouble::Trouble;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;
use wh_sqlite::{SqliteStore, Writing};

/// So many are pending where few are.
const FEW: u64 = 1_000;
/// So many are claimed at once: as a host with four streams does, and as one with many.
const MOST: [u32; 2] = [4, 100];

/// A store with so many tasks.
struct Crowd {
    what: String,
    store: Arc<SqliteStore>,
    /// For each of [`MOST`], of each round.
    costs: [Vec<Cost>; 2],
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
        crowds.push(Crowd { what, store, costs: Default::default() });
    }
    for round in 0..ground.scale.rounds {
        for (at, most) in MOST.into_iter().enumerate() {
            let costs = ground.quiet.round(|| {
                let rate = |crowd: &Crowd| {
                    runtime.block_on(async {
                        hosts += 1;
                        Pretender::new(&crowd.store, hosts, most).await?.rate(ground.scale.time).await
                    })
                };
                crowds.iter().map(rate).collect::<Result<Vec<_>, _>>()
            })?;
            for (crowd, cost) in crowds.iter_mut().zip(costs) {
                if ground.scale.counts(round) {
                    crowd.costs[at].push(cost);
                }
            }
        }
    }
    Ok(told(&crowds))
}

/// A store with so many tasks that are pending, and so many that have ended.
fn filled(runtime: &Runtime, dir: &Path, pending: u64, ended: u64) -> Result<Arc<SqliteStore>, Trouble> {
    let store = store::open(dir, Writing::Apart)?;
    runtime.block_on(async {
        store::bring_in(&store, 0, 1).await?;
        Pretender::new(&store, 0, 1).await?.settle_all().await?;
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
    store::open(dir, Writing::Apart)
}

fn told(crowds: &[Crowd]) -> Vec<Row> {
    let Some((few, many)) = crowds.split_first() else { return Vec::new() };
    let mut rows = Vec::new();
    for (at, most) in MOST.into_iter().enumerate() {
        let costs = |crowd: &Crowd| crowd.costs.get(at).cloned().unwrap_or_default();
        let median = |costs: &[Cost], of: fn(&Cost) -> f64| Spread::of(costs.iter().map(of)).median;
        let base = costs(few);
        for crowd in many {
            let these = costs(crowd);
            let ratios = these.iter().zip(&base).map(|(this, base)| this.per_s / base.per_s);
            let what = format!("claim and settle {most} at a time, {}", crowd.what);
            let cpu = [&these, &base].map(|costs| median(costs, |cost| cost.cpu_ms) * 1e3);
            rows.push(
                Row::new("P8", what, median(&these, |cost| cost.per_s), Unit::PerSecond)
                    .beside(median(&base, |cost| cost.per_s), ratios)
                    .goal(Goal::RatioAtLeast(0.9))
                    .note(format!(
                        "{:.0} µs CPU each, raw {:.0}; raw: the same with {FEW} pending",
                        cpu[0], cpu[1]
                    )),
            );
        }
    }
    rows
}
