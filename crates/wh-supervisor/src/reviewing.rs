//! What the outputs of a success are worth, and what that makes of it.

use crate::hindrance::in_words;
use crate::orders::Orders;
use crate::redact::Redactor;
use crate::reviewer::{self, Reviewed};
use crate::workspace::place::Place;
use crate::workspace::review::Claims;
use std::path::Path;
use wh_domain::ending::{Ending, Verdict};
use wh_domain::outcome::Outcome;
use wh_domain::outputs::{Check, FailedCheck, Review};
use wh_domain::worker::Worker;
use wh_ports::runner::Order;

/// So much is told of a name, or of what is wrong with it, in characters.
const MOST_TOLD: usize = 300;

/// The verdict with the checks of the outputs taken into account. What stands in a file, or in its name, may be a secret, and
/// is told as one.
pub(crate) async fn review(
    (verdict, ending): (Verdict, &Ending),
    place: Option<&Place>,
    (worker, claims): (&Worker, Claims),
    (program, redactor, orders): (&Path, &Redactor, &mut Orders),
) -> (Verdict, Review) {
    let none = Review { claimed: claims.quality, ..Review::default() };
    let is_asked = !(worker.outputs.is_empty() && claims.outputs.is_empty());
    if !is_asked || verdict.outcome != Outcome::Succeeded {
        return (verdict, none);
    }
    let Some(place) = place else {
        // Without a workspace nothing is declared, and what is said of files is said of none. With one that is not there any
        // more, nothing can be told.
        let is_gone = !worker.outputs.is_empty();
        return (if is_gone { unseen("its workspace is not to be had") } else { verdict }, none);
    };
    let asked = match place.root.try_clone() {
        Ok(root) => {
            let asked = reviewer::ask(program, root, (&worker.outputs, &claims));
            tokio::select! {
                asked = asked => asked,
                order = ends(orders) => return (cut_short(order), none),
            }
        }
        Err(error) => Err(error),
    };
    let review = match asked {
        Ok(Reviewed::Told(review)) => review,
        Ok(Reviewed::TooMuch) => {
            let mut review = none;
            let why = "they are more than can be looked at in a minute and in 1 GiB of memory";
            review.note(Check::Size, "", Err(why.to_owned()));
            review
        }
        Ok(Reviewed::BadSchema(why)) => {
            let sentence = format!("What the worker left could not be looked at: {why}.");
            return (Verdict { outcome: Outcome::WorkerBroken, sentence, warning: None }, none);
        }
        Err(error) => return (unseen(&in_words(&error)), none),
    };
    let hide = |failure: FailedCheck| FailedCheck {
        path: short(&redactor.hide(&failure.path)).into(),
        why: short(&redactor.hide(&failure.why)).into(),
        ..failure
    };
    let review = Review { failures: review.failures.into_iter().map(hide).collect(), ..review };
    (verdict.reviewed(&review, ending), review)
}

/// The first order that ends an attempt, and not only its time.
async fn ends(orders: &mut Orders) -> Order {
    loop {
        match orders.next().await {
            Order::Drain => {}
            order => return order,
        }
    }
}

/// What a success means that nobody waited to see the outputs of.
fn cut_short(order: Order) -> Verdict {
    match order {
        Order::Cancel => Verdict {
            outcome: Outcome::Cancelled,
            sentence: "The task was cancelled while the host looked at what its worker had left.".to_owned(),
            warning: None,
        },
        Order::Drain | Order::Stop | Order::Kill => unseen("it was stopped before"),
    }
}

/// A success of which the host cannot tell whether it is one.
fn unseen(why: &str) -> Verdict {
    let sentence = format!(
        "The worker succeeded, but the host could not look at what it left: {why}. It does not count."
    );
    Verdict { outcome: Outcome::Interrupted, sentence, warning: None }
}

/// On one line, without what a terminal would obey, and not too much of it.
fn short(text: &str) -> String {
    let mut short = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == MOST_TOLD {
            short.push('…');
            break;
        }
        if c.is_control() { short.extend(c.escape_default()) } else { short.push(c) }
    }
    short
}
