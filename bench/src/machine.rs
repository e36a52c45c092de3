//! What the numbers come from: the machine, its kernel, its disk and the day.

use crate::clock;
use crate::trouble::Trouble;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Machine, kernel, file system, day, and the version that was measured.
#[derive(Debug)]
pub(crate) struct Machine(Vec<(&'static str, String)>);

impl Machine {
    /// As it is, with files under `dir` and this program.
    pub(crate) fn look(dir: &Path, program: &Path) -> Result<Self, Trouble> {
        let uname = rustix::system::uname();
        let cores = std::thread::available_parallelism()?;
        let day = Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]).output()?;
        let version = Command::new(program).arg("--version").output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
        Ok(Self(vec![
            ("date", text(day.stdout)),
            ("program", format!("{}, built from {}", text(version.stdout), commit())),
            ("processor", format!("{}, {cores} cores", processor())),
            ("kernel", uname.release().to_string_lossy().into_owned()),
            ("file system", file_system(&fs::canonicalize(dir)?)),
            ("running since", format!("{} h", clock::now().as_secs() / 3_600)),
        ]))
    }
}

/// As a list.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            writeln!(f, "- {name}: {value}")?;
        }
        Ok(())
    }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned())
}

fn commit() -> String {
    let asked = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    match asked {
        Ok(said) if said.status.success() => String::from_utf8_lossy(&said.stdout).trim().to_owned(),
        _ => "no repository".to_owned(),
    }
}

/// Type and device of what is mounted nearest above a path.
fn file_system(path: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let nearest = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.next()?, words.next()?))
        })
        .filter(|(_, point, _)| path.starts_with(point))
        .max_by_key(|(_, point, _)| point.len());
    nearest.map_or_else(
        || "unknown".to_owned(),
        |(device, point, kind)| format!("{kind} on {device} at {point}"),
    )
}
