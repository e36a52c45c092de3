//! A directory in which the program under test lives, with everything around it that no kill reaches.

use crate::Tried;
use crate::hooked::{KILL_AT, TOLD};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The variable that tells a worker where its ground is.
pub const ARENA: &str = "SOAK_ARENA";

/// A directory in which the program under test lives.
#[derive(Debug, Clone)]
pub struct Arena {
    /// Where everything lies.
    pub dir: PathBuf,
    /// Where the store lies: below `dir`, or on another file system.
    pub data: PathBuf,
    /// The program under test, which is this very program.
    pub program: PathBuf,
    /// As whom it runs, if not as whoever this is.
    pub user: Option<u32>,
}

/// Where a worker says when it ran.
pub fn witness(ground: &Path) -> PathBuf {
    ground.join("witness.log")
}

/// A pipe that every worker holds open while it lives.
pub fn alive(ground: &Path) -> PathBuf {
    ground.join("alive")
}

/// What a worker locks while it works on that task.
pub fn lock(ground: &Path, id: &str) -> PathBuf {
    ground.join("locks").join(id)
}

/// Makes a pipe with a name.
pub fn make_pipe(path: &Path) -> Tried<()> {
    Ok(mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?)
}

/// A path as a configuration spells it.
pub fn quoted(path: &Path) -> String {
    format!("{:?}", path.to_string_lossy())
}

/// What the configuration says beside the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// One type has no worker.
    Soak,
    /// Every type has one.
    Last,
}

impl Arena {
    /// Lays one out in `dir`, which is there and empty.
    pub fn new(dir: &Path, data: &Path, program: &Path) -> Tried<Self> {
        let arena =
            Self { dir: dir.to_owned(), data: data.to_owned(), program: program.to_owned(), user: None };
        fs::create_dir_all(arena.ground().join("locks"))?;
        fs::create_dir(arena.files())?;
        make_pipe(&alive(&arena.ground()))?;
        std::os::unix::fs::symlink(program, arena.fickle())?;
        arena.configure(Stage::Soak)?;
        Ok(arena)
    }

    /// What all workers share, and the host's own is no part of.
    pub fn ground(&self) -> PathBuf {
        self.dir.join("ground")
    }

    /// What a worker's configuration says of it.
    pub fn granted(&self) -> String {
        let ground = quoted(&self.ground());
        format!(
            "    env: {{{ARENA}: {ground}}}\n    isolation: {{level: strict, required: true, paths: {{write: [{ground}]}}}}\n"
        )
    }

    /// Where tasks' files lie before they are enqueued.
    pub fn files(&self) -> PathBuf {
        self.dir.join("files")
    }

    /// What was sent and what was acknowledged.
    pub fn acknowledgements(&self) -> PathBuf {
        self.dir.join("acknowledgements.log")
    }

    /// What hosts have said is durable.
    pub fn told(&self) -> PathBuf {
        self.dir.join("told.log")
    }

    /// What hosts and producers say on standard error.
    pub fn talk(&self) -> PathBuf {
        self.dir.join("talk.log")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("tasks.db")
    }

    /// The program of the worker that is taken away now and then.
    pub fn fickle(&self) -> PathBuf {
        self.dir.join("fickle")
    }

    /// Where that program lies meanwhile.
    pub fn fickle_away(&self) -> PathBuf {
        self.dir.join("fickle.away")
    }

    fn configuration(&self) -> PathBuf {
        self.dir.join("workerhost.yaml")
    }

    /// Puts a configuration in place of the one that is there, if any.
    pub fn configure(&self, stage: Stage) -> Tried<()> {
        self.configure_with(stage, "")
    }

    /// The same with more workers.
    pub fn configure_with(&self, stage: Stage, more: &str) -> Tried<()> {
        self.put_configuration(&(self.text_of(stage) + more))
    }

    /// Puts something in place that is no configuration.
    pub fn spoil_configuration(&self) -> Tried<()> {
        self.put_configuration("workers: [\n")
    }

    fn put_configuration(&self, text: &str) -> Tried<()> {
        let next = self.dir.join("workerhost.yaml.next");
        fs::write(&next, text)?;
        Ok(fs::rename(next, self.configuration())?)
    }

    fn text_of(&self, stage: Stage) -> String {
        // No limit may be reached by what the soak itself does to a task.
        const RETRY: &str = "{attempts: 1000, lost: 1000000, interruptions: 1000000, worker_broken: 1000000, \
                             base: 20ms, max: 200ms}";
        let (own, fickle, granted) = (quoted(&self.program), quoted(&self.fickle()), self.granted());
        let worker = |name: &str, program: &str, types: &str, more: &str| {
            format!(
                "  - name: {name}\n    command: [{program}, worker]\n    task_types: [{types}]\n    streams: 4\n    \
                 grace: 1s\n{granted}    retry: {RETRY}\n{more}"
            )
        };
        const NO_TREE: &str = "    workspace: none\n";
        const SLOW: &str = "    workspace: none\n    timeout: 10s\n    soft: 30ms\n";
        let quick = "soak.plain, soak.talk, soak.flaky, soak.bad, soak.doomed, soak.parent, soak.child";
        let quick = if stage == Stage::Last { format!("{quick}, soak.strange") } else { quick.to_owned() };
        let workers = [
            worker("quick", &own, &quick, NO_TREE),
            worker("roomy", &own, "soak.large, soak.file", ""),
            worker("slow", &own, "soak.slow", SLOW),
            worker("fickle", &fickle, "soak.fickle", NO_TREE),
        ];
        let lease = if stage == Stage::Soak { "lease: {length: 3s, renew_every: 500ms}\n" } else { "" };
        format!(
            "data_dir: {}\nhost: {{name: soak, streams: 4, drain: 5s, min_free_disk: 0}}\n{lease}logging: {{level: warning}}\nworkers:\n{}",
            quoted(&self.data),
            workers.concat()
        )
    }

    /// The program with these arguments, told to die at `kill_at`.
    pub fn command(&self, arguments: &[&str], kill_at: Option<&str>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.dir).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &self.dir);
        command.env(TOLD, self.told());
        if let Some(kill_at) = kill_at {
            command.env(KILL_AT, kill_at);
        }
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}
