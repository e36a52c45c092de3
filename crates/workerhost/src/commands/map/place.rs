//! Where a map is kept: a directory of its own with its store, what it runs, and a lock that says that it is at work.

use super::name::Name;
use crate::exit::Exit;
use crate::failure::Failure;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use wh_domain::worker::Protocol;

/// The lock's file.
const LOCK: &str = "lock";
/// What the map runs.
const DEFINITION: &str = "map.json";
/// Is there once every input has ended; its age is the map's.
const FINISHED: &str = "finished";
/// The beginning of the names of directories that are on their way out. No map's name begins with a dot.
const FORGOTTEN: &str = ".forgotten-";
/// Somebody else may forget the map in the moment in which it is opened; more often is no coincidence.
const TRIES: u32 = 8;
/// A definition is no longer than a command line may be.
const LONGEST_DEFINITION: u64 = 8 << 20;

/// What a map runs: what a second run under the same name must agree with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Definition {
    schema: String,
    command: Vec<String>,
    protocol: String,
}

impl Definition {
    pub(super) fn new(command: &[String], protocol: Protocol) -> Self {
        Self {
            schema: "workerhost.map-definition/v1".to_owned(),
            command: command.to_vec(),
            protocol: protocol.as_str().to_owned(),
        }
    }
}

/// All maps of a data directory.
#[derive(Debug)]
pub(super) struct Maps(PathBuf);

/// A map's directory, which nobody else works in.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
    _lock: File,
}

impl Maps {
    pub(super) fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("maps"))
    }

    /// Opens the map of that name, or makes it. Refused while another process is at work on it.
    pub(super) fn open(&self, name: &Name) -> Result<Place, Failure> {
        let dir = self.0.join(name.as_str());
        let failed = |error| Failure::of_io(&format!("use {}", dir.display()), &error);
        for _ in 0..TRIES {
            self.make(&dir).map_err(failed)?;
            match hold(&dir).map_err(failed)? {
                Held::Mine(lock) => return Ok(Place { dir, _lock: lock }),
                Held::Gone => {}
                Held::Others => break,
            }
        }
        Err(Failure::new(Exit::Conflict, format!("a map called {name} is at work"))
            .help("wait for its end, or choose another name"))
    }

    /// Makes a map's directory, with names that a power cut does not take away; also where another process had made
    /// them and died before it could see to that.
    fn make(&self, dir: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let above = self.0.parent().filter(|above| !above.as_os_str().is_empty());
        for holder in [above.unwrap_or(Path::new(".")), &self.0] {
            File::open(holder)?.sync_all()?;
        }
        Ok(())
    }

    /// Forgets maps that finished longer ago than `keep`.
    pub(super) fn sweep(&self, keep: Duration) {
        let Ok(entries) = fs::read_dir(&self.0) else { return };
        for entry in entries.flatten() {
            let dir = entry.path();
            if entry.file_name().to_string_lossy().starts_with(FORGOTTEN) {
                // Begun by a process that was killed meanwhile, or by one that is at it now.
                fs::remove_dir_all(&dir).ok();
            } else if is_over(&dir, keep) {
                forget_if_over(dir, keep);
            }
        }
    }
}

impl Place {
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Remembers what the map runs, or refuses what differs from what it ran before.
    pub(super) fn agree(&self, name: &Name, wanted: &Definition) -> Result<(), Failure> {
        let path = self.dir.join(DEFINITION);
        let failed = |error| Failure::of_io(&format!("use {}", path.display()), &error);
        let Some(text) = read(&path).map_err(failed)? else { return self.write(wanted).map_err(failed) };
        let known: Definition = serde_json::from_slice(&text).map_err(|error| {
            Failure::new(Exit::Store, format!("{} is damaged: {error}", path.display()))
                .help(format!("remove {} to forget the map", self.dir.display()))
        })?;
        if known == *wanted {
            return Ok(());
        }
        let command = shell_words(&known.command);
        let message = format!("the map {name} runs `{command}` with protocol {}", known.protocol);
        let help = format!(
            "give it that command, or choose another name; {} holds its results until it is removed",
            self.dir.display()
        );
        Err(Failure::new(Exit::Conflict, message).help(help))
    }

    /// On stable storage before the store is made, whole or not at all.
    fn write(&self, definition: &Definition) -> io::Result<()> {
        let unfinished = self.dir.join("map.json.unfinished");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        serde_json::to_writer(&mut file, definition)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&unfinished, self.dir.join(DEFINITION))?;
        File::open(&self.dir)?.sync_all()
    }

    /// Says that there is something to do, or that there is no more.
    pub(super) fn set_finished(&self, finished: bool) -> io::Result<()> {
        let path = self.dir.join(FINISHED);
        if finished {
            return File::create(path)?.write_all(b"");
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Deletes the map with all that belongs to it.
    pub(super) fn forget(self) -> io::Result<()> {
        let aside = self.dir.with_file_name(format!("{FORGOTTEN}{}", uuid::Uuid::now_v7()));
        // In one step, so that nobody finds half a map under its name.
        fs::rename(&self.dir, &aside)?;
        fs::remove_dir_all(&aside)
    }
}

/// What came of asking for a lock.
enum Held {
    Mine(File),
    /// The directory went away in the meantime.
    Gone,
    Others,
}

fn hold(dir: &Path) -> io::Result<Held> {
    let path = dir.join(LOCK);
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let lock = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Held::Gone),
        opened => opened?,
    };
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(Held::Others),
        answer => answer?,
    }
    // A map that was forgotten between the two calls took its lock with it.
    let is_same =
        |there: &fs::Metadata, own: fs::Metadata| there.ino() == own.ino() && there.dev() == own.dev();
    match fs::metadata(&path) {
        Ok(there) if is_same(&there, lock.metadata()?) => Ok(Held::Mine(lock)),
        _ => Ok(Held::Gone),
    }
}

/// Forgets a map that nobody works in. What it says is read again under its lock: before that somebody may have begun
/// to work in it anew.
fn forget_if_over(dir: PathBuf, keep: Duration) {
    if let Ok(Held::Mine(lock)) = hold(&dir)
        && is_over(&dir, keep)
    {
        // What cannot be deleted now is found again by the next map.
        Place { dir, _lock: lock }.forget().ok();
    }
}

/// Whether a map finished at least so long ago.
fn is_over(dir: &Path, keep: Duration) -> bool {
    finished_since(dir).is_some_and(|age| age >= keep)
}

fn finished_since(dir: &Path) -> Option<Duration> {
    let since = fs::metadata(dir.join(FINISHED)).ok()?.modified().ok()?;
    SystemTime::now().duration_since(since).ok()
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut text = Vec::new();
    file.take(LONGEST_DEFINITION).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// A command line that a shell takes apart again into these words.
pub(super) fn shell_words(words: &[String]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,@%+".contains(&byte);
    let quoted = words.iter().map(|word| {
        if !word.is_empty() && word.bytes().all(is_plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn definition(words: &[&str], protocol: Protocol) -> Definition {
        Definition::new(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), protocol)
    }

    #[test]
    fn a_map_at_work_is_refused_to_others_and_free_again_afterwards() {
        let data_dir = tempfile::tempdir().unwrap();
        let maps = Maps::of(data_dir.path());
        let place = maps.open(&name("a")).unwrap();
        assert_eq!(maps.open(&name("a")).unwrap_err().exit, Exit::Conflict);
        maps.open(&name("b")).unwrap();
        drop(place);
        maps.open(&name("a")).unwrap();
    }

    #[test]
    fn a_name_stands_for_one_command_and_one_protocol() {
        let data_dir = tempfile::tempdir().unwrap();
        let place = Maps::of(data_dir.path()).open(&name("a")).unwrap();
        let agree = |wanted: Definition| place.agree(&name("a"), &wanted);
        let sort = || definition(&["sort", "-n x"], Protocol::Raw);
        agree(sort()).unwrap();
        agree(sort()).unwrap();
        let refused = agree(definition(&["sort"], Protocol::Raw)).unwrap_err();
        assert_eq!(refused.exit, Exit::Conflict);
        assert_eq!(refused.message, "the map a runs `sort '-n x'` with protocol raw");
        assert_eq!(agree(definition(&["sort", "-n x"], Protocol::Json)).unwrap_err().exit, Exit::Conflict);
    }

    #[test]
    fn only_what_finished_long_enough_ago_and_is_not_at_work_is_forgotten() {
        let data_dir = tempfile::tempdir().unwrap();
        let maps = Maps::of(data_dir.path());
        for finished in ["done", "busy"] {
            maps.open(&name(finished)).unwrap().set_finished(true).unwrap();
        }
        maps.open(&name("open")).unwrap().set_finished(false).unwrap();
        let _busy = maps.open(&name("busy")).unwrap();
        fs::create_dir(data_dir.path().join("maps/.forgotten-x")).unwrap();
        let left = || {
            let mut names: Vec<_> = fs::read_dir(data_dir.path().join("maps"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        maps.sweep(Duration::from_secs(3_600));
        assert_eq!(left(), ["busy", "done", "open"]);
        maps.sweep(Duration::ZERO);
        assert_eq!(left(), ["busy", "open"]);
    }

    #[test]
    fn a_map_that_was_begun_anew_before_it_could_be_forgotten_stays() {
        let data_dir = tempfile::tempdir().unwrap();
        let maps = Maps::of(data_dir.path());
        let place = maps.open(&name("a")).unwrap();
        place.set_finished(true).unwrap();
        let dir = place.dir().to_owned();
        assert!(is_over(&dir, Duration::ZERO), "so it looks to the sweeper");
        place.set_finished(false).unwrap();
        drop(place);
        forget_if_over(dir.clone(), Duration::ZERO);
        assert!(dir.exists());
        maps.open(&name("a")).unwrap().set_finished(true).unwrap();
        forget_if_over(dir.clone(), Duration::ZERO);
        assert!(!dir.exists());
    }

    #[test]
    fn a_command_line_can_be_given_to_a_shell_as_it_is_shown() {
        let words = ["sh", "-c", "echo \"it's\" $1", ""].map(str::to_owned);
        assert_eq!(shell_words(&words), r#"sh -c 'echo "it'\''s" $1' ''"#);
    }
}
