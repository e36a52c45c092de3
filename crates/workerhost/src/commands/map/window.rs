//! The inputs between being handed to the store and being out: how many there may be, and whose turn it is.

use super::ended::Ended;
use super::input::Identity;
use std::collections::{BTreeMap, VecDeque};
use wh_domain::id::Seq;

/// As many inputs may be under way before no more is read, but for the last batch.
const READ_AHEAD: usize = 1_000;
/// As many with `--keep-order`, where one slow input holds back those after it.
const READ_AHEAD_IN_ORDER: usize = 10_000;
/// As many bytes of results wait in memory for their turn; more are read from the store when it comes.
const MOST_BYTES: usize = 4 << 20;

/// An input and its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) identity: Identity,
    pub(super) seq: Seq,
}

/// How an input ended, or where to look it up.
#[derive(Debug)]
pub(super) enum How {
    /// Here it is.
    Told(Box<Ended>),
    /// The store knows.
    InStore,
}

#[derive(Debug)]
enum Standing {
    Open,
    Ended(How),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Window {
    keep_order: bool,
    waiting: BTreeMap<u64, (Known, Standing)>,
    ready: VecDeque<(Known, How)>,
    open: usize,
    /// Taken out but not known to be printed.
    under_way: usize,
    bytes: usize,
}

impl Window {
    pub(super) fn new(keep_order: bool) -> Self {
        Self { keep_order, waiting: BTreeMap::new(), ready: VecDeque::new(), open: 0, under_way: 0, bytes: 0 }
    }

    /// Whether no more may be read for now.
    pub(super) fn is_full(&self) -> bool {
        let bound = if self.keep_order { READ_AHEAD_IN_ORDER } else { READ_AHEAD };
        self.open >= READ_AHEAD || self.waiting.len() + self.ready.len() + self.under_way >= bound
    }

    /// Whether everything that was put in is out.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ready.is_empty() && self.under_way == 0
    }

    /// An input whose task has not ended yet.
    pub(super) fn open(&mut self, known: Known) {
        self.waiting.insert(known.identity.index, (known, Standing::Open));
        self.open += 1;
    }

    /// An input whose task ended before this run, and whose result is not out.
    pub(super) fn ended_before(&mut self, known: Known) {
        if self.keep_order {
            self.waiting.insert(known.identity.index, (known, Standing::Ended(How::InStore)));
        } else {
            self.ready.push_back((known, How::InStore));
        }
    }

    /// The task of an index, while it is open.
    pub(super) fn find(&self, index: u64) -> Option<Known> {
        match self.waiting.get(&index)? {
            (known, Standing::Open) => Some(*known),
            (_, Standing::Ended(_)) => None,
        }
    }

    /// All that are open.
    pub(super) fn all_open(&self) -> Vec<Known> {
        let open = self.waiting.values().filter(|(_, standing)| matches!(standing, Standing::Open));
        open.map(|(known, _)| *known).collect()
    }

    /// An open input has ended. It may be told more than once: the first time counts.
    pub(super) fn ended(&mut self, index: u64, how: How) {
        let Some(known) = self.find(index) else { return };
        self.waiting.remove(&index);
        self.open -= 1;
        let how = self.bounded(how);
        if self.keep_order {
            self.waiting.insert(index, (known, Standing::Ended(how)));
        } else {
            self.ready.push_back((known, how));
        }
    }

    /// The next one to be printed, if its turn has come.
    pub(super) fn take(&mut self) -> Option<(Known, How)> {
        let (known, how) = if self.keep_order {
            let first = self.waiting.first_entry()?;
            if matches!(first.get(), (_, Standing::Open)) {
                return None;
            }
            match first.remove() {
                (known, Standing::Ended(how)) => (known, how),
                (_, Standing::Open) => return None,
            }
        } else {
            self.ready.pop_front()?
        };
        if let How::Told(ended) = &how {
            self.bytes -= ended.bytes();
        }
        self.under_way += 1;
        Some((known, how))
    }

    /// Whether there is one whose turn has come.
    pub(super) fn has_next(&self) -> bool {
        let first = self.waiting.first_key_value();
        let in_order = self.keep_order && first.is_some_and(|(_, (_, s))| matches!(s, Standing::Ended(_)));
        in_order || !self.ready.is_empty()
    }

    /// One that was taken is out.
    pub(super) fn is_out(&mut self) {
        self.under_way -= 1;
    }

    fn bounded(&mut self, how: How) -> How {
        match how {
            How::Told(ended) if self.bytes + ended.bytes() <= MOST_BYTES => {
                self.bytes += ended.bytes();
                How::Told(ended)
            }
            How::Told(_) | How::InStore => How::InStore,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::map::input::Digest;
    use wh_domain::task::{Payload, StateName};
    use wh_ports::blobs::Stored;

    fn known(index: u64) -> Known {
        let seq = Seq(i64::try_from(index).unwrap());
        Known { identity: Identity { index, digest: Digest::of(b"") }, seq }
    }

    fn told(bytes: usize) -> How {
        let result = Stored::Inline(Payload::Bytes(vec![0; bytes].into()));
        How::Told(Box::new(Ended {
            state: StateName::Completed,
            outcome: None,
            exit: None,
            attempt: 1,
            sentence: "".into(),
            result: Some((result, false)),
        }))
    }

    fn taken(window: &mut Window) -> Vec<u64> {
        std::iter::from_fn(|| window.take()).map(|(known, _)| known.identity.index).collect()
    }

    #[test]
    fn results_come_as_they_end_or_in_the_order_of_the_lines() {
        for (keep_order, first, then) in [(false, vec![3, 1], vec![2]), (true, vec![1], vec![2, 3])] {
            let mut window = Window::new(keep_order);
            (1..=3).for_each(|index| window.open(known(index)));
            assert!(!window.has_next());
            window.ended(3, told(1));
            window.ended(3, How::InStore);
            assert_eq!(window.has_next(), !keep_order);
            window.ended(1, told(1));
            assert_eq!(taken(&mut window), first);
            assert!(!window.has_next());
            window.ended(2, told(1));
            assert_eq!(taken(&mut window), then);
            (0..3).for_each(|_| window.is_out());
            assert!(window.is_empty());
        }
    }

    #[test]
    fn no_more_is_read_ahead_than_the_bound_allows() {
        let mut window = Window::new(false);
        for index in 1..=READ_AHEAD as u64 {
            assert!(!window.is_full(), "at {index}");
            window.open(known(index));
        }
        assert!(window.is_full());
        window.ended(1, told(0));
        assert!(window.is_full(), "what nobody has read yet counts");
        window.take().unwrap();
        assert!(window.is_full(), "what is being written counts");
        window.is_out();
        assert!(!window.is_full());
    }

    #[test]
    fn one_slow_input_holds_back_only_so_many_others() {
        let mut window = Window::new(true);
        window.open(known(1));
        for index in 2..=READ_AHEAD_IN_ORDER as u64 {
            assert!(!window.is_full(), "at {index}");
            window.open(known(index));
            window.ended(index, told(1));
        }
        assert!(window.is_full());
        assert!(taken(&mut window).is_empty());
    }

    #[test]
    fn results_beyond_the_bound_wait_in_the_store() {
        let mut window = Window::new(true);
        (1..=6).for_each(|index| window.open(known(index)));
        (1..=6).for_each(|index| window.ended(index, told(MOST_BYTES / 4)));
        let in_store: Vec<bool> =
            std::iter::from_fn(|| window.take()).map(|(_, how)| matches!(how, How::InStore)).collect();
        assert_eq!(in_store, [false, false, false, false, true, true]);
        assert_eq!(window.bytes, 0);
    }
}
