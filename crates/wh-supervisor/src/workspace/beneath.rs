//! Opening and writing one component below an open directory, whatever somebody has planted there.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, SeekFrom, Stat, fstat, mkdirat, openat, renameat, seek, statat,
    unlinkat,
};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

/// Directories of ours: for their owner only.
pub(crate) const PRIVATE_DIRECTORY: Mode = Mode::RWXU;

/// Files of ours: for their owner only.
pub(crate) const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Never through a link, never waiting for the other end of a FIFO, never handed to a worker.
const SAFELY: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// One thing in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name: any bytes but NUL and slash.
    pub(crate) name: CString,
    /// What it is.
    pub(crate) kind: FileType,
}

/// Enough to tell that a file was not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    inode: u64,
    size: i64,
    changed: (i64, u64),
}

impl Look {
    /// How a file looks.
    pub(crate) fn of(about: &Stat) -> Self {
        Self { inode: about.st_ino, size: about.st_size, changed: (about.st_ctime, about.st_ctime_nsec) }
    }
}

/// Opens a directory.
pub(crate) fn directory(within: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    Ok(openat(within, name, OFlags::RDONLY | OFlags::DIRECTORY | SAFELY, Mode::empty())?)
}

/// Opens a directory, making it where it is not there.
pub(crate) fn make_directory(within: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    match mkdirat(&within, name, PRIVATE_DIRECTORY) {
        Ok(()) | Err(Errno::EXIST) => directory(within, name),
        Err(error) => Err(error.into()),
    }
}

/// Opens a regular file for reading. `None` where it is something else, or a second name of a file that may lie
/// anywhere.
pub(crate) fn regular(within: impl AsFd, name: &CStr) -> io::Result<Option<(OwnedFd, Stat)>> {
    let file = match openat(within, name, OFlags::RDONLY | SAFELY, Mode::empty()) {
        Ok(file) => file,
        // A link, a socket, a device without a driver.
        Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let about = fstat(&file)?;
    Ok(is_sole_regular(&about).then_some((file, about)))
}

/// Opens a regular file for adding to it, making it where it is not there; whatever else has its name is removed.
pub(crate) fn append(within: impl AsFd, name: &CStr) -> io::Result<(OwnedFd, Stat)> {
    let open = |more: OFlags| {
        openat(&within, name, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | SAFELY | more, PRIVATE_FILE)
    };
    if let Ok(file) = open(OFlags::empty()) {
        let about = fstat(&file)?;
        if is_sole_regular(&about) {
            return Ok((file, about));
        }
    }
    unlinkat(&within, name, AtFlags::empty())?;
    let file = open(OFlags::EXCL)?;
    let about = fstat(&file)?;
    Ok((file, about))
}

fn is_sole_regular(about: &Stat) -> bool {
    FileType::from_raw_mode(about.st_mode) == FileType::RegularFile && about.st_nlink == 1
}

/// Makes a file that is not there yet; returns how it looks.
pub(crate) fn write_new(within: impl AsFd, name: &CStr, bytes: &[u8]) -> io::Result<Stat> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | SAFELY;
    let file = openat(within, name, flags, PRIVATE_FILE)?;
    let mut file = std::fs::File::from(file);
    file.write_all(bytes)?;
    Ok(fstat(&file)?)
}

/// Puts a file into the place of whatever is there, so that a reader sees the old one or the new one whole.
pub(crate) fn replace(within: impl AsFd, name: &CStr, bytes: &[u8]) -> io::Result<Stat> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = CString::new(format!(".wh-{}-{number}.tmp", std::process::id()))?;
    let written = write_new(&within, &temporary, bytes)
        .and_then(|_| Ok(renameat(&within, &temporary, &within, name)?))
        .and_then(|()| Ok(statat(&within, name, AtFlags::SYMLINK_NOFOLLOW)?));
    if written.is_err() {
        unlinkat(&within, &temporary, AtFlags::empty()).ok();
    }
    written
}

/// How something looks, itself, not what it points to; `None` where nothing is.
pub(crate) fn look(within: impl AsFd, name: &CStr) -> Option<Stat> {
    statat(within, name, AtFlags::SYMLINK_NOFOLLOW).ok()
}

/// What is in a directory, in no order, at most `most` of it.
pub(crate) fn entries(directory: impl AsFd, most: usize) -> io::Result<Vec<Entry>> {
    // Wherever an earlier reading has stopped.
    seek(&directory, SeekFrom::Start(0))?;
    let mut space = [MaybeUninit::uninit(); 4096];
    let mut listing = RawDir::new(&directory, &mut space);
    let mut found = Vec::new();
    while let Some(entry) = listing.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        if found.len() == most {
            break;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => look(&directory, name)
                .map_or(FileType::Unknown, |about| FileType::from_raw_mode(about.st_mode)),
            known => known,
        };
        found.push(Entry { name: name.to_owned(), kind });
    }
    Ok(found)
}
