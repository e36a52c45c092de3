//! A real file system of its own, in a file, that can lose its power.

use crate::process::wait_until;
use crate::{Tried, Trouble};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How large it is; nearly all of it is a hole.
const SIZE: u64 = 1 << 30;
/// So long processes may take to stop, and a file system to be let go.
const PATIENCE: Duration = Duration::from_secs(20);

/// An ext4 file system in a file.
#[derive(Debug)]
pub struct Disk {
    image: PathBuf,
    /// Where it is mounted.
    pub mount: PathBuf,
    is_mounted: bool,
}

impl Disk {
    /// Makes one below `dir` and mounts it. The inner error says why that cannot be had here.
    pub fn new(dir: &Path) -> Tried<Result<Self, String>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Err("only root may mount a file system".to_owned()));
        }
        let mut disk = Self { image: dir.join("disk.img"), mount: dir.join("disk"), is_mounted: false };
        File::create(&disk.image)?.set_len(SIZE)?;
        fs::create_dir(&disk.mount)?;
        let image = disk.image.clone();
        if let Err(why) = run(Command::new("mkfs.ext4").arg("-q").arg(&image)) {
            return Ok(Err(format!("mkfs.ext4: {why}")));
        }
        Ok(match disk.mount() {
            Ok(()) => Ok(disk),
            Err(why) => Err(format!("mount: {why}")),
        })
    }

    fn mount(&mut self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop"]).args([&self.image, &self.mount]))?;
        self.is_mounted = true;
        Ok(())
    }

    /// Cuts the power while `pids` are at work: nothing that is not on the disk by then will ever be. They are
    /// stopped first, because a process whose `fsync` is under way would hear of its success from a dead disk, and
    /// could tell it, which no process of a dead machine can. Afterwards they are killed.
    pub fn cut(&self, pids: &[Pid]) -> Tried<()> {
        for pid in pids {
            kill_process(*pid, Signal::STOP)?;
        }
        let stopped = wait_until(PATIENCE, || {
            let all = pids.iter().map(|pid| is_stopped(*pid)).collect::<Tried<Vec<bool>>>()?;
            Ok(all.into_iter().all(|it| it))
        })?;
        stopped.ok_or("a process does not stop")?;
        self.shut_down()?;
        for pid in pids {
            kill_process(*pid, Signal::KILL)?;
        }
        Ok(())
    }

    /// Forgets everything that is only in memory: neither data nor journal is written any more.
    fn shut_down(&self) -> Tried<()> {
        const EXT4_IOC_SHUTDOWN: rustix::ioctl::Opcode = 0x8004_587d;
        const WITHOUT_LOG_FLUSH: u32 = 2;
        let root = File::open(&self.mount)?;
        // SAFETY: this call of ext4 reads one u32 behind its argument.
        #[expect(unsafe_code, reason = "no library has this call")]
        let how = unsafe { rustix::ioctl::Setter::<EXT4_IOC_SHUTDOWN, u32>::new(WITHOUT_LOG_FLUSH) };
        // SAFETY: the argument is what the call reads; a file system that does not know the call refuses it.
        #[expect(unsafe_code, reason = "no library has this call")]
        let done = unsafe { rustix::ioctl::ioctl(&root, how) };
        Ok(done?)
    }

    /// The machine starts again. Whoever has a copy of all mounts keeps the file system alive that was cut off, so it is
    /// mounted again until it is another one.
    pub fn restart(&mut self) -> Tried<()> {
        let back = wait_until(PATIENCE, || {
            self.unmount()?;
            self.mount()?;
            Ok(self.takes_files())
        })?;
        back.ok_or("the file system stays cut off")?;
        Ok(())
    }

    fn takes_files(&self) -> bool {
        let probe = self.mount.join("probe");
        fs::write(&probe, "").is_ok() && fs::remove_file(&probe).is_ok()
    }

    fn unmount(&mut self) -> Tried<()> {
        let mut why = String::new();
        let gone = wait_until(PATIENCE, || {
            let done = run(Command::new("umount").arg(&self.mount));
            why = done.as_ref().err().cloned().unwrap_or_default();
            Ok(done.is_ok())
        })?;
        gone.ok_or_else(|| Trouble::from(format!("umount: {why}")))?;
        self.is_mounted = false;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            run(Command::new("umount").arg("-l").arg(&self.mount)).ok();
        }
    }
}

/// Runs a command that says nothing when all goes well.
fn run(command: &mut Command) -> Result<(), String> {
    let done = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()) }
}

/// Whether every thread of it is stopped; one that waits for the disk is not yet.
fn is_stopped(pid: Pid) -> Tried<bool> {
    for thread in fs::read_dir(format!("/proc/{}/task", pid.as_raw_pid()))? {
        let stat = fs::read_to_string(thread?.path().join("stat"))?;
        if !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T')) {
            return Ok(false);
        }
    }
    Ok(true)
}
