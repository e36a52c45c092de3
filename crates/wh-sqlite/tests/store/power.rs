//! Power cuts: a file system that from one moment on keeps nothing more, as a machine without power does.
//!
//! It is an ext4 of its own in a file. Cutting goes: stop the process, wait until it stands still, shut the file
//! system down without writing its journal, kill the process, mount again, look. Without the stop, a write that was
//! under way could be answered after the cut, which no dead machine ever does. Where the machine allows no such file
//! system, the test says so and proves nothing.

use crate::flaky::skip;
use crate::kit::{enqueue_one, id, json, run, task};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use wh_domain::task::NewTask;
use wh_ports::reader::Reader;
use wh_ports::upkeep::Upkeep;
use wh_sqlite::{Mode, Options, SqliteStore};

const DIR: &str = "WH_SQLITE_TEST_POWER";

/// `EXT4_IOC_SHUTDOWN` with the flag that says to leave the journal unwritten.
const CUT: &str = "import fcntl, os, struct, sys; \
                   fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";

fn options(mount: &Path) -> Options {
    Options { mode: Mode::Migrate, inline_params: 64, ..Options::new(mount.join("data")) }
}

/// Whether a program did what it was asked to.
fn does(program: &str, arguments: &[&str]) -> bool {
    let quiet = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet(Command::new(program).args(arguments)).is_ok_and(|status| status.success())
}

/// Whether it is done within a hundred tries.
fn in_time(done: impl Fn() -> bool) -> bool {
    (0..100).any(|_| {
        let is_done = done();
        if !is_done {
            std::thread::sleep(Duration::from_millis(100));
        }
        is_done
    })
}

/// A file system in a file. Unmounted with the test, whatever becomes of it.
struct Disk {
    _dir: tempfile::TempDir,
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    fn make() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let (image, mount) = (dir.path().join("image"), dir.path().join("mount"));
        std::fs::File::create(&image).unwrap().set_len(48 << 20).unwrap();
        std::fs::create_dir(&mount).unwrap();
        let disk = Self { _dir: dir, image, mount };
        let is_made = does("mkfs.ext4", &["-q", "-F", disk.image.to_str().unwrap()])
            && rustix::process::geteuid().is_root()
            && disk.mount();
        is_made.then_some(disk)
    }

    /// Another test may take the loop device that was just found free, or have a copy of all mounts, with which the
    /// file system that was cut off lives on; so it is tried again.
    fn mount(&self) -> bool {
        let arguments = ["-o", "loop", self.image.to_str().unwrap(), self.mount.to_str().unwrap()];
        in_time(|| {
            let is_back = does("mount", &arguments) && self.takes_files();
            if !is_back {
                does("umount", &[self.mount.to_str().unwrap()]);
            }
            is_back
        })
    }

    fn takes_files(&self) -> bool {
        let probe = self.mount.join("probe");
        std::fs::write(&probe, "").is_ok() && std::fs::remove_file(&probe).is_ok()
    }

    /// Whoever looks through all mounts keeps this one busy for a moment, so it is tried again.
    fn unmount(&self) -> bool {
        in_time(|| does("umount", &[self.mount.to_str().unwrap()]))
    }

    fn cut(&self) -> bool {
        does("python3", &["-c", CUT, self.mount.to_str().unwrap()])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Mostly it is mounted; where it is not, there is nothing to do.
        does("umount", &["-l", self.mount.to_str().unwrap()]);
    }
}

/// Enqueues without end, in the process that loses its disk; its answers leave it by a pipe.
#[test]
#[ignore = "runs as the process whose power is cut"]
fn enqueues_until_the_power_goes() {
    let Some(mount) = std::env::var_os(DIR) else { return };
    let from = std::env::var("WH_SQLITE_TEST_ROUND").unwrap();
    let store = SqliteStore::open(options(Path::new(&mount))).unwrap();
    run(async {
        for no in 0_usize.. {
            let name = format!("{from}-{no}");
            let params = json(&format!("\"{}\"", "x".repeat(no % 3 * 50)));
            enqueue_one(&store, NewTask { params, ..task(&name) }).await;
            std::io::stdout().write_all(format!("\nack {name}\n").as_bytes()).unwrap();
        }
    });
}

/// What the process acknowledges until it has done so `most` times; then its power is cut.
fn acknowledged_before_the_cut(disk: &Disk, child: &mut Child, most: usize) -> Vec<String> {
    let pid = Pid::from_child(child);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut acks = Vec::new();
    while acks.len() < most {
        let line = lines.next().unwrap();
        acks.extend(line.strip_prefix("ack ").map(str::to_owned));
    }
    kill_process(pid, Signal::STOP).unwrap();
    waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT).unwrap();
    assert!(disk.cut());
    child.kill().unwrap();
    acks.extend(lines.filter_map(|line| line.strip_prefix("ack ").map(str::to_owned)));
    child.wait().unwrap();
    acks
}

#[test]
fn after_a_power_cut_everything_that_was_acknowledged_is_there() {
    let Some(disk) = Disk::make() else {
        return skip("this machine makes no ext4 in a file, which takes root, mkfs.ext4 and loop devices");
    };
    // A file system that writes its journal when it is unmounted would pass without any fsync.
    std::fs::write(disk.mount.join("unsynced"), "x").unwrap();
    if !disk.cut() {
        return skip("this machine cannot cut a file system off, which takes ext4 and python3");
    }
    assert!(disk.unmount() && disk.mount());
    assert!(!disk.mount.join("unsynced").exists(), "what was never confirmed is gone");
    let cuts = if std::env::var_os("WH_SLOW_TESTS").is_some() { 200 } else { 12 };
    let mut all = Vec::new();
    for cut in 0..cuts {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "power::enqueues_until_the_power_goes", "--ignored", "--nocapture"])
            .env(DIR, &disk.mount)
            .env("WH_SQLITE_TEST_ROUND", cut.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The first cuts come while the store is being made.
        all.extend(acknowledged_before_the_cut(&disk, &mut child, cut * 3 % 40));
        assert!(disk.unmount() && disk.mount());
        run(async {
            let store = SqliteStore::open(options(&disk.mount)).unwrap();
            let found = store.tasks(all.iter().map(|name| id(name)).collect()).await.unwrap();
            let lost: Vec<_> = all.iter().zip(&found).filter(|(_, task)| task.is_none()).collect();
            assert!(lost.is_empty(), "cut {cut}: {lost:?}");
            assert_eq!(store.check().await.unwrap(), Vec::<String>::new(), "cut {cut}");
        });
    }
    assert!(all.len() > cuts, "{} were acknowledged", all.len());
}
