//! The soak's own commands; every other word is the program under test.

use crate::cuts::{self, campaign};
use crate::kills::{self, soak};
use crate::syncs::watch;
use crate::trees::kill_trees;
use crate::{Tried, hooked, report, worker};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tempfile::TempDir;

/// A user who may nothing.
const NOBODY: u32 = 65_534;

const HELP: &str = "\
Soaks: each ends by itself, says what it did and found in a table, and leaves with 0 only if nothing was lost or left.

  kills   hosts are killed 300 times while tasks come in and run: at random, at named points, stopped, two at once
          --kills N, --hits N (of each point), --stops N, --tasks N, --longest-ms N, --seed N
  cuts    the power of a file system is cut 100 times under host and producer; needs root, loop devices and ext4
          --cuts N, --controls N, --seed N
  syncs   what is promised is held against the system calls before it; needs strace
  trees   workers that do not want to end, and host and spawner killed; as whoever this is, and root as nobody too
          --rounds N (of each of four kinds, for each user)
  all     all of them

With any other words this is workerhost itself, with hooks.
";

/// Does what the first argument says.
pub fn start() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = match words.as_slice() {
        ["worker"] => return worker::main(),
        ["rows", database, mode] => cuts::rows(database, mode).map(|()| (String::new(), true)),
        ["help"] => Ok((HELP.to_owned(), true)),
        ["all"] => all(),
        ["kills", options @ ..] => kills(options),
        ["cuts", options @ ..] => cuts(options),
        ["syncs"] => syncs(),
        ["trees", options @ ..] => trees(options),
        _ => return hooked::main(),
    };
    let (text, code) = match said {
        Ok((text, true)) => (text, ExitCode::SUCCESS),
        Ok((text, false)) => (text, ExitCode::FAILURE),
        Err(trouble) => (format!("the soak itself failed: {trouble}\n"), ExitCode::FAILURE),
    };
    // Nobody is left to tell if standard output is closed.
    std::io::stdout().write_all(text.as_bytes()).ok();
    code
}

/// What a command says, and whether all went well.
type Said = Tried<(String, bool)>;

/// One after the other; what each says comes when it ends.
fn all() -> Said {
    let mut all_ok = true;
    for soak in [kills, cuts, |_: &[&str]| syncs(), trees] {
        let (text, ok) = soak(&[])?;
        std::io::stdout().write_all(text.as_bytes())?;
        all_ok &= ok;
    }
    Ok((String::new(), all_ok))
}

/// The number that follows a word, or another one where the word is not there.
fn number<T: TryFrom<u64>>(options: &[&str], word: &str, otherwise: u64) -> Tried<T> {
    let number = match options.iter().position(|it| *it == word) {
        Some(at) => options.get(at + 1).ok_or(format!("{word} takes a number"))?.parse()?,
        None => otherwise,
    };
    T::try_from(number).map_err(|_| format!("{word} cannot be {number}").into())
}

fn kills(options: &[&str]) -> Said {
    let plan = kills::Plan {
        kills: number(options, "--kills", 300)?,
        hits: number(options, "--hits", 3)?,
        stops: number(options, "--stops", 5)?,
        tasks: number(options, "--tasks", 21_000)?,
        longest: Duration::from_millis(number(options, "--longest-ms", 4_500)?),
        seed: number(options, "--seed", fastrand::u64(..1_000_000))?,
    };
    let rooms = Rooms::new()?;
    let outcome = soak(&plan, rooms.books(), &rooms.data(), &program()?);
    rooms.close(outcome.map(|outcome| report::kills(&plan, &outcome)))
}

fn cuts(options: &[&str]) -> Said {
    let plan = cuts::Plan {
        cuts: number(options, "--cuts", 100)?,
        controls: number(options, "--controls", 5)?,
        seed: number(options, "--seed", fastrand::u64(..1_000_000))?,
    };
    let rooms = Rooms::new()?;
    let outcome = campaign(&plan, rooms.books(), rooms.disk.path(), &program()?);
    rooms.close(outcome.map(|outcome| match outcome {
        Ok(outcome) => report::cuts(&plan, &outcome),
        Err(why) => (format!("SKIP power cuts: {why}\n"), true),
    }))
}

fn syncs() -> Said {
    let rooms = Rooms::new()?;
    let outcome = watch(100, rooms.books(), &rooms.data(), &program()?);
    rooms.close(outcome.map(|outcome| match outcome {
        Ok(outcome) => report::syncs(&outcome),
        Err(why) => (format!("SKIP system calls: {why}\n"), true),
    }))
}

fn trees(options: &[&str]) -> Said {
    let rounds = number(options, "--rounds", 50)?;
    let own = rustix::process::geteuid();
    let (mut text, ok) = trees_of(rounds, None, own.as_raw())?;
    if !own.is_root() {
        text.push_str("SKIP process trees as nobody: only root may become somebody else\n");
        return Ok((text, ok));
    }
    let (more, ok_too) = trees_of(rounds, Some(NOBODY), NOBODY)?;
    Ok((text + &more, ok && ok_too))
}

fn trees_of(rounds: usize, user: Option<u32>, name: u32) -> Said {
    let rooms = Rooms::new()?;
    let outcome = kill_trees(rounds, rooms.books(), &rooms.data(), &program()?, user);
    rooms.close(outcome.map(|all| report::trees(&all, name)))
}

fn program() -> Tried<PathBuf> {
    Ok(std::env::current_exe()?)
}

/// Where a run takes place.
struct Rooms {
    /// For everything that is not under test: in memory where that can be had.
    books: TempDir,
    /// For the store.
    disk: TempDir,
}

impl Rooms {
    fn new() -> Tried<Self> {
        let make = || tempfile::Builder::new().prefix("soak-").to_owned();
        let books = make().tempdir_in("/dev/shm").or_else(|_| make().tempdir())?;
        Ok(Self { books, disk: make().tempdir()? })
    }

    fn books(&self) -> &Path {
        self.books.path()
    }

    fn data(&self) -> PathBuf {
        self.disk.path().join("data")
    }

    /// Keeps everything for whoever looks for the cause, where something was wrong.
    fn close(self, said: Said) -> Said {
        if matches!(said, Ok((_, true))) {
            return said;
        }
        let kept = format!("see {} and {}\n", self.books.keep().display(), self.disk.keep().display());
        match said {
            Ok((text, ok)) => Ok((text + &kept, ok)),
            Err(trouble) => Err(format!("{trouble}\n{kept}").into()),
        }
    }
}
