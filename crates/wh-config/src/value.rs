//! Checked values: what a section of the file says, key by key, each with where it came from.

use crate::source::At;
use crate::table::Section;
use crate::tree::{Node, Scalar};
use std::time::Duration;

/// Who said a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody; it is the built-in one.
    Default,
    /// A line of the file.
    File {
        /// The file as it was named.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// The environment variable of this name.
    Environment(String),
    /// The option of this name.
    CommandLine(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line } => write!(f, "{name}:{line}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::CommandLine(name) => write!(f, "option {name}"),
        }
    }
}

/// What a text was understood as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sense {
    Text,
    Bool(bool),
    Whole(u64),
    Time(Duration),
    Size(u64),
    Percent(u32),
    Word(&'static str),
    Signal(i32),
}

/// A checked scalar.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) text: Scalar,
    pub(crate) sense: Sense,
}

/// A checked value of any shape.
#[derive(Clone)]
pub(crate) enum Value {
    Leaf(Leaf),
    Texts(Vec<Scalar>),
    Map(Vec<(Scalar, Leaf)>),
    Object(Node),
    Block(Block),
    Blocks(Vec<Block>),
}

/// A key's value with its place and origin.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) value: Value,
    pub(crate) at: At,
    pub(crate) origin: Origin,
}

/// A section of the file, checked against its table.
#[derive(Clone)]
pub(crate) struct Block {
    pub(crate) section: &'static Section,
    /// Where it begins.
    pub(crate) at: At,
    settings: Vec<(&'static str, Setting)>,
    /// Keys that were given but not understood; why has been told.
    broken: Vec<&'static str>,
    /// Whether all of it could not be understood.
    lost: bool,
}

impl Block {
    pub(crate) fn new(section: &'static Section, at: At) -> Self {
        Self { section, at, settings: Vec::new(), broken: Vec::new(), lost: false }
    }

    pub(crate) fn set(&mut self, key: &'static str, setting: Setting) {
        self.settings.push((key, setting));
    }

    pub(crate) fn set_broken(&mut self, key: &'static str) {
        self.broken.push(key);
    }

    pub(crate) fn set_lost(&mut self) {
        self.lost = true;
    }

    /// Whether nothing of the section could be understood; why has been told.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Takes a value out, so that another key can stand for it.
    pub(crate) fn take(&mut self, key: &str) -> Option<Setting> {
        let at = self.settings.iter().position(|(name, _)| *name == key)?;
        Some(self.settings.remove(at).1)
    }

    /// The sections under a key, to be changed.
    pub(crate) fn inner_mut(&mut self, key: &str) -> &mut [Self] {
        match self.settings.iter_mut().find(|(name, _)| *name == key).map(|(_, setting)| &mut setting.value) {
            Some(Value::Block(block)) => std::slice::from_mut(block),
            Some(Value::Blocks(blocks)) => blocks,
            _ => &mut [],
        }
    }

    /// Whether the key was given but could not be understood.
    pub(crate) fn is_broken(&self, key: &str) -> bool {
        self.broken.contains(&key)
    }

    /// Whether the file or the environment says something for the key, understood or not.
    pub(crate) fn is_given(&self, key: &str) -> bool {
        self.is_broken(key) || self.get(key).is_some_and(|setting| setting.origin != Origin::Default)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Setting> {
        debug_assert!(self.section.key(key).is_some(), "`{key}` is no key of {}", self.section.title);
        self.settings.iter().find(|(name, _)| *name == key).map(|(_, setting)| setting)
    }

    /// Where the key's value stands, or the section where it does not.
    pub(crate) fn at(&self, key: &str) -> At {
        self.get(key).map_or(self.at, |setting| setting.at)
    }

    pub(crate) fn leaf(&self, key: &str) -> Option<&Leaf> {
        match &self.get(key)?.value {
            Value::Leaf(leaf) => Some(leaf),
            _ => None,
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<&Scalar> {
        self.leaf(key).map(|leaf| &leaf.text)
    }

    pub(crate) fn word(&self, key: &str) -> Option<&'static str> {
        match self.leaf(key)?.sense {
            Sense::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        matches!(self.leaf(key).map(|leaf| leaf.sense), Some(Sense::Bool(true)))
    }

    pub(crate) fn whole(&self, key: &str) -> Option<u64> {
        match self.leaf(key)?.sense {
            Sense::Whole(number) => Some(number),
            _ => None,
        }
    }

    /// A number whose table keeps it within 32 bits.
    pub(crate) fn count(&self, key: &str) -> Option<u32> {
        self.whole(key).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    pub(crate) fn time(&self, key: &str) -> Option<Duration> {
        match self.leaf(key)?.sense {
            Sense::Time(time) => Some(time),
            _ => None,
        }
    }

    pub(crate) fn size(&self, key: &str) -> Option<u64> {
        match self.leaf(key)?.sense {
            Sense::Size(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn texts(&self, key: &str) -> Option<&[Scalar]> {
        match &self.get(key)?.value {
            Value::Texts(texts) => Some(texts),
            _ => None,
        }
    }

    pub(crate) fn map(&self, key: &str) -> &[(Scalar, Leaf)] {
        match self.get(key).map(|setting| &setting.value) {
            Some(Value::Map(entries)) => entries,
            _ => &[],
        }
    }

    pub(crate) fn block(&self, key: &str) -> Option<&Self> {
        match &self.get(key)?.value {
            Value::Block(block) => Some(block),
            _ => None,
        }
    }

    pub(crate) fn blocks(&self, key: &str) -> &[Self] {
        match self.get(key).map(|setting| &setting.value) {
            Some(Value::Blocks(blocks)) => blocks,
            _ => &[],
        }
    }
}
