//! What the outputs of a success are worth, found out beside the host's loop: they may be many, and large.

use crate::redact::Redactor;
use crate::workspace::place::Place;
use crate::workspace::review::{self, Claims};
use std::sync::Arc;
use wh_domain::ending::Verdict;
use wh_domain::outcome::Outcome;
use wh_domain::outputs::{Check, FailedCheck, Review};
use wh_ports::runner::Assignment;

/// What the checks come to, where there is anything to check. What stands in a file may be a secret, and is told as one.
pub(crate) async fn review(
    verdict: &Verdict,
    place: Option<&Place>,
    (assignment, claims): (&Arc<Assignment>, Claims),
    redactor: &Redactor,
) -> Review {
    let none = Review { claimed: claims.quality, ..Review::default() };
    let is_asked = !(assignment.worker.outputs.is_empty() && claims.outputs.is_empty());
    let root = place.and_then(|place| place.root.try_clone().ok());
    let Some(root) = root.filter(|_| is_asked && verdict.outcome == Outcome::Succeeded) else { return none };
    let assignment = Arc::clone(assignment);
    let looked =
        tokio::task::spawn_blocking(move || review::review(&root, &assignment.worker.outputs, &claims));
    // What nobody has looked at is not taken for good.
    let review = looked.await.unwrap_or_else(|error| {
        let mut review = none;
        review.note(Check::Exists, "", Err(format!("its outputs could not be looked at: {error}")));
        review
    });
    let hide = |failure: FailedCheck| FailedCheck { why: redactor.hide(&failure.why).into(), ..failure };
    Review { failures: review.failures.into_iter().map(hide).collect(), ..review }
}
