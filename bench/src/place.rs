//! A directory with a configuration, and the measured program run in it.

use crate::ground::Ground;
use crate::raw;
use crate::trouble::{Trouble, trouble};
use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Between two looks at something.
const PAUSE: Duration = Duration::from_millis(5);
/// Looks before something is given up: ten minutes.
const LOOKS: u32 = 120_000;

/// A directory of a measurement's own.
#[derive(Debug)]
pub(crate) struct Place {
    dir: TempDir,
    program: PathBuf,
}

impl Place {
    /// With a host of four streams and these workers.
    pub(crate) fn new(ground: &Ground, workers: &[Value]) -> Result<Self, Trouble> {
        let dir = TempDir::with_prefix_in("place-", &ground.dir)?;
        let configuration = json!({"data_dir": ".workerhost", "host": {"streams": 4}, "workers": workers});
        fs::write(dir.path().join("workerhost.json"), configuration.to_string())?;
        Ok(Self { dir, program: ground.program.clone() })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join(".workerhost/tasks.db")
    }

    /// The program with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = raw::command(&self.program);
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Runs it to its end, which must be a good one.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Result<(), Trouble> {
        let done = self.command(arguments).stderr(Stdio::piped()).output()?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        Err(trouble(format!("{arguments:?} ended with {}: {}", done.status, said.trim())))
    }

    /// Writes a file of so many tasks, one a line.
    pub(crate) fn tasks(&self, name: &str, tasks: impl Iterator<Item = String>) -> Result<PathBuf, Trouble> {
        let path = self.path().join(name);
        let mut file = std::io::BufWriter::new(File::create(&path)?);
        for task in tasks {
            writeln!(file, "{task}")?;
        }
        file.flush()?;
        Ok(path)
    }

    /// Starts a host and waits until it claims.
    pub(crate) fn host(&self) -> Result<Host, Trouble> {
        let mut host = self.host_that_starts()?;
        let has_started = || match host.child.try_wait()? {
            None => Ok(fs::read_to_string(&host.log)?.contains("host_started")),
            Some(status) => Err(trouble(format!("the host ended with {status}"))),
        };
        look(has_started, "the host does not start")?;
        Ok(host)
    }

    /// Starts a host.
    pub(crate) fn host_that_starts(&self) -> Result<Host, Trouble> {
        let log = self.path().join("host.log");
        let child = self.command(&["run"]).stderr(File::create(&log)?).spawn()?;
        Ok(Host { child, log })
    }

    /// Starts a producer that adds tasks one by one.
    pub(crate) fn producer(&self) -> Result<Producer, Trouble> {
        Producer::start(&mut self.command(&["enqueue", "--file", "-", "--json"]))
    }

    /// A look at the store beside the program.
    pub(crate) fn reading(&self) -> Result<Reading, Trouble> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.database(), flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        Ok(Reading(connection))
    }
}

/// Waits until something is so.
fn look(mut is_so: impl FnMut() -> Result<bool, Trouble>, otherwise: &str) -> Result<(), Trouble> {
    for _ in 0..LOOKS {
        if is_so()? {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    Err(trouble(otherwise))
}

/// A running host. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Host {
    child: Child,
    log: PathBuf,
}

impl Host {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it in good order.
    pub(crate) fn stop(mut self) -> Result<(), Trouble> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(trouble(format!("the host ended with {status}"))) }
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(mut self) -> Result<(), Trouble> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Nothing to do where it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A producer in a process of its own.
#[derive(Debug)]
pub(crate) struct Producer {
    child: Child,
    lines: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Producer {
    fn start(command: &mut Command) -> Result<Self, Trouble> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = child.stdin.take().ok_or("no pipe")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        Ok(Self { child, lines, answers })
    }

    /// One behind whose pipes nothing is but plain SQLite: [`raw::commit_lines`].
    pub(crate) fn plain(own: &Path, database: &Path) -> Result<Self, Trouble> {
        Self::start(raw::command(own).arg(raw::COMMITTER).arg(database))
    }

    /// Hands it a task.
    pub(crate) fn give(&mut self, task: &str) -> Result<(), Trouble> {
        Ok(self.lines.write_all(format!("{task}\n").as_bytes())?)
    }

    /// Takes the line back, from one behind which nothing is but plain SQLite.
    pub(crate) fn take_back(&mut self, task: &str) -> Result<(), Trouble> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.trim_end() == task { Ok(()) } else { Err(trouble(format!("not what was given: {line}"))) }
    }

    /// Takes an acknowledgement, which must be a good one.
    pub(crate) fn take(&mut self) -> Result<(), Trouble> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        // Not parsed: that would be counted among the program's own time.
        if line.contains(r#""status":"created""#) {
            Ok(())
        } else {
            Err(trouble(format!("a task was refused: {line}")))
        }
    }

    /// Both of its ends, for threads of their own, and the process.
    pub(crate) fn apart(self) -> (ChildStdin, BufReader<ChildStdout>, Child) {
        (self.lines, self.answers, self.child)
    }

    /// Waits for its end.
    pub(crate) fn stop(mut self) -> Result<(), Trouble> {
        drop(self.lines);
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(trouble(format!("the producer ended with {status}"))) }
    }
}

/// A look at the store beside the program.
#[derive(Debug)]
pub(crate) struct Reading(Connection);

impl Reading {
    fn number(&self, sql: &str) -> Result<i64, Trouble> {
        Ok(self.0.prepare_cached(sql)?.query_row((), |row| row.get(0))?)
    }

    /// How many tasks have ended.
    pub(crate) fn ended(&self) -> Result<i64, Trouble> {
        self.number("SELECT ended FROM tally")
    }

    /// Waits until so many tasks have ended, all of them well; answers when the last one did, by the calendar in
    /// milliseconds.
    pub(crate) fn until_ended(&self, count: i64) -> Result<i64, Trouble> {
        look(|| Ok(self.ended()? >= count), "the tasks do not end")?;
        match self.number("SELECT count(*) FROM task WHERE stage >= 4")? {
            0 => self.number("SELECT max(changed_at) FROM task WHERE stage = 3"),
            bad => Err(trouble(format!("{bad} tasks were given up"))),
        }
    }
}
