//! A Rust file as its items, told apart into what ships and what only tests.

use crate::tree::File;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::ops::RangeInclusive;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Lines of a file, the first being 1.
pub(crate) type Lines = RangeInclusive<usize>;

/// How many lines.
pub(crate) fn count(lines: &Lines) -> usize {
    (lines.end() + 1).saturating_sub(*lines.start())
}

/// A function with a body.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// From its first word, without comments and attributes, to its last brace.
    pub(crate) lines: Lines,
    /// Whether it is, or stands inside, something that only tests see.
    pub(crate) in_test: bool,
    /// Whether its runtime's clock is paused, so that it sleeps without waiting.
    pub(crate) clock_is_paused: bool,
    pub(crate) body: TokenStream,
}

/// Parses a file.
///
/// # Errors
/// A sentence with the place, where the file is no Rust.
pub(crate) fn parse(file: &File) -> Result<syn::File, String> {
    syn::parse_file(&file.text)
        .map_err(|error| format!("{}:{}: {error}", file.path, error.span().start().line))
}

/// Whether an item with these attributes is compiled for tests only.
pub(crate) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        if path.is_ident("test") || path.segments.last().is_some_and(|last| last.ident == "test") {
            return true;
        }
        path.is_ident("cfg") && asks_for_test(attribute.to_token_stream())
    })
}

/// Whether `test` stands in a condition, other than inside `not(…)`.
fn asks_for_test(tokens: TokenStream) -> bool {
    let mut after_not = false;
    tokens.into_iter().any(|token| {
        let negated = std::mem::replace(&mut after_not, false);
        match token {
            TokenTree::Ident(word) => {
                after_not = word == "not";
                word == "test"
            }
            TokenTree::Group(group) => !negated && asks_for_test(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        }
    })
}

/// An item's attributes; none for the few kinds that have none.
pub(crate) fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(it) => &it.attrs,
        syn::Item::Enum(it) => &it.attrs,
        syn::Item::ExternCrate(it) => &it.attrs,
        syn::Item::Fn(it) => &it.attrs,
        syn::Item::ForeignMod(it) => &it.attrs,
        syn::Item::Impl(it) => &it.attrs,
        syn::Item::Macro(it) => &it.attrs,
        syn::Item::Mod(it) => &it.attrs,
        syn::Item::Static(it) => &it.attrs,
        syn::Item::Struct(it) => &it.attrs,
        syn::Item::Trait(it) => &it.attrs,
        syn::Item::TraitAlias(it) => &it.attrs,
        syn::Item::Type(it) => &it.attrs,
        syn::Item::Union(it) => &it.attrs,
        syn::Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

/// How many lines of a file's text ship: all but those of items that only tests see.
pub(crate) fn production_lines(file: &File, ast: &syn::File) -> usize {
    let tests: usize = ast
        .items
        .iter()
        .filter(|item| is_for_tests(attributes(item)))
        .map(|item| count(&lines_of(item)))
        .sum();
    file.text.lines().count().saturating_sub(tests)
}

/// Every function of a file, methods and functions inside functions too.
pub(crate) fn functions(ast: &syn::File) -> Vec<Function> {
    let mut walk = Walk::default();
    walk.visit_file(ast);
    walk.found
}

#[derive(Default)]
struct Walk {
    in_test: bool,
    found: Vec<Function>,
}

impl Walk {
    fn take(&mut self, attributes: &[syn::Attribute], signature: &syn::Signature, block: &syn::Block) {
        let lines = signature.span().start().line..=block.span().end().line;
        let clock_is_paused =
            attributes.iter().any(|it| it.to_token_stream().to_string().contains("start_paused = true"));
        self.found.push(Function {
            name: signature.ident.to_string(),
            lines,
            in_test: self.in_test,
            clock_is_paused,
            body: block.to_token_stream(),
        });
    }

    /// Goes on with `walk`, inside something with these attributes.
    fn inside(&mut self, attributes: &[syn::Attribute], walk: impl FnOnce(&mut Self)) {
        let outside = self.in_test;
        self.in_test |= is_for_tests(attributes);
        walk(self);
        self.in_test = outside;
    }
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.inside(attributes(item), |walk| visit::visit_item(walk, item));
    }

    fn visit_item_fn(&mut self, it: &'ast syn::ItemFn) {
        self.take(&it.attrs, &it.sig, &it.block);
        visit::visit_item_fn(self, it);
    }

    fn visit_impl_item_fn(&mut self, it: &'ast syn::ImplItemFn) {
        self.inside(&it.attrs, |walk| {
            walk.take(&it.attrs, &it.sig, &it.block);
            visit::visit_impl_item_fn(walk, it);
        });
    }

    fn visit_trait_item_fn(&mut self, it: &'ast syn::TraitItemFn) {
        if let Some(block) = &it.default {
            self.take(&it.attrs, &it.sig, block);
        }
        visit::visit_trait_item_fn(self, it);
    }
}

fn lines_of(spanned: &impl Spanned) -> Lines {
    let span = spanned.span();
    span.start().line..=span.end().line
}

#[cfg(test)]
mod unit {
    use super::*;

    const TEXT: &str = "\
//! A caption.
fn short() {
    inner();
}
impl A {
    #[cfg(test)]
    fn only_here() {}
    fn method(&self) {}
}
#[cfg(not(test))]
fn ships() {}
#[cfg(all(unix, test))]
mod tests {
    #[tokio::test(start_paused = true)]
    async fn waits() {
        sleep(1).await
    }
}
";

    fn file() -> File {
        File { path: "a.rs".to_owned(), text: TEXT.to_owned() }
    }

    #[test]
    fn functions_are_found_wherever_they_stand_with_their_lines() {
        let found: Vec<(String, usize, bool, bool)> = functions(&parse(&file()).unwrap())
            .into_iter()
            .map(|it| (it.name.clone(), count(&it.lines), it.in_test, it.clock_is_paused))
            .collect();
        let row = |name: &str, lines, test, paused| (name.to_owned(), lines, test, paused);
        assert_eq!(
            found,
            [
                row("short", 3, false, false),
                row("only_here", 1, true, false),
                row("method", 1, false, false),
                row("ships", 1, false, false),
                row("waits", 3, true, true),
            ]
        );
    }

    #[test]
    fn what_only_tests_see_does_not_count_as_production() {
        let file = file();
        assert_eq!(production_lines(&file, &parse(&file).unwrap()), 11);
    }

    #[test]
    fn a_file_that_is_no_rust_is_named_with_its_line() {
        let file = File { path: "b.rs".to_owned(), text: "//! B.\nfn {".to_owned() };
        assert!(parse(&file).is_err_and(|what| what.starts_with("b.rs:2: ")));
    }
}
