//! The doorbell: a datagram socket per listener of another process, and a plain notice within this one.

use crate::place::private_dir;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram as StdDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};
use tokio::net::UnixDatagram;
use tokio::sync::Notify;
use wh_ports::doorbell::Bell;
use wh_ports::store::BoxFuture;

/// Tells apart the listeners of all handles of this process.
static LISTENERS: AtomicU64 = AtomicU64::new(0);

/// Rings the bells of everybody who listens.
#[derive(Debug)]
pub(crate) struct Ringer {
    dir: PathBuf,
    /// The beginning of the names of this handle's own sockets.
    own: String,
    listeners: Mutex<Vec<Weak<Notify>>>,
    others: Mutex<Option<Others>>,
}

/// Who else was found to listen, and when that was: a directory is looked through again only once it has changed,
/// because a host rings after every commit, and mostly nobody else is there.
#[derive(Debug)]
struct Others {
    found_in: Print,
    names: Vec<String>,
}

/// Two changes of a directory may carry one time, so a listing is not trusted before its directory's last change is so
/// long ago.
const SETTLED: Duration = Duration::from_secs(1);

/// Which directory it was, and when it last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    device: u64,
    inode: u64,
    seconds: i64,
    nanos: i64,
}

impl Print {
    fn of(dir: &Path) -> io::Result<(Self, bool)> {
        let data = fs::metadata(dir)?;
        let print =
            Self { device: data.dev(), inode: data.ino(), seconds: data.mtime(), nanos: data.mtime_nsec() };
        let age = SystemTime::now().duration_since(data.modified()?);
        Ok((print, age.is_ok_and(|age| age >= SETTLED)))
    }
}

impl Ringer {
    pub(crate) fn new(dir: PathBuf) -> Self {
        let handle = LISTENERS.fetch_add(1, Ordering::Relaxed);
        Self {
            dir,
            own: format!("{}-{handle}-", std::process::id()),
            listeners: Mutex::default(),
            others: Mutex::default(),
        }
    }

    /// Begins to listen.
    pub(crate) fn listen(&self) -> io::Result<SocketBell> {
        private_dir(&self.dir)?;
        let name = format!("{}{}", self.own, LISTENERS.fetch_add(1, Ordering::Relaxed));
        let dir = File::open(&self.dir)?;
        let socket = StdDatagram::bind(short(&dir, &name))?;
        socket.set_nonblocking(true)?;
        let notice = Arc::new(Notify::new());
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&notice));
        Ok(SocketBell { socket: UnixDatagram::from_std(socket)?, notice, path: self.dir.join(name) })
    }

    /// Rings. Nothing that goes wrong here matters: a bell is only a hint.
    pub(crate) fn ring(&self) {
        for listener in self.listeners.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(notice) = listener.upgrade() {
                notice.notify_one();
            }
        }
        drop(self.ring_others());
    }

    fn ring_others(&self) -> io::Result<()> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, is_settled) = Print::of(&self.dir)?;
        let found = match others.take().filter(|others| others.found_in == now) {
            Some(known) => known,
            None => Others { found_in: now, names: self.look_for_others()? },
        };
        let sent = self.send(&found.names);
        *others = is_settled.then_some(found);
        sent
    }

    fn look_for_others(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            names.extend(entry?.file_name().into_string().ok().filter(|name| !name.starts_with(&self.own)));
        }
        Ok(names)
    }

    fn send(&self, names: &[String]) -> io::Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let (dir, sender) = (File::open(&self.dir)?, unbound()?);
        for name in names {
            // A full socket belongs to somebody who has been rung and has not looked yet.
            match sender.send_to(b"!", short(&dir, name)) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    drop(fs::remove_file(self.dir.join(name)));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn unbound() -> io::Result<StdDatagram> {
    let sender = StdDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    Ok(sender)
}

/// A path that fits into a socket address (108 bytes) however deep the directory lies.
fn short(dir: &File, name: &str) -> PathBuf {
    Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string()).join(name)
}

/// A listener.
#[derive(Debug)]
pub(crate) struct SocketBell {
    socket: UnixDatagram,
    notice: Arc<Notify>,
    path: PathBuf,
}

impl Bell for SocketBell {
    fn rung(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let mut rings = [0; 16];
            tokio::select! {
                () = self.notice.notified() => {}
                // A socket that fails would wake its owner for ever; the owner's own timer still finds changes.
                answer = self.socket.recv(&mut rings) => if answer.is_err() { self.notice.notified().await },
            }
            while self.socket.try_recv(&mut rings).is_ok() {}
        })
    }
}

impl Drop for SocketBell {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory, what rings in it for one handle, and what listens in it for another.
    fn two_handles(dir: &Path) -> (Ringer, Ringer) {
        (Ringer::new(dir.join("bells")), Ringer::new(dir.join("bells")))
    }

    /// Makes the directory look as if it had last changed at that time.
    fn changed_at(dir: &Path, at: SystemTime) {
        File::open(dir.join("bells")).unwrap().set_modified(at).unwrap();
    }

    async fn is_rung(bell: &mut SocketBell) -> bool {
        tokio::time::timeout(Duration::from_millis(200), bell.rung()).await.is_ok()
    }

    #[tokio::test]
    async fn whoever_comes_after_a_ring_hears_the_next_one() {
        let place = tempfile::tempdir().unwrap();
        let (ringer, other) = two_handles(place.path());
        let _own = ringer.listen().unwrap();
        let long_ago = SystemTime::now() - 10 * SETTLED;
        changed_at(place.path(), long_ago);
        ringer.ring();
        assert!(ringer.others.lock().unwrap().is_some(), "the directory will not be looked through again");
        let mut bell = other.listen().unwrap();
        ringer.ring();
        assert!(is_rung(&mut bell).await);
    }

    #[tokio::test]
    async fn whoever_comes_in_the_same_tick_as_the_last_change_is_not_overheard() {
        let place = tempfile::tempdir().unwrap();
        let (ringer, other) = two_handles(place.path());
        let _own = ringer.listen().unwrap();
        let just_now = SystemTime::now();
        changed_at(place.path(), just_now);
        ringer.ring();
        let mut bell = other.listen().unwrap();
        changed_at(place.path(), just_now);
        ringer.ring();
        assert!(is_rung(&mut bell).await);
    }
}
