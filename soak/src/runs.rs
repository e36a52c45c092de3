//! What workers say of themselves, read as it comes.

use crate::Tried;
use crate::arena::{Arena, witness};
use crate::kind::Kind;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;

/// What workers say of themselves.
#[derive(Debug)]
pub struct Runs {
    file: BufReader<File>,
    line: String,
    /// Tasks whose worker has begun and not ended, as far as it could tell.
    pub open: BTreeSet<String>,
    /// Tasks that have begun since this was last cleared.
    pub again: BTreeSet<String>,
    /// How often any has begun.
    pub begun: usize,
    /// How often the worker of a task of the producer's has ended.
    ends: HashMap<String, u32>,
    /// Tasks of the producer's that will not run again.
    pub over: u64,
}

impl Runs {
    /// Begins to read, before anybody writes.
    pub fn new(arena: &Arena) -> Tried<Self> {
        let path = witness(&arena.ground());
        File::create(&path)?;
        if let Some(user) = arena.user {
            chown(&path, Some(user), Some(user))?;
        }
        Ok(Self {
            file: BufReader::new(File::open(path)?),
            line: String::new(),
            open: BTreeSet::new(),
            again: BTreeSet::new(),
            begun: 0,
            ends: HashMap::new(),
            over: 0,
        })
    }

    /// Reads what is new.
    pub fn look(&mut self) -> Tried<()> {
        while self.file.read_line(&mut self.line)? > 0 {
            // A line that is not whole yet is read on the next time.
            if !self.line.ends_with('\n') {
                break;
            }
            let line = std::mem::take(&mut self.line);
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["end", id, ..] => self.end(id),
                [_, id, ..] => {
                    self.begun += 1;
                    self.open.insert((*id).to_owned());
                    self.again.insert((*id).to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An end that is not accepted any more is taken for one that is: for keeping the queue short that is good enough.
    fn end(&mut self, id: &str) {
        self.open.remove(id);
        let Some(kind) = Kind::at_the_end_of(id) else { return };
        let ends = self.ends.entry(id.to_owned()).or_default();
        *ends += 1;
        self.over += u64::from(*ends == if kind == Kind::Flaky { 2 } else { 1 });
    }
}
