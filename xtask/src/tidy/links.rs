//! A link from one page to another leads to a file that is there.

use crate::tree::{File, Tree};
use std::collections::BTreeSet;
use std::path::Path;

/// A problem for each link in a Markdown page that leads to no file or folder of the repository.
pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let there: BTreeSet<&str> = tree
        .files
        .iter()
        .map(|file| &file.path)
        .chain(&tree.others)
        .flat_map(|path| Path::new(path).ancestors())
        .filter_map(Path::to_str)
        .collect();
    let is_page = |file: &&File| Path::new(&file.path).extension().is_some_and(|it| it == "md");
    tree.files.iter().filter(is_page).flat_map(|page| broken(page, &there)).collect()
}

fn broken(page: &File, there: &BTreeSet<&str>) -> Vec<String> {
    let mut in_code = false;
    let mut problems = Vec::new();
    for (at, line) in page.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for link in links(line) {
            if !resolve(&page.path, link).is_some_and(|path| there.contains(&*path)) {
                problems.push(format!("{}:{}: the link to {link} leads nowhere", page.path, at + 1));
            }
        }
    }
    problems
}

/// The targets of `[words](target)` that lie in the repository, without what follows `#`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', '#', ' ']).next()?;
        let leads_out = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
        (!leads_out).then_some(target)
    })
}

/// The path that `link` means on the page at `page`; `None` where it leaves the repository.
fn resolve(page: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_link_to_what_is_not_there_is_a_problem() {
        for (line, broken) in [
            ("see [x](b.md), [y](b.md#part) and [z](../README.md)", 0),
            ("[folder](../docs/) and [other](https://example.org/a.md) and [here](#part)", 0),
            ("[x](c.md)", 1),
            ("[x](../../outside.md)", 1),
            ("![picture](b.png) ![picture](c.png) [x](c.md)", 2),
            ("```\n[x](c.md)\n```", 0),
        ] {
            let mut tree = Tree::from([("README.md", ""), ("docs/a.md", line), ("docs/b.md", "")]);
            tree.others = vec!["docs/b.png".to_owned()];
            assert_eq!(problems(&tree).len(), broken, "{line}");
        }
    }
}
