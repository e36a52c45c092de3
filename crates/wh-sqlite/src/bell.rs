//! The doorbell: a datagram socket per listener of another process, and a plain notice within this one.

use crate::place::private_dir;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram as StdDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
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
}

impl Ringer {
    pub(crate) fn new(dir: PathBuf) -> Self {
        let handle = LISTENERS.fetch_add(1, Ordering::Relaxed);
        Self { dir, own: format!("{}-{handle}-", std::process::id()), listeners: Mutex::default() }
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
        let (dir, mut sender) = (File::open(&self.dir)?, None);
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with(&self.own)) else { continue };
            let sender = match &sender {
                Some(sender) => sender,
                None => sender.insert(unbound()?),
            };
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
