//! The program under test, as it is shipped, with a hook at each of its named points.

use crate::ledger::{Ledger, boottime};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wh_domain::event::Event;
use wh_domain::lifecycle::Next;
use wh_domain::time::Timestamp;
use wh_ports::observe::Observer;
use wh_sqlite::OnStep;
use workerhost::Hooks;

/// The variable that says where to die: `claim.after_commit:3` is the third time that point is passed.
pub const KILL_AT: &str = "SOAK_KILL_AT";
/// The variable that names the file to which everything is written that the host says is durable.
pub const TOLD: &str = "SOAK_TOLD";

/// The variable that names the file to which every step of the store is written when it is passed.
pub const STEPS: &str = "SOAK_STEPS";

/// Runs the program with the hooks that the environment asks for.
pub fn main() -> ExitCode {
    let fuse = std::env::var(KILL_AT).ok().and_then(|text| Fuse::parse(&text)).map(Arc::new);
    let ledger = |name| std::env::var_os(name).and_then(|path| Ledger::open(Path::new(&path)).ok());
    let (told, steps) = (ledger(TOLD), ledger(STEPS));
    let on_step: Option<OnStep> = match (fuse.clone(), steps) {
        (None, None) => None,
        (fuse, steps) => Some(Arc::new(move |step| {
            if let Some(steps) = &steps {
                // Whoever reads the steps counts them, so one that is missing is found.
                steps.add(step).ok();
            }
            if let Some(fuse) = &fuse {
                fuse.pass(step);
            }
        })),
    };
    let observer = Arc::new(Listener { told, fuse });
    workerhost::start(Hooks { on_step, observer: Some(observer) })
}

/// Ends this process at a point of its way.
struct Fuse {
    point: String,
    left: AtomicU64,
}

impl Fuse {
    fn parse(text: &str) -> Option<Self> {
        let (point, count) = text.split_once(':')?;
        Some(Self { point: point.to_owned(), left: AtomicU64::new(count.parse().ok()?) })
    }

    fn pass(&self, point: &str) {
        if point == self.point && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let own = rustix::process::getpid();
            // SIGKILL to oneself does not fail and does not return.
            rustix::process::kill_process(own, rustix::process::Signal::KILL).ok();
        }
    }
}

struct Listener {
    told: Option<Ledger>,
    fuse: Option<Arc<Fuse>>,
}

impl Observer for Listener {
    fn observe(&self, _at: Timestamp, event: &Event) {
        if let (Some(told), Some(line)) = (&self.told, line(event)) {
            // A soak whose disk is full finds fewer lines than it expects, and says so.
            told.add(&line).ok();
        }
        if let Some(fuse) = &self.fuse {
            fuse.pass(&name(event));
        }
    }
}

/// What is kept of an event: what it says is durable from here on.
fn line(event: &Event) -> Option<String> {
    match event {
        Event::Settled { carried, record, next } => {
            let next = match next {
                Next::Completed => "completed",
                Next::Poisoned(_) => "poisoned",
                Next::Cancelled => "cancelled",
                Next::Pending { .. } => "pending",
            };
            Some(format!("settled {} {} {next}", carried.attempt_id, record.outcome.as_str()))
        }
        Event::Reclaimed { task, .. } => Some(format!("reclaimed {task} {}", boottime())),
        Event::Fenced { carried } => Some(format!("fenced {}", carried.attempt_id)),
        _ => None,
    }
}

/// An event's name, as it is spelled in the code.
fn name(event: &Event) -> String {
    let text = format!("{event:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_name_is_its_first_word() {
        assert_eq!(name(&Event::StoreBack), "StoreBack");
        assert_eq!(name(&Event::HostDraining { running: 3 }), "HostDraining");
    }
}
