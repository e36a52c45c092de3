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

/// Two changes of a directory may carry one time, so a listing is not trusted before its directory's last change is so
/// long ago.
const SETTLED: Duration = Duration::from_secs(1);

/// Who else was found to listen: a directory is looked through again only once it has changed, because a host rings
/// after every commit, and mostly nobody else is there.
#[derive(Debug)]
struct Others {
    dir: File,
    /// When the directory had last changed, where that was long enough ago.
    since: Option<SystemTime>,
    names: Vec<String>,
    sender: StdDatagram,
}

impl Others {
    /// Whether they are still the same, in the directory that everybody uses.
    fn are_known(&self) -> bool {
        let is_as_it_was = |data: fs::Metadata| data.nlink() > 0 && data.modified().ok() == self.since;
        self.since.is_some() && self.dir.metadata().is_ok_and(is_as_it_was)
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
        let known = match others.take().filter(Others::are_known) {
            Some(known) => known,
            None => self.look_for_others()?,
        };
        self.send(others.insert(known));
        Ok(())
    }

    fn look_for_others(&self) -> io::Result<Others> {
        let dir = File::open(&self.dir)?;
        let changed = dir.metadata()?.modified()?;
        let is_settled = changed.elapsed().is_ok_and(|age| age >= SETTLED);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            names.extend(entry?.file_name().into_string().ok().filter(|name| !name.starts_with(&self.own)));
        }
        let sender = StdDatagram::unbound()?;
        sender.set_nonblocking(true)?;
        Ok(Others { dir, since: is_settled.then_some(changed), names, sender })
    }

    fn send(&self, others: &Others) {
        for name in &others.names {
            // A full socket belongs to somebody who has been rung and has not looked yet.
            match others.sender.send_to(b"!", short(&others.dir, name)) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    drop(fs::remove_file(self.dir.join(name)));
                }
                _ => {}
            }
        }
    }
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
        let known = ringer.others.lock().unwrap().as_ref().map(Others::are_known);
        assert_eq!(known, Some(true), "the directory will not be looked through again");
        let mut bell = other.listen().unwrap();
        ringer.ring();
        assert!(is_rung(&mut bell).await);
    }

    #[tokio::test]
    async fn whoever_listens_in_a_directory_made_anew_hears_a_ring() {
        let place = tempfile::tempdir().unwrap();
        let (ringer, other) = two_handles(place.path());
        let _own = ringer.listen().unwrap();
        let long_ago = SystemTime::now() - 10 * SETTLED;
        changed_at(place.path(), long_ago);
        ringer.ring();
        fs::remove_dir_all(place.path().join("bells")).unwrap();
        let mut bell = other.listen().unwrap();
        changed_at(place.path(), long_ago);
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
