//! Task ids from the command line, or from standard input a line each.

use crate::failure::Failure;
use std::io::{self, BufRead, BufReader, Read};
use wh_domain::id::TaskId;

/// Ids that share a commit at most.
const MOST_AT_ONCE: usize = 500;
/// No id is as long; the rest of such a line is skipped.
const LONGEST_LINE: u64 = 4_096;

/// Ids in batches: what is there goes together.
pub(crate) enum Ids<R> {
    /// From the command line.
    Given(std::vec::IntoIter<TaskId>),
    /// From a stream.
    Lines(BufReader<R>),
}

/// What was asked for: a text, and the id it is, if it can be one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) text: String,
    pub(crate) id: Option<TaskId>,
}

impl Ids<io::Stdin> {
    /// The ids that were given; a single `-` stands for the lines of standard input.
    pub(crate) fn of(given: &[String]) -> Result<Self, Failure> {
        if given.iter().any(|text| text == "-") {
            return match given {
                [_] => Ok(Self::Lines(BufReader::new(io::stdin()))),
                _ => Err(Failure::usage("`-` stands for standard input and goes with no other id")),
            };
        }
        let ids = given
            .iter()
            .map(|text| TaskId::new(text).map_err(|error| Failure::usage(format!("the task id {error}"))));
        Ok(Self::Given(ids.collect::<Result<Vec<_>, _>>()?.into_iter()))
    }
}

impl<R: Read> Ids<R> {
    /// The next ones; empty at the end.
    pub(crate) fn next_batch(&mut self) -> io::Result<Vec<Asked>> {
        match self {
            Self::Given(ids) => {
                let batch = ids.by_ref().take(MOST_AT_ONCE);
                Ok(batch.map(|id| Asked { text: id.to_string(), id: Some(id) }).collect())
            }
            Self::Lines(lines) => {
                let mut batch = Vec::new();
                while let Some(text) = next_line(lines)? {
                    if !text.is_empty() {
                        batch.push(Asked { id: TaskId::new(&text).ok(), text });
                    }
                    // Whoever writes one and waits for its answer gets it at once.
                    let is_all_there_is = !batch.is_empty() && !lines.buffer().contains(&b'\n');
                    if is_all_there_is || batch.len() == MOST_AT_ONCE {
                        break;
                    }
                }
                Ok(batch)
            }
        }
    }
}

/// The ids of a batch, for the store.
pub(crate) fn known(batch: &[Asked]) -> Vec<TaskId> {
    batch.iter().filter_map(|asked| asked.id.clone()).collect()
}

/// What was asked with what the store answered to [`known`]; `unknown` for what can be no id.
pub(crate) fn answered<A: Clone>(batch: Vec<Asked>, answers: Vec<A>, unknown: A) -> Vec<(Asked, A)> {
    let mut answers = answers.into_iter();
    let with_answer = |asked: Asked| {
        let answer = asked.id.as_ref().and_then(|_| answers.next());
        (asked, answer.unwrap_or_else(|| unknown.clone()))
    };
    batch.into_iter().map(with_answer).collect()
}

/// One line without its end; `None` at the end of the stream.
fn next_line(lines: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && bytes.len() as u64 == LONGEST_LINE {
        lines.skip_until(b'\n')?;
    }
    let line = String::from_utf8_lossy(&bytes);
    Ok(Some(line.trim_end_matches(['\n', '\r']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut ids = Ids::Lines(BufReader::new(bytes));
        let mut batches = Vec::new();
        loop {
            let batch = ids.next_batch().unwrap();
            if batch.is_empty() {
                return batches;
            }
            batches.push(batch.into_iter().map(|asked| asked.text).collect());
        }
    }

    #[test]
    fn lines_are_ids_whatever_ends_them_and_blank_ones_are_none() {
        assert_eq!(batches(b"a\r\n\nb c\nd"), [vec!["a", "b c"], vec!["d"]]);
        assert!(batches(b"\n\n").is_empty());
    }

    #[test]
    fn a_batch_is_bounded_and_a_line_that_is_too_long_spoils_no_other() {
        let many = (0..1_200).map(|n| format!("{n}\n")).collect::<Vec<_>>().concat();
        let sizes: Vec<usize> = batches(many.as_bytes()).iter().map(Vec::len).collect();
        assert!(sizes.iter().all(|size| *size <= MOST_AT_ONCE), "{sizes:?}");
        assert_eq!(sizes.iter().sum::<usize>(), 1_200);
        let long = format!("{}\nb\n", "x".repeat(10_000));
        let mut ids = Ids::Lines(BufReader::new(long.as_bytes()));
        let asked: Vec<Asked> =
            std::iter::from_fn(|| Some(ids.next_batch().unwrap()).filter(|b| !b.is_empty()))
                .flatten()
                .collect();
        assert_eq!(asked.iter().map(|asked| asked.id.is_some()).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn standard_input_goes_with_no_other_id_and_a_wrong_id_is_a_wrong_command_line() {
        for given in [&["-", "a"][..], &["a", ""]] {
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            assert!(Ids::of(&given).is_err_and(|failure| failure.exit.code() == 2));
        }
    }
}
