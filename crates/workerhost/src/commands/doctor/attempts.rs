//! What became of the last attempts: why they run out of time and memory, and why they fail.

use super::finding::{Check, Findings, Level as Grade, Mend};
use super::shell::quoted;
use super::subject::Subject;
use super::{MOST_GIVEN_UP, Remembered};
use crate::commands::sheet::was_denied;
use crate::machine::ThisMachine;
use crate::words::{bytes, lasting, some};
use std::time::Duration;
use wh_config::format_duration;
use wh_domain::ailment::{Ailment, Allowance, Share, ailments};
use wh_domain::attempt::{AttemptRecord, OutcomeName};
use wh_domain::isolation::Level;
use wh_domain::worker::Worker;

const MIB: u64 = 1 << 20;
/// What happened longer ago may be over.
const OLD: Duration = Duration::from_secs(86_400);

pub(super) fn look(subject: &Subject<'_>, memory: &Remembered, findings: &mut Findings) {
    for worker in &subject.configuration.config.workers {
        let records = memory.attempts.iter().map(|attempt| &attempt.record);
        let of_it: Vec<&AttemptRecord> = records.filter(|record| record.worker == worker.name).collect();
        let allowance = Allowance { timeout: &worker.timeout, limits: &worker.limits };
        for ailment in ailments(allowance, &of_it) {
            tell(subject, worker, (&ailment, memory), findings);
        }
    }
    if memory.given_up > 0 {
        let least = if memory.given_up >= u64::from(MOST_GIVEN_UP) { "at least " } else { "" };
        let verb = if memory.given_up == 1 { "was" } else { "were" };
        let words = format!("{least}{} {verb} given up since yesterday", some(memory.given_up, "task"));
        let see = format!("see why (`{} list --state poisoned`), mend that, and then", subject.program);
        let mend = subject.act(&see, "retry --poisoned");
        findings.warning(Check::Attempts, words, mend);
    }
    if findings.is_fine(Check::Attempts) {
        let words = match memory.attempts.len() {
            0 => "no attempt has ended yet".to_owned(),
            count => {
                format!("nothing ails a worker, as far as the last {} show", some(count as u64, "attempt"))
            }
        };
        findings.ok(Check::Attempts, words);
    }
}

fn tell(
    subject: &Subject<'_>,
    worker: &Worker,
    (ailment, memory): (&Ailment<'_>, &Remembered),
    findings: &mut Findings,
) {
    let (Ailment::TimesOut { often, last, .. }
    | Ailment::Stalls { often, last, .. }
    | Ailment::RunsOutOfMemory { often, last, .. }
    | Ailment::MachineRunsOutOfMemory { often, last, .. }
    | Ailment::Fails { often, last, .. }) = ailment;
    let Share { part, whole } = *often;
    let ago = memory.now.since(last.ended_at);
    let (level, when) = match (part * 2 >= whole, ago > OLD) {
        (_, true) => (Grade::Warning, format!(", the last {} ago", lasting(ago))),
        (true, false) => (Grade::Error, String::new()),
        (false, false) => (Grade::Warning, String::new()),
    };
    let of = format!("{part} of the last {} of worker {}{when}", some(whole as u64, "attempt"), worker.name);
    let task = memory.attempts.iter().find(|attempt| std::ptr::eq(&raw const attempt.record, *last));
    let task = task.map_or_else(|| "ID".to_owned(), |attempt| quoted(attempt.task.as_str()));
    let (words, mend) = told(subject, worker, (ailment, &of, &task));
    findings.found((Check::Attempts, level), words, mend);
}

fn told(
    subject: &Subject<'_>,
    worker: &Worker,
    (ailment, of, task): (&Ailment<'_>, &str, &str),
) -> (String, Mend) {
    let name = worker.name.as_str();
    let log = || subject.run(&format!("logs {task}"));
    match *ailment {
        Ailment::TimesOut { limit, slowest: Some(slowest), .. } if slowest * 2 >= limit => {
            let [may, took] = [limit, slowest].map(lasting);
            let words = format!("{of} reached their limit of {may}, and others took {took}: it is too short");
            (words, subject.set(Some(name), "timeout", format_duration(limit * 2)))
        }
        Ailment::TimesOut { limit, slowest: Some(slowest), .. } => {
            let [may, took] = [limit, slowest].map(lasting);
            let words = format!(
                "{of} reached their limit of {may}, though none that succeeded took more than {took}: they hang, or need much longer"
            );
            (words, log())
        }
        Ailment::TimesOut { limit, slowest: None, .. } => {
            let words = format!(
                "{of} reached their limit of {}, and none succeeded: they hang, or it is far too short",
                lasting(limit)
            );
            (words, log())
        }
        Ailment::Stalls { limit, .. } => {
            let words = format!(
                "{of} sent no sign of life for {}: they hang, or `stall_after` is too short",
                lasting(limit)
            );
            (words, log())
        }
        Ailment::RunsOutOfMemory { limit, peak, .. } => {
            let (wanted, machine) = (peak.max(limit) * 2, ThisMachine::memory());
            let words = format!("{of} ran out of memory, with {} at the most", bytes(peak.max(limit)));
            if wanted > machine {
                (words, Mend::Do(format!("do less at a time: this machine has {}", bytes(machine))))
            } else {
                (words, subject.set(Some(name), "limits.memory_mb", wanted.div_ceil(MIB).to_string()))
            }
        }
        Ailment::MachineRunsOutOfMemory { .. } => {
            let words =
                format!("{of} were ended because memory ran out on the machine, or in the host's container");
            let mend =
                "give it more memory, or let the host do less at a time (`streams`, `limits.memory_mb`)";
            (words, Mend::Do(mend.to_owned()))
        }
        Ailment::Fails { outcome, last, .. } => {
            let isolated = last.isolation.as_ref().is_some_and(|isolation| isolation.level != Level::None);
            let denied = if isolated && was_denied(last) {
                " It may read and write more where `isolation.paths` names it."
            } else {
                ""
            };
            let words = format!("{of} ended as {}, most often: {}{denied}", outcome.as_str(), last.sentence);
            let is_of_protocol = matches!(outcome, OutcomeName::ProtocolError | OutcomeName::WorkerBroken);
            let command = if is_of_protocol { format!("verify {name}") } else { format!("show {task}") };
            (words, subject.run(&command))
        }
    }
}
