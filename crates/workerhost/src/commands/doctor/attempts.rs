//! What became of the last attempts: why they run out of time and memory, and why they fail.

use super::Subject;
use super::directory::quoted;
use super::finding::{Check, Findings, Level, Mend};
use crate::machine::ThisMachine;
use crate::words::{bytes, lasting, some};
use std::path::Path;
use std::time::Duration;
use wh_config::format_duration;
use wh_domain::ailment::{Ailment, Allowance, Share, ailments};
use wh_domain::attempt::{AttemptRecord, OutcomeName};
use wh_domain::worker::Worker;
use wh_ports::reader::RecentAttempt;

const MIB: u64 = 1 << 20;

pub(super) fn look(subject: &Subject<'_>, attempts: &[RecentAttempt], findings: &mut Findings) {
    for worker in &subject.configuration.config.workers {
        let of_it: Vec<&AttemptRecord> = attempts
            .iter()
            .map(|attempt| &attempt.record)
            .filter(|record| record.worker == worker.name)
            .collect();
        let allowance = Allowance { timeout: &worker.timeout, limits: &worker.limits };
        for ailment in ailments(allowance, &of_it) {
            tell(subject, worker, (&ailment, attempts), findings);
        }
    }
    if findings.is_fine(Check::History) {
        let words = match attempts.len() {
            0 => "no attempt has ended yet".to_owned(),
            count => {
                format!("nothing ails a worker, as far as the last {} show", some(count as u64, "attempt"))
            }
        };
        findings.ok(Check::History, words);
    }
}

fn tell(
    subject: &Subject<'_>,
    worker: &Worker,
    (ailment, attempts): (&Ailment<'_>, &[RecentAttempt]),
    findings: &mut Findings,
) {
    let name = worker.name.as_str();
    let (Ailment::TimesOut { often, last, .. }
    | Ailment::Stalls { often, last, .. }
    | Ailment::RunsOutOfMemory { often, last, .. }
    | Ailment::Fails { often, last, .. }) = ailment;
    let Share { part, whole } = *often;
    let level = if part * 2 >= whole { Level::Error } else { Level::Warning };
    let of = format!("{part} of the last {} of worker {name}", some(whole as u64, "attempt"));
    let task = attempts.iter().find(|attempt| std::ptr::eq(&raw const attempt.record, *last));
    let task = task.map_or("ID".to_owned(), |attempt| quoted(Path::new(attempt.task.as_str())));
    let log = subject.run(&format!("logs {task}"));
    let show = subject.run(&format!("show {task}"));
    let longer = |key, limit: Duration| subject.set(Some(name), key, format_duration(limit * 2));
    let (words, mend) = match *ailment {
        Ailment::TimesOut { limit, slowest, .. } => {
            let told = format!("{of} reached their limit of {}", lasting(limit));
            match slowest {
                Some(slowest) if slowest * 2 >= limit => {
                    let words = format!("{told}, and others took {}: it is too short", lasting(slowest));
                    (words, longer("timeout", limit))
                }
                Some(slowest) => (
                    format!(
                        "{told}, though none that succeeded took more than {}: they hang",
                        lasting(slowest)
                    ),
                    log,
                ),
                None => (format!("{told}, and none succeeded: they hang, or it is far too short"), log),
            }
        }
        Ailment::Stalls { limit, .. } => {
            let words = format!("{of} sent no sign of life for {}", lasting(limit));
            (words, longer("stall_after", limit))
        }
        Ailment::RunsOutOfMemory { limit, peak, .. } => {
            let (wanted, machine) = (peak.max(limit) * 2, ThisMachine::memory());
            let words = format!("{of} ran out of memory, with {} at the most", bytes(peak.max(limit)));
            if wanted > machine {
                let mend = format!("do less at a time: this machine has {}", bytes(machine));
                (words, Mend::Do(mend))
            } else {
                (words, subject.set(Some(name), "limits.memory_mb", wanted.div_ceil(MIB).to_string()))
            }
        }
        Ailment::Fails { outcome, sentence, .. } => {
            let words = format!("{of} ended as {}, most often: {sentence}", outcome.as_str());
            let is_of_protocol = matches!(outcome, OutcomeName::ProtocolError | OutcomeName::WorkerBroken);
            (words, if is_of_protocol { subject.run(&format!("verify {name}")) } else { show })
        }
    };
    findings.found((Check::History, level), words, mend);
}
