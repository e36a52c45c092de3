//! No module reaches itself through others: modules of a crate form a tree of uses, as crates do.
//!
//! The compiler refuses rings of crates and accepts rings of modules. A ring means that none of its modules can
//! be read, tested or moved alone.

use crate::check::Report;
use crate::tree::Tree;
use crate::uses::{Module, Use, within};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

const MEND: &str = "move what both need into a module below them, or hand it over as an argument";

/// Fails on a ring among the modules of any crate. Neighbours are compared: modules of the same parent, and the
/// root itself among the topmost. A module and its own children may know each other.
pub(crate) fn check(root: &Path) -> Report {
    match Tree::read(root) {
        Ok(tree) => of_tree(&tree),
        Err(error) => Report::failed(error.to_string(), "make the repository readable"),
    }
}

fn of_tree(tree: &Tree) -> Report {
    let folders: BTreeSet<&str> =
        tree.rust().filter_map(|file| file.path.split_once("/src/").map(|(folder, _)| folder)).collect();
    let mut problems = Vec::new();
    for folder in &folders {
        match within(tree, folder) {
            Ok(uses) => problems.extend(rings(&uses).into_iter().map(|ring| format!("{folder}: {ring}"))),
            Err(problem) => problems.push(problem),
        }
    }
    Report::of(&problems, format!("{} crates", folders.len()), MEND)
}

/// A sentence for each ring, shortest first; one that shares an arrow with a ring already told is left out, since
/// mending that one may mend both.
fn rings(uses: &[Use]) -> Vec<String> {
    let arrows = arrows(uses);
    let mut found: Vec<Vec<&Module>> =
        arrows.keys().filter_map(|start| ring_through(start, &arrows)).collect();
    found.sort_by_key(Vec::len);
    let mut told: BTreeSet<(&Module, &Module)> = BTreeSet::new();
    let mut sentences = Vec::new();
    for ring in found {
        let steps = steps(&ring);
        if !steps.iter().any(|step| told.contains(step)) {
            sentences.push(tell(&steps, &arrows));
        }
        told.extend(steps);
    }
    sentences
}

/// From each module of a ring to the next, and from the last to the first.
fn steps<'a>(ring: &[&'a Module]) -> Vec<(&'a Module, &'a Module)> {
    let next = ring.iter().copied().cycle().skip(1);
    ring.iter().copied().zip(next).collect()
}

/// For each module the neighbours it names, itself or through its children, and where.
type Arrows = BTreeMap<Module, BTreeMap<Module, String>>;

fn arrows(uses: &[Use]) -> Arrows {
    let mut arrows = Arrows::new();
    for Use { from, to, place } in uses {
        let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        let neighbour = |module: &Module| module.get(..=shared).map(<[String]>::to_vec);
        let (a, b) = match (neighbour(from), neighbour(to)) {
            (Some(a), Some(b)) => (a, b),
            (Some(a), None) if to.is_empty() => (a, Module::new()),
            (None, Some(b)) if from.is_empty() => (Module::new(), b),
            // A module and one of its own children.
            _ => continue,
        };
        arrows.entry(a).or_default().entry(b).or_insert_with(|| place.clone());
    }
    arrows
}

/// The shortest way from `start` back to it.
fn ring_through<'a>(start: &'a Module, arrows: &'a Arrows) -> Option<Vec<&'a Module>> {
    let mut came_from: BTreeMap<&Module, &Module> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(at) = waiting.pop_front() {
        for next in arrows.get(at).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut way = vec![at];
                while let Some(before) = way.last().and_then(|last| came_from.get(last)) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, at);
                waiting.push_back(next);
            }
        }
    }
    None
}

fn tell(steps: &[(&Module, &Module)], arrows: &Arrows) -> String {
    let name = |module: &Module| if module.is_empty() { "the root".to_owned() } else { module.join("::") };
    let place = |from, to| arrows.get(from).and_then(|places| places.get(to)).map_or("", String::as_str);
    let words: Vec<String> = steps
        .iter()
        .map(|(from, to)| format!("{} → {} ({})", name(from), name(to), place(*from, *to)))
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod unit {
    use super::*;

    fn output(tree: &Tree) -> String {
        of_tree(tree).trouble.map(|trouble| trouble.output).unwrap_or_default()
    }

    #[test]
    fn modules_that_only_look_downwards_pass() {
        let tree = Tree::from([
            ("x/src/lib.rs", "mod a; mod b; mod c; pub use a::A;"),
            ("x/src/a.rs", "use crate::b; use crate::c;"),
            ("x/src/b.rs", "use crate::c;"),
            ("x/src/c.rs", ""),
        ]);
        assert_eq!(of_tree(&tree), Report::passed("1 crates"));
    }

    #[test]
    fn a_ring_of_two_is_named_with_both_places() {
        let tree = Tree::from([
            ("x/src/lib.rs", "mod a; mod b;"),
            ("x/src/a.rs", "use crate::b::B;"),
            ("x/src/b.rs", "\n\nfn f() { crate::a::g() }"),
        ]);
        assert_eq!(output(&tree), "x: a → b (x/src/a.rs:1), b → a (x/src/b.rs:3)");
    }

    #[test]
    fn a_ring_through_a_third_module_and_through_children_is_found_once() {
        let tree = Tree::from([
            ("x/src/lib.rs", "mod a; mod b; mod c;"),
            ("x/src/a/mod.rs", "mod deep;"),
            ("x/src/a/deep.rs", "use crate::b;"),
            ("x/src/b.rs", "use crate::c;"),
            ("x/src/c.rs", "use crate::a;"),
        ]);
        assert_eq!(output(&tree).lines().count(), 1, "{}", output(&tree));
        assert!(output(&tree).contains("a → b") && output(&tree).contains("c → a"));
    }

    #[test]
    fn of_rings_that_share_an_arrow_the_shortest_is_told() {
        let tree = Tree::from([
            ("x/src/lib.rs", "mod a; mod b; mod c;"),
            ("x/src/a.rs", "use crate::b; use crate::c;"),
            ("x/src/b.rs", "use crate::a;"),
            ("x/src/c.rs", "use crate::b;"),
        ]);
        assert_eq!(output(&tree), "x: a → b (x/src/a.rs:1), b → a (x/src/b.rs:1)");
    }

    #[test]
    fn children_of_one_parent_may_not_form_a_ring_either() {
        let tree = Tree::from([
            ("x/src/lib.rs", "mod a;"),
            ("x/src/a/mod.rs", "mod b; mod c; use b::B;"),
            ("x/src/a/b.rs", "use super::c;"),
            ("x/src/a/c.rs", "use super::b; use super::Shared;"),
        ]);
        assert_eq!(output(&tree), "x: a::b → a::c (x/src/a/b.rs:1), a::c → a::b (x/src/a/c.rs:1)");
    }

    #[test]
    fn what_stands_in_the_root_belongs_to_the_ring() {
        let tree = Tree::from([
            ("x/src/main.rs", "mod a; struct S; fn main() { a::run() }"),
            ("x/src/a.rs", "use crate::S;"),
        ]);
        assert!(output(&tree).contains("a → the root (x/src/a.rs:1)"), "{}", output(&tree));
    }
}
