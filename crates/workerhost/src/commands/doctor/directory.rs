//! Where everything is kept: the data directory, its disk, and the store in it.

use super::Subject;
use super::finding::{Check, Findings, Mend};
use crate::context::Context;
use crate::opened::{database, there};
use crate::opening;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
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
        Err(_) => {
            let home = config.data_home().map_or(String::new(), |home| format!(", in {}", home.display()));
            let words = format!("{} is not there yet; the first task makes it{home}", path.display());
            return findings.ok(Check::Directory, words);
        }
    };
    let shown = path.display();
    let own = rustix::process::geteuid().as_raw();
    if about.uid() != own {
        let words = format!("{shown} belongs to user {}, and this is user {own}", about.uid());
        let command = format!("sudo -u '#{}' workerhost doctor", about.uid());
        // Root may do everything in there, but what it makes there is then closed to the host.
        let mend =
            if own == 0 { Mend::Run(command) } else { Mend::Do(format!("look as that user: {command}")) };
        findings.error(Check::Directory, words, mend);
    } else if about.mode() & 0o077 != 0 {
        let words =
            format!("{shown} is open to other users (mode {:o}), with the tasks in it", about.mode() & 0o777);
        findings.warning(Check::Directory, words, Mend::Run(format!("chmod 700 {}", quoted(path))));
    }
    if is_in_memory(path) {
        let words = format!("{shown} lies in memory, and all tasks are gone after a reboot");
        findings.warning(
            Check::Directory,
            words,
            subject.set(None, "data_dir", "/var/lib/workerhost".into()),
        );
    }
    if findings.is_fine(Check::Directory) {
        findings.ok(Check::Directory, format!("{shown} is this user's alone, on a disk"));
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
) -> Option<std::sync::Arc<SqliteStore>> {
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
            // Behind the semicolon stands what is to be done, which is the mend then.
            let (what, help) = words.rsplit_once("; ").unwrap_or((&words, "run `workerhost db check`"));
            findings.error(Check::Store, what, mend.unwrap_or_else(|| Mend::Do(help.to_owned())));
            None
        }
    }
}

fn mend(subject: &Subject<'_>, error: &OpenError) -> Option<Mend> {
    Some(match error {
        OpenError::Older { .. } => subject.run("db migrate"),
        OpenError::Copied { link, .. } => Mend::Run(format!("rm {}", quoted(link))),
        OpenError::Io { .. } => Mend::Do("run it as the user of the host".to_owned()),
        _ => return None,
    })
}

/// A path as a shell takes it for one word.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if text.chars().all(is_plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
