//! Whether what a worker was to leave in its output is there, and is what it is to be. Whatever is looked at is opened beneath
//! the workspace, and a file of the worker's own. What is not looked at is not taken for good.

use crate::hindrance::is_shortage;
use crate::workspace::beneath::{self, Entry};
use crate::workspace::digest;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::FileType;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use wh_domain::attempt::Progress;
use wh_domain::outputs::{Check, Format, Output, OutputPath, Review, fits};
use wh_formats::{Flaw, Schema};
use wh_protocol::result::ClaimedOutput;

/// One declared output stands for no more files.
const MOST_FILES: usize = 10_000;
/// So many entries of a directory are read.
const MOST_ENTRIES: usize = 1_000_000;
/// A file with this name beside another holds its digest, as `sha256sum` writes it.
const DIGEST_OF: &str = ".sha256";
/// So much is read of one.
const MOST_OF_A_DIGEST: u64 = 4 << 10;
/// What the host itself has written by then.
const HOSTS_OWN: &str = "progress.md";

/// What a worker said of its own work.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) outputs: Vec<ClaimedOutput>,
    pub(crate) quality: Option<u8>,
    /// What it last said in numbers.
    pub(crate) progress: Option<Progress>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) review: Review,
    /// Why a schema cannot be used: the worker's configuration is at fault, and not its files.
    pub(crate) bad_schema: Option<String>,
    /// The error with which the machine ran short of something: nobody is at fault.
    pub(crate) shortage: Option<i32>,
}

/// A file that was found.
struct Found {
    path: String,
    file: File,
    size: u64,
}

/// Looks at what lies in the output of a workspace.
pub(crate) fn look(root: &OwnedFd, declared: &[Output], claims: &Claims) -> Looked {
    let mut looking =
        Looking { looked: Looked::default(), schemas: BTreeMap::new(), digests: BTreeMap::new() };
    match beneath::directory(root, c"output") {
        Ok(output) => {
            for wanted in declared {
                looking.look_at(&output, wanted);
            }
            for claimed in &claims.outputs {
                let came_to = looking.holds(&output, claimed);
                looking.note(Check::Checksum, &claimed.path, came_to);
            }
        }
        Err(error) => {
            let why = looking.refused(&error);
            looking.note(Check::Exists, "", Err(why));
        }
    }
    if !declared.is_empty() {
        looking.looked.review.note_progress(claims.progress.as_ref());
    }
    looking.looked
}

struct Looking {
    looked: Looked,
    schemas: BTreeMap<PathBuf, Option<Schema>>,
    /// Of files that several have spoken of.
    digests: BTreeMap<String, String>,
}

impl Looking {
    fn note(&mut self, check: Check, path: &str, came_to: Result<(), String>) {
        self.looked.review.note(check, path, came_to);
    }

    /// Why something could not be opened or read; where the machine ran short, that is noted.
    fn refused(&mut self, error: &io::Error) -> String {
        self.looked.shortage =
            self.looked.shortage.or(error.raw_os_error().filter(|errno| is_shortage(*errno)));
        match error.kind() {
            io::ErrorKind::NotFound => "is not there".to_owned(),
            _ => format!("cannot be opened: {error}"),
        }
    }

    /// One declared output, with all files that it stands for.
    fn look_at(&mut self, output: &OwnedFd, wanted: &Output) {
        let path = wanted.path.as_str();
        if !wanted.path.is_pattern() {
            let found = self.open(output, path);
            self.note(Check::Exists, path, found.as_ref().map(drop).map_err(Clone::clone));
            return found.into_iter().for_each(|found| self.look_into(output, found, wanted));
        }
        let mut paths = Vec::new();
        let came_to = self.matching(output, (&wanted.path, 0), "", &mut paths);
        let count = u32::try_from(paths.len()).unwrap_or(u32::MAX);
        let few = || format!("stands for too few files: {count} of {}", wanted.min_count);
        self.note(
            Check::Count,
            path,
            came_to.and(if count >= wanted.min_count { Ok(()) } else { Err(few()) }),
        );
        for path in paths {
            match self.open(output, &path) {
                Ok(found) => self.look_into(output, found, wanted),
                Err(why) => self.note(Check::Exists, &path, Err(why)),
            }
        }
    }

    /// One file: its size, its format, and its digest where one lies beside it.
    fn look_into(&mut self, output: &OwnedFd, found: Found, wanted: &Output) {
        let Found { path, mut file, size } = found;
        let small = || format!("holds {size} bytes, and {} are wanted", wanted.min_size);
        self.note(Check::Size, &path, if size >= wanted.min_size { Ok(()) } else { Err(small()) });
        let came_to = match &wanted.format {
            Format::Any => None,
            Format::JsonSchema(schema) => {
                self.schema(schema).map(|schema| wh_formats::check_with(&mut file, size, schema))
            }
            format => Some(wh_formats::check(&mut file, size, format)),
        };
        if let Some(came_to) = came_to {
            let check = match &came_to {
                Err(Flaw::Incomplete(_)) => Check::Complete,
                Err(Flaw::Schema(_)) => Check::Schema,
                Ok(()) | Err(Flaw::Format { .. } | Flaw::TooLarge(_) | Flaw::Unreadable(_)) => Check::Format,
            };
            if let Err(Flaw::Unreadable(error)) = &came_to {
                self.refused(error);
            }
            self.note(check, &path, came_to.map_err(|flaw| flaw.to_string()));
        }
        self.digest_beside(output, &path);
    }

    /// A schema, read once; one that cannot be used is told by itself.
    fn schema(&mut self, path: &Path) -> Option<&Schema> {
        let bad = &mut self.looked.bad_schema;
        let read = || Schema::read(path).map_err(|why| *bad = Some(why.to_string())).ok();
        self.schemas.entry(path.to_owned()).or_insert_with(read).as_ref()
    }

    /// A file `NAME.sha256` beside another one.
    fn digest_beside(&mut self, output: &OwnedFd, path: &str) {
        let name = format!("{path}{DIGEST_OF}");
        let beside = match self.open(output, &name) {
            Ok(beside) => beside,
            Err(why) if why == "is not there" => return,
            Err(why) => return self.note(Check::Checksum, &name, Err(why)),
        };
        let mut text = String::new();
        let came_to = match beside.file.take(MOST_OF_A_DIGEST).read_to_string(&mut text) {
            Ok(_) => match digits_for(path, &text) {
                Some(sha256) => self.holds(output, &ClaimedOutput { path: path.to_owned(), sha256 }),
                None => Err("has a digest beside it that is one of another file".to_owned()),
            },
            Err(error) => Err(format!("has a digest beside it that cannot be read: {error}")),
        };
        self.note(Check::Checksum, path, came_to);
    }

    /// Whether a file holds what was said of it.
    fn holds(&mut self, output: &OwnedFd, claimed: &ClaimedOutput) -> Result<(), String> {
        let known = self.digests.get(&claimed.path).cloned();
        let is = known.map_or_else(|| self.digest(output, &claimed.path), Ok)?;
        let otherwise = || "does not hold what the worker said that it had written".to_owned();
        if is == claimed.sha256 { Ok(()) } else { Err(otherwise()) }
    }

    fn digest(&mut self, output: &OwnedFd, path: &str) -> Result<String, String> {
        let found = self.open(output, path)?;
        let is = digest::of(found.file).map_err(|error| self.refused(&error))?;
        self.digests.insert(path.to_owned(), is.clone());
        Ok(is)
    }

    /// A regular file below the output directory, by no link on the way.
    fn open(&mut self, output: &OwnedFd, path: &str) -> Result<Found, String> {
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err("is no path below the output directory".to_owned());
        }
        let (above, name) = path.rsplit_once('/').map_or((None, path), |(above, name)| (Some(above), name));
        let mut within = output.try_clone().map_err(|error| self.refused(&error))?;
        for part in above.into_iter().flat_map(|above| above.split('/')) {
            within = beneath::directory(&within, &c_name(part)?).map_err(|error| self.refused(&error))?;
        }
        match beneath::regular(&within, &c_name(name)?).map_err(|error| self.refused(&error))? {
            Some((file, about)) => {
                let size = u64::try_from(about.st_size).unwrap_or(0);
                Ok(Found { path: path.to_owned(), file: file.into(), size })
            }
            None => Err("is no file of the worker's own".to_owned()),
        }
    }

    /// The files that a pattern stands for from its part of this number on, in the order of their names, one open directory for
    /// each part. What cannot be told is an error: nobody knows what was meant then.
    fn matching(
        &mut self,
        directory: &OwnedFd,
        (pattern, at): (&OutputPath, usize),
        above: &str,
        files: &mut Vec<String>,
    ) -> Result<(), String> {
        let Some(part) = pattern.parts().nth(at) else { return Ok(()) };
        let is_last = pattern.parts().nth(at + 1).is_none();
        let mut entries =
            beneath::entries(directory, MOST_ENTRIES + 1).map_err(|error| self.refused(&error))?;
        if entries.len() > MOST_ENTRIES {
            return Err(format!("stands for files in a directory of more than {MOST_ENTRIES} entries"));
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        for Entry { name, kind } in entries {
            let text = name.to_string_lossy();
            if !fits(part, &text) {
                continue;
            }
            let path = format!("{above}{text}");
            if name.to_str().is_err() {
                return Err(format!("stands for {path}, whose name is no UTF-8"));
            }
            match (is_last, kind == FileType::Directory) {
                (false, true) => {
                    let inside =
                        beneath::directory(directory.as_fd(), &name).map_err(|error| self.refused(&error))?;
                    self.matching(&inside, (pattern, at + 1), &format!("{path}/"), files)?;
                }
                (true, false) if is_beside_the_point(part, &path) => {}
                (true, false) if files.len() == MOST_FILES => {
                    return Err(format!("stands for more than {MOST_FILES} files, which is the most"));
                }
                (true, false) => files.push(path),
                (true, true) | (false, false) => {}
            }
        }
        Ok(())
    }
}

/// The digest of a file in the words of `sha256sum`, which name it, or by itself.
fn digits_for(path: &str, text: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut words = text.split_whitespace();
    let digits = words.next().unwrap_or_default().to_ascii_lowercase();
    let of = words.next().map(|of| of.trim_start_matches('*').rsplit('/').next().unwrap_or_default());
    of.is_none_or(|of| of == name).then_some(digits)
}

fn c_name(name: &str) -> Result<CString, String> {
    CString::new(name).map_err(|_| "has a NUL in its name".to_owned())
}

/// Digests of other files, where the pattern does not ask for them, and the host's own page.
fn is_beside_the_point(part: &str, path: &str) -> bool {
    (path.ends_with(DIGEST_OF) && !part.ends_with(DIGEST_OF)) || path == HOSTS_OWN
}
