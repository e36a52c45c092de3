//! Finds out which module of a crate names which other, however it spells the path.

use crate::source::{attributes, is_for_tests, parse};
use crate::tree::{File, Tree};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};

/// A module's path below its crate; empty for the root.
pub(crate) type Module = Vec<String>;

/// One module naming another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    pub(crate) from: Module,
    pub(crate) to: Module,
    /// `path:line` of the words.
    pub(crate) place: String,
}

/// A path as written, made absolute: `crate::a::b` is `["a", "b"]`.
type Written = (Vec<String>, usize);

/// All uses among the modules of the crate in `folder` (such as `crates/wh-host`). Items that only tests see
/// are left out: a test may look at anything.
///
/// # Errors
/// A sentence, where a file is no Rust.
pub(crate) fn within(tree: &Tree, folder: &str) -> Result<Vec<Use>, String> {
    let source = format!("{folder}/src/");
    let mut crate_ = Crate::default();
    for file in tree.rust() {
        let Some(path) = file.path.strip_prefix(&source) else { continue };
        // A program beside the library is a crate of its own, with its own root.
        if path.starts_with("bin/") {
            continue;
        }
        let module = module_of(path);
        crate_.read(&parse(file)?.items, &module, file);
    }
    Ok(crate_.resolve())
}

/// `a/b.rs` and `a/b/mod.rs` are `["a", "b"]`; `lib.rs` and `main.rs` are the root.
fn module_of(path: &str) -> Module {
    let mut parts: Module = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    let last = parts.last().map(String::as_str);
    if last == Some("mod") || (parts.len() == 1 && matches!(last, Some("lib" | "main"))) {
        parts.pop();
    }
    parts
}

#[derive(Default)]
struct Crate {
    modules: BTreeSet<Module>,
    written: Vec<(Module, Vec<String>, String)>,
    /// What a module lends its name to: `pub use` in `a` of `b::C` makes `a::C` mean `b::C`.
    lent: BTreeMap<Vec<String>, Vec<String>>,
}

impl Crate {
    fn read(&mut self, items: &[syn::Item], module: &Module, file: &File) {
        self.modules.insert(module.clone());
        let children: BTreeSet<String> = items
            .iter()
            .filter_map(|item| match item {
                syn::Item::Mod(it) => Some(it.ident.to_string()),
                _ => None,
            })
            .collect();
        for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
            if let syn::Item::Mod(inner) = item {
                let path = [module.as_slice(), &[inner.ident.to_string()]].concat();
                if let Some((_, items)) = &inner.content {
                    self.read(items, &path, file);
                }
                continue;
            }
            let paths = Paths { module, children: &children }.in_tokens(item.to_token_stream());
            if let syn::Item::Use(it) = item
                && !matches!(it.vis, syn::Visibility::Inherited)
            {
                self.lend(module, &paths);
            }
            for (path, line) in paths {
                self.written.push((module.clone(), path, format!("{}:{line}", file.path)));
            }
        }
    }

    fn lend(&mut self, module: &Module, paths: &[Written]) {
        for (path, _) in paths {
            if let Some(name) = path.last() {
                self.lent.insert([module.as_slice(), std::slice::from_ref(name)].concat(), path.clone());
            }
        }
    }

    fn resolve(&self) -> Vec<Use> {
        let mut uses: Vec<Use> = self
            .written
            .iter()
            .map(|(from, path, place)| Use {
                from: from.clone(),
                to: self.owner(path, 0),
                place: place.clone(),
            })
            .filter(|it| it.from != it.to)
            .collect();
        uses.sort();
        uses.dedup_by(|a, b| a.from == b.from && a.to == b.to);
        uses
    }

    /// The module in which the thing at `path` is written down. Lent names are followed a few times only, so
    /// that two modules lending to each other end the search.
    fn owner(&self, path: &[String], followed: usize) -> Module {
        for length in (1..=path.len()).rev() {
            let (head, tail) = path.split_at(length);
            if self.modules.contains(head) {
                return head.to_vec();
            }
            if let Some(meant) = self.lent.get(head)
                && followed < 8
            {
                return self.owner(&[meant.as_slice(), tail].concat(), followed + 1);
            }
        }
        Module::new()
    }
}

struct Paths<'a> {
    module: &'a Module,
    children: &'a BTreeSet<String>,
}

impl Paths<'_> {
    /// Every path in `tokens` that starts inside this crate, in macros too.
    fn in_tokens(&self, tokens: TokenStream) -> Vec<Written> {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Group(group) => found.extend(self.in_tokens(group.stream())),
                TokenTree::Ident(word) if is_colons(&tokens, at + 1) && !is_after_colons(&tokens, at) => {
                    if let Some(base) = self.base(&word.to_string()) {
                        let line = word.span().start().line;
                        at += 3;
                        found.extend(self.rest(base, &tokens, &mut at, line));
                        continue;
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
        found
    }

    /// What a path's first word stands for; `None` where it leads out of the crate.
    fn base(&self, word: &str) -> Option<Module> {
        match word {
            "crate" => Some(Module::new()),
            "self" => Some(self.module.clone()),
            "super" => Some(parent(self.module)),
            child if self.children.contains(child) => {
                Some([self.module.as_slice(), &[child.to_owned()]].concat())
            }
            _ => None,
        }
    }

    /// Reads on after `base::`, at `tokens[at]`; a group in braces yields a path for each of its parts.
    fn rest(&self, mut base: Module, tokens: &[TokenTree], at: &mut usize, line: usize) -> Vec<Written> {
        loop {
            match tokens.get(*at) {
                Some(TokenTree::Ident(word)) => {
                    *at += 1;
                    if word == "super" {
                        base.pop();
                    } else if word != "self" {
                        base.push(word.to_string());
                    }
                    if !is_colons(tokens, *at) {
                        return vec![(base, line)];
                    }
                    *at += 2;
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    *at += 1;
                    return self.parts(&base, group.stream());
                }
                // A star, or the angle brackets of `Vec::<T>`.
                _ => return vec![(base, line)],
            }
        }
    }

    fn parts(&self, base: &Module, group: TokenStream) -> Vec<Written> {
        let tokens: Vec<TokenTree> = group.into_iter().collect();
        tokens
            .split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','))
            .filter(|part| !part.is_empty())
            .flat_map(|part| {
                let line = part.first().map_or(0, |token| token.span().start().line);
                self.rest(base.clone(), part, &mut 0, line)
            })
            .collect()
    }
}

fn parent(module: &Module) -> Module {
    module.split_last().map_or_else(Module::new, |(_, rest)| rest.to_vec())
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(colon)) if colon.as_char() == ':');
    is_colon(at) && is_colon(at + 1)
}

fn is_after_colons(tokens: &[TokenTree], at: usize) -> bool {
    at >= 2 && is_colons(tokens, at - 2)
}

#[cfg(test)]
mod unit {
    use super::*;

    /// What module `a::b` of a crate with modules a, a::b, c and d names.
    fn named(text: &str) -> Vec<String> {
        let tree = Tree::from([
            ("x/src/lib.rs", "mod a; mod c; mod d; pub use c::Lent;"),
            ("x/src/a/mod.rs", "mod b;"),
            ("x/src/a/b.rs", text),
            ("x/src/c.rs", ""),
            ("x/src/d.rs", ""),
        ]);
        let uses = within(&tree, "x").unwrap();
        uses.into_iter().filter(|it| it.from == ["a", "b"]).map(|it| it.to.join("::")).collect()
    }

    #[test]
    fn a_path_is_seen_however_it_is_spelled() {
        for (text, to) in [
            ("use crate::c::X;", vec!["c"]),
            ("use crate::{c::X, d};", vec!["c", "d"]),
            ("use crate::{c::{self, X}, std_like};", vec!["", "c"]),
            ("use super::super::d::Y as Z;", vec!["d"]),
            ("use super::{super::c, Local};", vec!["a", "c"]),
            ("use crate::c::*;", vec!["c"]),
            ("fn f() { crate::c::g() }", vec!["c"]),
            ("fn f() { println!(\"{}\", crate::d::G) }", vec!["d"]),
            ("fn f(x: Vec<crate::c::T>) {}", vec!["c"]),
            ("fn f() { crate::c::parse::<crate::d::T>() }", vec!["c", "d"]),
            ("mod inner { fn f() { super::super::super::c::g() } }", vec![]),
            ("use crate::Lent;", vec!["c"]),
            ("use std::c::X; use other::d;", vec![]),
        ] {
            assert_eq!(named(text), to, "{text}");
        }
    }

    #[test]
    fn a_module_written_inside_another_has_a_path_of_its_own() {
        let tree = Tree::from([("x/src/lib.rs", "mod a { use super::c; } mod c {}")]);
        let uses = within(&tree, "x").unwrap();
        assert_eq!(
            uses.first().map(|it| (it.from.join("::"), it.to.join("::"))),
            Some(("a".into(), "c".into()))
        );
    }

    #[test]
    fn what_only_tests_use_is_left_out() {
        assert_eq!(
            named("#[cfg(test)] mod tests { use crate::c::X; } #[test] fn f() { crate::d::g() }").len(),
            0
        );
    }

    #[test]
    fn a_comment_and_a_text_use_nothing() {
        assert_eq!(named("// crate::c::X\nconst T: &str = \"crate::d::Y\";").len(), 0);
    }
}
