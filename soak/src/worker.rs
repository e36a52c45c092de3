//! The worker of the soak: does next to nothing, and leaves a witness of when it ran and whether it was alone.

use crate::kind::{Kind, content_of};
use crate::ledger::{Ledger, boottime};
use crate::{Tried, arena};
use rustix::fs::{Mode, OFlags};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Larger than what fits into the store's row.
const LARGE: usize = 1_100_000;

/// Reads a task, does it, and says how it went.
pub fn main() -> ExitCode {
    match work() {
        Ok(code) => code,
        Err(trouble) => {
            // Nobody else is left to tell.
            writeln!(std::io::stderr(), "{trouble}").ok();
            ExitCode::FAILURE
        }
    }
}

struct Run {
    id: String,
    fence: String,
    witness: Ledger,
    /// Both held until the process is gone, however it goes.
    _alive: OwnedFd,
    _lock: File,
}

fn work() -> Tried<ExitCode> {
    let ground = PathBuf::from(std::env::var_os(arena::ARENA).ok_or("no ground is named")?);
    // Taken before anything else, so that no moment of this process is unseen.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let alive = rustix::fs::open(arena::alive(&ground), flags, Mode::empty())?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let task: Value = serde_json::from_str(&text)?;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let id = word(&task["id"]);
    let fence = word(&task["metadata"]["attempt_id"]).rsplit(':').next().unwrap_or_default().to_owned();
    let lock = File::create(arena::lock(&ground, &id))?;
    let alone = lock.try_lock().is_ok();
    let run = Run { witness: Ledger::open(&arena::witness(&ground))?, id, fence, _alive: alive, _lock: lock };
    run.note(if alone { "start" } else { "crowded" })?;
    let kind = Kind::at_the_end_of(&word(&task["type"])).ok_or("a task of no kind")?;
    run.carry(kind, &task)
}

impl Run {
    fn note(&self, what: &str) -> std::io::Result<()> {
        let (id, fence, pid) = (&self.id, &self.fence, std::process::id());
        self.witness.add_alone(&format!("{what} {id} {fence} {pid} {}", boottime()))
    }

    fn carry(&self, kind: Kind, task: &Value) -> Tried<ExitCode> {
        let time = Duration::from_millis(task["params"]["ms"].as_u64().unwrap_or(20));
        if kind == Kind::Talk {
            talk(time / 2)?;
        }
        std::thread::sleep(if kind == Kind::Talk { time / 2 } else { time });
        let mut answer = json!({"success": true, "result": {"id": self.id, "fence": self.fence}});
        match kind {
            Kind::Large => answer["result"]["ballast"] = "x".repeat(LARGE).into(),
            Kind::Parent => answer["tasks"] = json!([{"type": "soak.child", "params": {"ms": 20}}]),
            Kind::File if !self.has_its_file() => return self.fail("the file is not as it was", 1),
            Kind::Flaky if task["metadata"]["attempt"] == 1 => return self.fail("the first time", 1),
            Kind::Bad => return self.fail("for good", 2),
            _ => {}
        }
        self.end(&answer, 0)
    }

    fn has_its_file(&self) -> bool {
        let found = std::env::var_os("WORKERHOST_INPUT_DIR")
            .and_then(|inputs| std::fs::read_to_string(Path::new(&inputs).join("content")).ok());
        found == Some(content_of(&self.id))
    }

    fn fail(&self, why: &str, code: u8) -> Tried<ExitCode> {
        self.end(&json!({"success": false, "error": {"type": "Soak", "message": why}}), code)
    }

    /// The witness comes first: a result that is accepted was seen to end.
    fn end(&self, answer: &Value, code: u8) -> Tried<ExitCode> {
        self.note("end")?;
        let mut out = std::io::stdout().lock();
        out.write_all(answer.to_string().as_bytes())?;
        out.flush()?;
        Ok(ExitCode::from(code))
    }
}

/// Says something of every sort on the channel.
fn talk(pause: Duration) -> Tried<()> {
    // SAFETY: the host opens descriptor 3 for the worker, and nothing else in this process uses that number.
    #[expect(unsafe_code, reason = "a descriptor that comes with the process has no owner yet")]
    let mut channel = File::from(unsafe { OwnedFd::from_raw_fd(3) });
    channel.write_all(b"{\"event\":\"progress\",\"current\":1,\"total\":2}\n")?;
    channel.write_all(b"{\"event\":\"log\",\"level\":\"INFO\",\"message\":\"half\"}\n")?;
    std::thread::sleep(pause);
    channel.write_all(b"{\"event\":\"checkpoint\",\"data\":{\"half\":true}}\n")?;
    Ok(())
}
