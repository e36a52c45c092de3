//! Where everything is kept: the data directory, its disk, and the store in it.

use super::finding::{Check, Findings, Level, Mend};
use super::shell::quoted;
use super::subject::Subject;
use crate::context::Context;
use crate::opened::{database, there};
use crate::opening;
use rustix::fs::Access;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use wh_sqlite::{Mode, OpenError, Options, SqliteStore, Writing};

/// What `statfs` calls a file system in memory: tmpfs and ramfs.
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58F6];

pub(super) fn look(subject: &Subject<'_>, findings: &mut Findings) {
    let config = &subject.configuration.config;
    let path = &config.data_dir;
    let about = match fs::metadata(path) {
        Ok(about) => about,
        // A link that leads nowhere is told with the store.
        Err(_) if path.is_symlink() => return,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return to_be_made(subject, findings);
        }
        Err(error) => {
            let words = format!("{} cannot be looked at: {error}", path.display());
            return findings.error(
                Check::Directory,
                words,
                Mend::Do("look as the user of the host".to_owned()),
            );
        }
    };
    if about.is_dir() {
        access(subject, (path, about.uid(), about.mode()), findings);
    }
    if is_in_memory(path) {
        let words = format!("{} lies in memory, and all tasks are gone after a reboot", path.display());
        let mend = "stop the hosts, move it to a disk, and name its new place as `data_dir`";
        findings.warning(Check::Directory, words, Mend::Do(mend.to_owned()));
    }
    if findings.is_fine(Check::Directory) {
        findings.ok(Check::Directory, format!("{} is this user's alone, on a disk", path.display()));
    }
}

/// It is not there yet. It is made where it is named, or in the user's home with a link where it is named; a home in which
/// nothing can be made does no harm.
fn to_be_made(subject: &Subject<'_>, findings: &mut Findings) {
    let config = &subject.configuration.config;
    let path = &config.data_dir;
    if let Some(above) = closed_above(path) {
        let words =
            format!("{} cannot be made: this user can make nothing in {}", path.display(), above.display());
        let mend = "run as the user of the host, or name a `data_dir` that this user can make";
        return findings.error(Check::Directory, words, Mend::Do(mend.to_owned()));
    }
    let home = config.data_home().filter(|home| closed_above(home).is_none());
    let home = home.map_or(String::new(), |home| format!(", in {}", home.display()));
    let words = format!("{} is not there yet; the first task makes it{home}", path.display());
    findings.ok(Check::Directory, words);
}

/// The directory in which something would have to be made first for this one, where nothing may.
fn closed_above(path: &Path) -> Option<&Path> {
    let above = path.ancestors().find(|above| above.exists())?;
    let may_make = rustix::fs::access(above, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    (!may_make).then_some(above)
}

fn access(subject: &Subject<'_>, (path, owner, mode): (&Path, u32, u32), findings: &mut Findings) {
    let (shown, own) = (path.display(), rustix::process::geteuid().as_raw());
    if owner != own {
        let words = format!("{shown} belongs to user {owner}, and this is user {own}");
        let mend = Mend::Do(format!("look as that user: sudo -u '#{owner}' {} doctor", subject.program));
        // Root may do everything in there.
        let level = if own == 0 { Level::Warning } else { Level::Error };
        findings.found((Check::Directory, level), words, mend);
    } else if mode & 0o077 != 0 {
        let words = format!("{shown} is open to other users (mode {:o}), with the tasks in it", mode & 0o777);
        let command = format!("chmod 700 {}", quoted(&path.to_string_lossy()));
        findings.warning(Check::Directory, words, Mend::Run(command));
    }
}

fn is_in_memory(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|about| {
        // The number has 32 bits; some kernels extend its sign.
        IN_MEMORY.contains(&(about.f_type.cast_unsigned() & 0xFFFF_FFFF))
    })
}

/// The store, if it can be opened.
pub(super) fn store(
    subject: &Subject<'_>,
    context: &Context,
    findings: &mut Findings,
) -> Option<Arc<SqliteStore>> {
    let configuration = subject.configuration;
    let path = database(configuration);
    if there(&path).is_err() {
        findings.ok(Check::Store, format!("{} is not there yet; the first task makes it", path.display()));
        return None;
    }
    let options = opening::options(&configuration.config, Mode::AsIs);
    let on_step = context.hooks.on_step.clone();
    match SqliteStore::open(Options { on_step, writing: Writing::Apart, ..options }) {
        Ok(store) => {
            findings.ok(Check::Store, format!("{} can be opened", path.display()));
            Some(store)
        }
        Err(error) => {
            let mend = mend(subject, &error);
            let words = error.to_string();
            // Behind the semicolon stands what is to be done.
            let what = words.rsplit_once("; ").map_or(words.as_str(), |(what, _)| what);
            findings.error(Check::Store, what, mend);
            None
        }
    }
}

fn mend(subject: &Subject<'_>, error: &OpenError) -> Mend {
    let words = error.to_string();
    let help = || Mend::Do(words.rsplit_once("; ").map_or(&*words, |(_, help)| help).to_owned());
    match error {
        OpenError::Older { .. } => subject.run("db migrate"),
        OpenError::Copied { link, .. } => Mend::Run(format!("rm {}", quoted(&link.to_string_lossy()))),
        OpenError::Io { .. } => {
            Mend::Do("see whether it is the right user, and whether it can be written".to_owned())
        }
        OpenError::NetworkFileSystem { .. }
        | OpenError::Apart { .. }
        | OpenError::OtherStore { .. }
        | OpenError::Astray { .. }
        | OpenError::Linked { .. }
        | OpenError::Newer { .. }
        | OpenError::Foreign { .. }
        | OpenError::Damaged { .. }
        | OpenError::Incomplete { .. }
        | OpenError::InUse { .. } => help(),
    }
}
