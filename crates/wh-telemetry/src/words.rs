//! Events in words, for people.

use wh_domain::attempt::Progress;
use wh_domain::event::Event;
use wh_domain::lifecycle::{Next, Wait};

/// What happened, as sentences or in the worker's own words.
pub(crate) fn words(event: &Event) -> String {
    match event {
        Event::HostStarted { workers, streams, .. } => {
            let (workers, streams) = (some(workers, "worker"), some(streams, "stream"));
            format!("The host has started with {workers} and {streams}.")
        }
        Event::HostDraining { running: 0 } => "The host claims no more.".to_owned(),
        Event::HostDraining { running } => {
            format!("The host claims no more and waits for {}.", some(running, "attempt"))
        }
        Event::HostStopped { killed: 0 } => "The host has stopped.".to_owned(),
        Event::HostStopped { killed } => {
            format!("The host has stopped and killed {}.", some(killed, "attempt"))
        }
        Event::ConfigReloaded { added, changed, removed } => {
            let [added, changed, removed] = [added.len(), changed.len(), removed.len()];
            let added = some(&added, "worker");
            format!("New configuration: {added} added, {changed} changed, {removed} removed.")
        }
        Event::ConfigRefused { why } => {
            format!("The new configuration is refused, the old one goes on: {why}")
        }
        Event::AttemptStarted { .. } => "An attempt begins.".to_owned(),
        Event::Progressed { progress, .. } => how_far(progress),
        Event::Logged { line, .. } => line.message.to_string(),
        Event::SoftTimeout { remaining, .. } => {
            format!("The soft limit is reached; {:.1} s remain.", remaining.as_secs_f64())
        }
        Event::Settled { record, next, .. } => {
            format!("{} {}", record.sentence, what_next(next)).trim_end().to_owned()
        }
        Event::Fenced { .. } => {
            "The ending came too late, another host has the task; nothing was written.".to_owned()
        }
        Event::Reclaimed { .. } => "The task of a dead host is taken over.".to_owned(),
        Event::WorkerQuarantined { retry_in: Some(wait), why, .. } => {
            format!("The worker is put aside, tried again in {:.0} s: {why}", wait.as_secs_f64())
        }
        Event::WorkerQuarantined { retry_in: None, why, .. } => {
            format!("The worker is put aside, until someone mends it: {why}")
        }
        Event::WorkerRecovered { .. } => "The worker is back.".to_owned(),
        Event::NoWorker { .. } => "Tasks wait because no worker takes their type.".to_owned(),
        Event::StreamStuck { .. } => {
            "Its processes could not be ended, so the stream takes no more tasks.".to_owned()
        }
        Event::ProcessesRemain { why, .. } => {
            format!("Processes of a dead host remain, and its tasks wait until they are gone: {why}")
        }
        Event::StoreUnavailable { why } => format!("The store does not answer, the host tries on: {why}"),
        Event::StoreBack => "The store answers again.".to_owned(),
        Event::HostStrained { strain } => format!("The host claims no tasks for now: {strain}."),
        Event::HostRelieved => "The host claims tasks again.".to_owned(),
        Event::Swept { tasks, files } => {
            format!("Deleted {} and {}.", some(tasks, "old task"), some(files, "file"))
        }
    }
}

/// "1 task", "2 tasks".
fn some(count: &(impl ToString + ?Sized), what: &str) -> String {
    let count = count.to_string();
    if count == "1" { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn what_next(next: &Next) -> String {
    match next {
        Next::Completed | Next::Cancelled => String::new(),
        Next::Pending { wait: Wait::Now, .. } => "It is tried again at once.".to_owned(),
        Next::Pending { wait: Wait::For(wait), .. } => {
            format!("It is tried again in {:.1} s.", wait.as_secs_f64())
        }
        Next::Pending { wait: Wait::Until(_), .. } => {
            "It is tried again at the time it asked for.".to_owned()
        }
        Next::Poisoned(reason) => format!("Given up: {}.", reason.sentence()),
    }
}

fn how_far(progress: &Progress) -> String {
    let Progress { current, total, percent, message } = progress;
    let mut words = match (current, total, percent) {
        (Some(current), Some(total), _) => format!("{current} of {total}"),
        (_, _, Some(percent)) => format!("{percent:.0} %"),
        (Some(current), None, None) => current.to_string(),
        (None, _, None) => String::new(),
    };
    if let Some(message) = message {
        if !words.is_empty() {
            words.push_str(": ");
        }
        words.push_str(message);
    }
    words
}
