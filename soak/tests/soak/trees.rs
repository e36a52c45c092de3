//! Whoever is killed, nothing of a worker that does not want to end is left.

use crate::rooms::{PROGRAM, Rooms};
use soak::trees::kill_trees;
use std::path::Path;

#[test]
fn a_tree_that_takes_no_sigterm_is_gone_whoever_is_killed_while_other_streams_go_on() {
    let rooms = Rooms::new();
    for done in kill_trees(2, rooms.books(), &rooms.data(), Path::new(PROGRAM), None).unwrap() {
        let who = done.victim.words();
        assert_eq!((done.survivors, done.wrong), (0, Vec::<String>::new()), "{who}: {:?}", done.took);
        assert!(done.others > 0, "{who}: the other streams stood still");
    }
}
