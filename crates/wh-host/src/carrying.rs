//! One attempt: handed to the runner, listened to, brought back.

use crate::arrival::Arrival;
use crate::notes::Notebook;
use crate::tools::Tools;
use std::sync::Arc;
use tokio::sync::mpsc;
use wh_domain::event::{Carried, Event, LogLine};
use wh_ports::runner::{Assignment, Listener, Order, Said};

/// Orders that may wait for an attempt: one of each kind, more would say nothing new.
pub(crate) const ORDERS: usize = 4;

/// Who an attempt is, for events.
pub(crate) fn carried(assignment: &Assignment) -> Carried {
    Carried {
        attempt_id: assignment.claim.attempt_id(),
        task_type: assignment.claim.task_type.clone(),
        worker: assignment.worker.name.clone(),
        stream: assignment.stream,
        attempt: assignment.attempt,
        traceparent: assignment.claim.traceparent.clone(),
    }
}

/// Carries an attempt until its process tree is empty.
pub(crate) async fn carry(
    tools: Arc<Tools>,
    assignment: Assignment,
    orders: mpsc::Receiver<Order>,
    notes: Arc<Notebook>,
) -> Arrival {
    let carried = carried(&assignment);
    let started = Event::AttemptStarted { carried: carried.clone() };
    let listener = listener(&tools, &assignment, carried, notes);
    let run = tools.runner.run(assignment.clone(), orders, listener);
    // The runner first: the process starts while others are told of it.
    let (finished, ()) = tokio::join!(biased; run, async { tools.bus.tell(&started) });
    Arrival::Ended(Box::new((assignment, finished)))
}

fn listener(tools: &Arc<Tools>, assignment: &Assignment, carried: Carried, notes: Arc<Notebook>) -> Listener {
    let (seq, fence) = (assignment.claim.seq, assignment.claim.fence);
    let tools = Arc::clone(tools);
    Arc::new(move |said| {
        let carried = carried.clone();
        match said {
            Said::Progress(progress) => {
                notes.progress(seq, fence, progress.clone());
                tools.bus.tell(&Event::Progressed { carried, progress });
            }
            Said::Checkpoint(data) => notes.checkpoint(seq, fence, data),
            Said::Log(line) => tools.bus.tell(&Event::Logged { carried, line }),
            Said::SoftTimeout(remaining) => tools.bus.tell(&Event::SoftTimeout { carried, remaining }),
            Said::Metric { name, value } => {
                let message = format!("metric {name} grew by {value}").into();
                tools
                    .bus
                    .tell(&Event::Logged { carried, line: LogLine { level: Some("DEBUG".into()), message } });
            }
            Said::RateLimited { status, message } => {
                let status = status.map_or_else(String::new, |status| format!(" ({status})"));
                let message = format!("an upstream asked to slow down{status}: {message}").into();
                tools.bus.tell(&Event::Logged {
                    carried,
                    line: LogLine { level: Some("WARNING".into()), message },
                });
            }
        }
    })
}
