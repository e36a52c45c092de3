//! Reads what strace wrote, and holds every promise against what was on the disk when it was made.

use std::collections::HashMap;

/// What is found in a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Calls of `fsync` and `fdatasync` on the write-ahead log that succeeded.
    pub syncs: usize,
    /// The same on files and directories of blobs.
    pub blob_syncs: usize,
    /// Commits that must be durable and wrote something, by the steps around them.
    pub commits: usize,
    /// Acknowledgements written to standard output.
    pub acknowledged: usize,
    /// Settlements told to be durable.
    pub told: usize,
    /// What was promised too early, with the line of the trace.
    pub early: Vec<String>,
}

/// Whose trace it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Whose {
    /// A producer's: every commit of it waits for the disk.
    #[default]
    Producers,
    /// A host's: its renewals and reports do not, and need not.
    Hosts,
}

/// Verbs whose commit may be undone by a power cut.
const MAY_BE_LOST: [&str; 3] = ["renew", "report", "note"];

/// Verbs whose commit, in these traces, always has something to write.
const ALWAYS_WRITE: [&str; 4] = ["enqueue", "settle", "join", "leave"];

/// Reads a trace of `strace -f -y`.
pub fn read(trace: &str, whose: Whose) -> Findings {
    let mut reader = Reader { whose, ..Reader::default() };
    for (number, line) in trace.lines().enumerate() {
        reader.line(number + 1, line);
    }
    reader.findings
}

#[derive(Default)]
struct Reader {
    whose: Whose,
    findings: Findings,
    /// By thread: the call that it has begun and not ended.
    begun: HashMap<String, Begun>,
    /// Writes to the log so far, and those that a sync has covered.
    writes: usize,
    covered: usize,
    /// Commits that are durable and not told yet.
    settled: usize,
    enqueued: usize,
    /// By verb: the writes that there had been when its commit began.
    commits: HashMap<String, usize>,
}

/// A call of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Call {
    LogWrite,
    LogSync,
    BlobSync,
    Acknowledgement,
    Step(String),
    Told,
    Other,
}

struct Begun {
    call: Call,
    /// For a sync: the writes that were complete when it began.
    writes: usize,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) {
        let Some((thread, rest)) = line.split_once(' ') else { return };
        let rest = rest.trim_start();
        if let Some(end) = rest.strip_prefix("<... ") {
            if let Some(begun) = self.begun.remove(thread) {
                self.end(begun, end);
            }
            return;
        }
        let begun = Begun { call: call(rest), writes: self.writes };
        self.begin(number, &begun.call);
        if rest.ends_with("<unfinished ...>") {
            self.begun.insert(thread.to_owned(), begun);
        } else {
            self.end(begun, rest);
        }
    }

    /// A promise counts from when its writing begins.
    fn begin(&mut self, number: usize, call: &Call) {
        let mut early = |why: &str| self.findings.early.push(format!("line {number}: {why}"));
        match call {
            Call::Acknowledgement => {
                self.findings.acknowledged += 1;
                if self.whose == Whose::Producers && self.covered < self.writes {
                    early("acknowledged while a write to the log was not on the disk");
                }
                if self.enqueued == 0 {
                    early("acknowledged before any commit");
                }
            }
            Call::Told => {
                self.findings.told += 1;
                if self.findings.told > self.settled {
                    early("a settlement told before its commit");
                }
            }
            Call::Step(step) => {
                if let Some(why) = self.step(step) {
                    self.findings.early.push(format!("line {number}: {why}"));
                }
            }
            Call::LogWrite | Call::LogSync | Call::BlobSync | Call::Other => {}
        }
    }

    /// Steps come in pairs around each commit; between them the log is written and then synced.
    fn step(&mut self, step: &str) -> Option<String> {
        let (verb, place) = step.split_once('.')?;
        match place {
            "before_commit" => {
                self.commits.entry(verb.to_owned()).or_insert(self.writes);
                None
            }
            "after_commit" => {
                self.settled += usize::from(verb == "settle");
                self.enqueued += usize::from(verb == "enqueue");
                // Several requests may share a commit: the first one ends it.
                let before = self.commits.remove(verb)?;
                if MAY_BE_LOST.contains(&verb) {
                    return None;
                }
                if before == self.writes {
                    // A claim that finds nothing has nothing to make durable.
                    let is_wrong = ALWAYS_WRITE.contains(&verb);
                    return is_wrong.then(|| format!("{step} without any write to the log"));
                }
                self.findings.commits += 1;
                let is_early = self.covered < self.writes;
                is_early.then(|| format!("{step} while a write to the log was not on the disk"))
            }
            _ => None,
        }
    }

    fn end(&mut self, begun: Begun, end: &str) {
        let succeeded = end.rsplit_once("= ").is_some_and(|(_, value)| !value.starts_with('-'));
        match begun.call {
            Call::LogWrite => self.writes += 1,
            Call::LogSync if succeeded => {
                self.findings.syncs += 1;
                self.covered = self.covered.max(begun.writes);
            }
            Call::BlobSync if succeeded => self.findings.blob_syncs += 1,
            _ => {}
        }
    }
}

/// What a line is about: `write(1<pipe:[7]>, "…", 20) = 20`.
fn call(text: &str) -> Call {
    let Some((name, rest)) = text.split_once('(') else { return Call::Other };
    let path = rest.split_once('<').and_then(|(_, path)| path.split_once('>')).map_or("", |(path, _)| path);
    let content = rest.split_once(", \"").map_or("", |(_, content)| content);
    match name {
        "pwrite64" | "write" if path.ends_with("-wal") => Call::LogWrite,
        "fsync" | "fdatasync" if path.ends_with("-wal") => Call::LogSync,
        "fsync" | "fdatasync" if path.contains("/blobs") => Call::BlobSync,
        "write" if content.contains("workerhost.ack/") => Call::Acknowledgement,
        "write" if path.ends_with("/steps.log") => {
            Call::Step(content.split(['\\', '"']).next().unwrap_or_default().to_owned())
        }
        "write" if content.starts_with("settled ") => Call::Told,
        _ => Call::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"7 write(9</a/steps.log>, "enqueue.before_commit\n", 22) = 22
8 pwrite64(5</a/tasks.db-wal>, "x"..., 4096, 0) = 4096
8 fsync(5</a/tasks.db-wal> <unfinished ...>
7 write(9</a/other>, "x", 1) = 1
8 <... fsync resumed>) = 0
7 write(9</a/steps.log>, "enqueue.after_commit\n", 21) = 21
7 write(1<pipe:[3]>, "{\"schema\":\"workerhost.ack/v1\",\"l"..., 70) = 70
"#;

    fn early(trace: &str) -> Vec<String> {
        read(trace, Whose::Producers).early
    }

    #[test]
    fn what_is_promised_after_its_sync_is_fine() {
        let expected = Findings { syncs: 1, commits: 1, acknowledged: 1, ..Findings::default() };
        assert_eq!(read(GOOD, Whose::Producers), expected);
    }

    #[test]
    fn what_is_promised_before_its_sync_or_without_one_is_found() {
        let lines: Vec<&str> = GOOD.lines().collect();
        let without_sync: Vec<&str> = lines.iter().filter(|line| !line.contains("fsync")).copied().collect();
        assert_eq!(early(&without_sync.join("\n")).len(), 2, "the commit and the acknowledgement");
        let refused = GOOD.replace("resumed>) = 0", "resumed>) = -1 EIO");
        assert_eq!(early(&refused).len(), 2);
        let mut before = lines.clone();
        before.swap(4, 6);
        assert_eq!(early(&before.join("\n")).len(), 3);
        let mut too_early = lines.clone();
        too_early.swap(1, 3);
        assert_eq!(early(&too_early.join("\n")).len(), 2, "a sync covers only what was written before it");
        assert_eq!(early(lines[6]), ["line 1: acknowledged before any commit"]);
    }

    #[test]
    fn a_settlement_is_told_only_after_its_commit() {
        let told = "7 write(9</a/told.log>, \"settled a:1 succeeded completed\\n\", 30) = 30";
        let settled = GOOD.replace("enqueue", "settle");
        assert_eq!(read(&format!("{settled}{told}"), Whose::Hosts).early.len(), 1, "the acknowledgement");
        assert_eq!(read(told, Whose::Hosts).early, ["line 1: a settlement told before its commit"]);
    }
}
