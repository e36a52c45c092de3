//! The time limits of a worker.

use crate::report::Report;
use crate::value::{Block, Sense};
use wh_domain::timeout::TimeoutPolicy;

pub(super) fn timeout(worker: &Block, report: &mut Report) -> Option<TimeoutPolicy> {
    let hard = worker.time("timeout")?;
    let soft = match worker.leaf("soft")?.sense {
        Sense::Percent(share) => hard.mul_f64(f64::from(share) / 100.0),
        Sense::Time(soft) => soft,
        _ => return None,
    };
    let policy = match TimeoutPolicy::new(hard, Some(soft), worker.time("grace")?) {
        Ok(policy) => policy,
        Err(bad) => {
            report.error(
                worker.at(if worker.is_given("soft") { "soft" } else { "timeout" }),
                bad.to_string(),
                "write a share such as `soft: 80%`, or a duration below `timeout`",
            );
            return None;
        }
    };
    let soft_signal = worker.leaf("soft_signal").and_then(|leaf| match leaf.sense {
        Sense::Signal(number) => Some(number),
        _ => None,
    });
    Some(TimeoutPolicy { stall_after: worker.time("stall_after"), soft_signal, ..policy })
}
