//! What a task of the soak is: its kind decides what its worker does and how it must end.

use std::fmt;

/// A kind of task. The last part of a task's type, and of its id, says which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Works and succeeds.
    Plain,
    /// Tells of its progress, logs, and leaves a checkpoint.
    Talk,
    /// Has a result that is too large for the store's row.
    Large,
    /// Brings a file, and succeeds only where the file has come through as it was.
    File,
    /// Fails at its first counted attempt.
    Flaky,
    /// Fails for good.
    Bad,
    /// Brings forth one other task.
    Parent,
    /// The other task.
    Child,
    /// Runs beyond its soft limit.
    Slow,
    /// Its worker's program is taken away now and then.
    Fickle,
    /// No worker takes it until the very end.
    Strange,
    /// Is cancelled, at any moment of its life or after it.
    Doomed,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Plain,
        Self::Talk,
        Self::Large,
        Self::File,
        Self::Flaky,
        Self::Bad,
        Self::Parent,
        Self::Child,
        Self::Slow,
        Self::Fickle,
        Self::Strange,
        Self::Doomed,
    ];

    /// The kind of the task with that number: of a thousand tasks, so many are of each.
    pub fn of(number: u64) -> Self {
        // Any mixing will do that is the same in every run.
        match number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 & 1_023 {
            0..100 => Self::Talk,
            100..104 => Self::Large,
            104..150 => Self::File,
            150..200 => Self::Flaky,
            200..230 => Self::Bad,
            230..270 => Self::Parent,
            270..300 => Self::Slow,
            300..310 => Self::Fickle,
            310..316 => Self::Strange,
            316..336 => Self::Doomed,
            _ => Self::Plain,
        }
    }

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Talk => "talk",
            Self::Large => "large",
            Self::File => "file",
            Self::Flaky => "flaky",
            Self::Bad => "bad",
            Self::Parent => "parent",
            Self::Child => "child",
            Self::Slow => "slow",
            Self::Fickle => "fickle",
            Self::Strange => "strange",
            Self::Doomed => "doomed",
        }
    }

    /// The kind that a type or an id ends with.
    pub fn at_the_end_of(text: &str) -> Option<Self> {
        let word = text.rsplit(['.', '-']).next()?;
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether a task of this kind may end like this: the stage in the database, and why it was given up, if it was.
    pub fn may_end(self, stage: i64, poison: Option<&str>) -> bool {
        match self {
            Self::Bad => (stage, poison) == (4, Some("not_retriable")),
            Self::Doomed => poison.is_none() && (stage == 3 || stage == 5),
            _ => (stage, poison) == (3, None),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The id of the task with that number.
pub fn id_of(number: u64) -> String {
    format!("{number:06}-{}", Kind::of(number))
}

/// The task with that number as a line for `enqueue --file`: the same number is always the same line.
pub fn line_of(number: u64, files: &std::path::Path) -> String {
    let kind = Kind::of(number);
    let inputs = match kind {
        Kind::File => format!(r#","inputs":["content={}"]"#, file_of(number, files).display()),
        _ => String::new(),
    };
    let id = id_of(number);
    format!(r#"{{"id":"{id}","type":"soak.{kind}","params":{{"ms":{}}}{inputs}}}"#, millis_of(number))
}

/// The file that the task with that number brings.
pub fn file_of(number: u64, files: &std::path::Path) -> std::path::PathBuf {
    files.join(number.to_string())
}

/// What the file of a task holds.
pub fn content_of(id: &str) -> String {
    format!("{id}\n").repeat(200)
}

/// Between 20 and 100 ms, most of them short.
fn millis_of(number: u64) -> u64 {
    let share = number.wrapping_mul(0xD1B5_4A32_D192_ED03) >> 54;
    let least = if matches!(Kind::of(number), Kind::Slow | Kind::Doomed) { 60 } else { 20 };
    least + (100 - least) * share * share * share / (1_024 * 1_024 * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_run_between_20_and_100_ms_and_of_every_kind_there_are_some() {
        let mut seen = std::collections::BTreeSet::from([Kind::Child]);
        for number in 0..5_000 {
            assert!((20..=100).contains(&millis_of(number)), "{number}");
            seen.insert(Kind::of(number));
            assert_eq!(Kind::at_the_end_of(&id_of(number)), Some(Kind::of(number)));
        }
        assert_eq!(seen.len(), Kind::ALL.len(), "{seen:?}");
    }
}
