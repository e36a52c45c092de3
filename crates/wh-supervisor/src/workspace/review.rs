//! After a success: whether what the worker was to leave in its output is there, and is what it is to be. Whatever is looked
//! at is opened beneath the workspace, and a file of the worker's own.

use crate::workspace::beneath::{self, Entry};
use crate::workspace::digest;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::FileType;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use wh_domain::attempt::Progress;
use wh_domain::outputs::{Check, Format, Output, OutputPath, Review, fits};
use wh_formats::Flaw;
use wh_protocol::result::ClaimedOutput;

/// So many files are looked at for one declared output, and so many entries of a directory.
const MOST_FILES: usize = 10_000;
/// A file with this name beside another holds its digest, as `sha256sum` writes it.
const DIGEST_OF: &str = ".sha256";
/// So much is read of one.
const MOST_OF_A_DIGEST: u64 = 4 << 10;
/// What the host itself writes into the output is meant only where it is named.
const HOSTS_OWN: [&str; 4] = ["progress.md", "results.md", "metadata.json", "attempt.json"];

/// What a worker said of its own work.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) outputs: Vec<ClaimedOutput>,
    pub(crate) quality: Option<u8>,
    pub(crate) progress: Option<Progress>,
}

/// A file that was found.
struct Found {
    path: String,
    file: File,
    size: u64,
}

/// Looks at what lies in the output of a workspace. May take as long as there are files.
pub(crate) fn review(root: &OwnedFd, declared: &[Output], claims: &Claims) -> Review {
    let mut review = Review { claimed: claims.quality, ..Review::default() };
    let output = beneath::directory(root, c"output");
    for wanted in declared {
        match &output {
            Ok(output) => look_at(output, wanted, &mut review),
            Err(error) => review.note(Check::Exists, wanted.path.as_str(), Err(gone(error))),
        }
    }
    for claimed in &claims.outputs {
        let came_to = output.as_ref().map_err(gone).and_then(|output| holds(output, claimed));
        review.note(Check::Checksum, &claimed.path, came_to);
    }
    if !declared.is_empty() {
        review.note_progress(claims.progress.as_ref());
    }
    review
}

fn gone(error: &io::Error) -> String {
    format!("is not there, for the output directory cannot be opened: {error}")
}

/// One declared output, with all files that it stands for.
fn look_at(output: &OwnedFd, wanted: &Output, review: &mut Review) {
    let path = wanted.path.as_str();
    if !wanted.path.is_pattern() {
        let found = open(output, path);
        review.note(Check::Exists, path, found.as_ref().map(drop).map_err(Clone::clone));
        return found.into_iter().for_each(|found| look_into(output, found, wanted, review));
    }
    let paths = matching(output, &wanted.path);
    let count = u32::try_from(paths.len()).unwrap_or(u32::MAX);
    let few = || format!("stands for too few files: {count} of {}", wanted.min_count);
    review.note(Check::Count, path, if count >= wanted.min_count { Ok(()) } else { Err(few()) });
    for path in paths {
        match open(output, &path) {
            Ok(found) => look_into(output, found, wanted, review),
            Err(why) => review.note(Check::Exists, &path, Err(why)),
        }
    }
}

/// One file: its size, its format, and its digest where one lies beside it.
fn look_into(output: &OwnedFd, found: Found, wanted: &Output, review: &mut Review) {
    let Found { path, mut file, size } = found;
    let small = || format!("holds {size} bytes, and {} are wanted", wanted.min_size);
    review.note(Check::Size, &path, if size >= wanted.min_size { Ok(()) } else { Err(small()) });
    if wanted.format != Format::Any {
        let came_to = wh_formats::check(&mut file, size, &wanted.format);
        let check = match &came_to {
            Err(Flaw::Incomplete(_)) => Check::Complete,
            Err(Flaw::Schema(_)) => Check::Schema,
            Ok(()) | Err(Flaw::Format { .. } | Flaw::TooLarge | Flaw::Unreadable(_)) => Check::Format,
        };
        review.note(check, &path, came_to.map_err(|flaw| flaw.to_string()));
    }
    if let Ok(beside) = open(output, &format!("{path}{DIGEST_OF}")) {
        let mut text = String::new();
        let read = beside.file.take(MOST_OF_A_DIGEST).read_to_string(&mut text);
        let came_to = match (read, digits_for(&path, &text)) {
            (Ok(_), Some(sha256)) => holds(output, &ClaimedOutput { path: path.clone(), sha256 }),
            (Ok(_), None) => Err("has a digest beside it that is one of another file".to_owned()),
            (Err(error), _) => Err(format!("has a digest beside it that cannot be read: {error}")),
        };
        review.note(Check::Checksum, &path, came_to);
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

/// Whether a file holds what was said of it.
fn holds(output: &OwnedFd, claimed: &ClaimedOutput) -> Result<(), String> {
    let found = open(output, &claimed.path)?;
    let is = digest::of(found.file).map_err(|error| format!("cannot be read: {error}"))?;
    if is == claimed.sha256 {
        Ok(())
    } else {
        Err("does not hold what the worker said that it had written".to_owned())
    }
}

/// A regular file below the output directory, by no link on the way.
fn open(output: &OwnedFd, path: &str) -> Result<Found, String> {
    let missing = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "is not there".to_owned(),
        _ => format!("cannot be opened: {error}"),
    };
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("is no path below the output directory".to_owned());
    }
    let (directory, name) = path.rsplit_once('/').map_or((None, path), |(above, name)| (Some(above), name));
    let mut within = output.try_clone().map_err(missing)?;
    for part in directory.into_iter().flat_map(|directory| directory.split('/')) {
        within = beneath::directory(&within, &c_name(part)?).map_err(missing)?;
    }
    match beneath::regular(&within, &c_name(name)?).map_err(missing)? {
        Some((file, about)) => {
            let size = u64::try_from(about.st_size).unwrap_or(0);
            Ok(Found { path: path.to_owned(), file: file.into(), size })
        }
        None => Err("is no file of the worker's own".to_owned()),
    }
}

fn c_name(name: &str) -> Result<CString, String> {
    CString::new(name).map_err(|_| "has a NUL in its name".to_owned())
}

/// The files that a pattern stands for, in the order of their names. Directories are entered only where the pattern has a
/// part for what is in them.
fn matching(output: &OwnedFd, pattern: &OutputPath) -> Vec<String> {
    let parts: Vec<&str> = pattern.parts().collect();
    let Ok(output) = output.try_clone() else { return Vec::new() };
    let mut level = vec![(output, String::new())];
    let mut files = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        let mut next = Vec::new();
        for (directory, above) in level {
            let mut entries = beneath::entries(&directory, MOST_FILES).unwrap_or_default();
            entries.sort_by(|one, other| one.name.cmp(&other.name));
            for Entry { name, kind } in entries {
                let Ok(text) = name.to_str() else { continue };
                let path = format!("{above}{text}");
                if !fits(part, text) || files.len() + next.len() >= MOST_FILES {
                    continue;
                }
                if !is_last && kind == FileType::Directory {
                    next.extend(
                        beneath::directory(directory.as_fd(), &name).map(|it| (it, format!("{path}/"))),
                    );
                } else if is_last && kind != FileType::Directory && !is_beside_the_point(part, &path) {
                    files.push(path);
                }
            }
        }
        level = next;
    }
    files
}

/// Digests of other files, and the host's own records, where the pattern does not ask for them.
fn is_beside_the_point(part: &str, path: &str) -> bool {
    (path.ends_with(DIGEST_OF) && !part.ends_with(DIGEST_OF)) || HOSTS_OWN.contains(&path)
}
