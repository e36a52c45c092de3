//! How a key is declared.

use crate::duration::format_duration;
use crate::size::format_size;
use std::time::Duration;

/// A part of the configuration with keys of its own.
pub(crate) struct Section {
    /// How messages name it: "a worker", "`host`".
    pub(crate) title: &'static str,
    /// Where it stands, for headings: `workers[]`, `host`.
    pub(crate) path: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
}

/// One key.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) fallback: Fallback,
    pub(crate) effect: Effect,
    /// A value as one would write it, where the kind's own example would mislead.
    pub(crate) example: &'static str,
    /// What to write instead of a value that is refused, where the kind cannot know.
    pub(crate) hint: &'static str,
    /// The version that first read the key.
    pub(crate) since: &'static str,
    pub(crate) doc: &'static str,
}

/// What holds when a key is not given.
#[derive(Clone, Copy)]
pub(crate) enum Fallback {
    /// Nothing: the feature is off.
    None,
    /// The key has to be given.
    Required,
    /// This value, as one would write it.
    Value(&'static str),
    /// What depends on other things, in words.
    Words(&'static str),
    /// The section with the defaults of its own keys.
    Section,
}

/// What a key does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Works,
    /// Another name of the key beside it.
    Alias(&'static str),
    /// Read for the sake of older files, without effect in this version.
    Later,
}

/// What a value may be.
pub(crate) enum Kind {
    Text,
    /// A file or directory; relative ones start at the file's directory.
    Path,
    Bool,
    /// From the first to the second number.
    Whole(u64, u64),
    /// From the first to the second, in milliseconds.
    Time(u64, u64),
    /// From the first to the second, in bytes.
    Size(u64, u64),
    /// 1 % to 99 %.
    Percent,
    Signal,
    Word(&'static [Word]),
    Texts,
    /// Names of the user's own with values of one kind.
    Map(&'static Kind),
    /// Anything under names of the user's own.
    Object,
    Section(&'static Section),
    Sections(&'static Section),
    /// Any of these; at most one of each shape, and scalars are tried in this order.
    Either(&'static [Kind]),
}

/// One of a fixed set of values.
pub(crate) struct Word {
    pub(crate) text: &'static str,
    pub(crate) means: Means,
}

/// What a word stands for.
#[derive(Clone, Copy)]
pub(crate) enum Means {
    Itself,
    SameAs(&'static str),
    /// Known, but not to be had; holds why and what to write.
    Refused(&'static str),
}

pub(crate) const fn word(text: &'static str) -> Word {
    Word { text, means: Means::Itself }
}

pub(crate) const fn same(text: &'static str, as_word: &'static str) -> Word {
    Word { text, means: Means::SameAs(as_word) }
}

pub(crate) const fn refused(text: &'static str, why: &'static str) -> Word {
    Word { text, means: Means::Refused(why) }
}

impl Key {
    pub(crate) const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        let (fallback, effect) = (Fallback::None, Effect::Works);
        Self { name, kind, fallback, effect, example: "", hint: "", since: "0.1", doc }
    }

    /// Another name of `target`, which must be of the same kind.
    pub(crate) const fn alias(name: &'static str, kind: Kind, target: &'static str) -> Self {
        Self { effect: Effect::Alias(target), ..Self::new(name, kind, "") }
    }

    /// A key of older files that does nothing yet.
    pub(crate) const fn later(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { effect: Effect::Later, ..Self::new(name, kind, doc) }
    }

    pub(crate) const fn or(self, value: &'static str) -> Self {
        Self { fallback: Fallback::Value(value), ..self }
    }

    pub(crate) const fn or_words(self, words: &'static str) -> Self {
        Self { fallback: Fallback::Words(words), ..self }
    }

    pub(crate) const fn or_section(self) -> Self {
        Self { fallback: Fallback::Section, ..self }
    }

    pub(crate) const fn required(self) -> Self {
        Self { fallback: Fallback::Required, ..self }
    }

    pub(crate) const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    pub(crate) const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// The key as one would write it.
    pub(crate) fn sample(&self) -> String {
        let value = match (self.example, self.fallback) {
            ("", Fallback::Value(value)) => value,
            ("", _) => self.kind.example(),
            (example, _) => example,
        };
        format!("{}: {value}", self.name)
    }
}

impl Section {
    /// The key of that name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Kind {
    /// What a value has to be, for messages and the reference.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Time(least, most) => {
                let text = |millis: &u64| format_duration(Duration::from_millis(*millis));
                format!("a duration from {} to {}", text(least), text(most))
            }
            Self::Size(least, most) => {
                format!("a size from {} to {}", format_size(*least), format_size(*most))
            }
            Self::Percent => "a share from 1% to 99%".to_owned(),
            Self::Signal => "a signal's name or number".to_owned(),
            Self::Word(words) => words_of(words),
            Self::Texts => "a list of texts".to_owned(),
            Self::Map(kind) => format!("names, each with {}", kind.expected()),
            Self::Object => "keys and values of your own".to_owned(),
            Self::Section(section) => format!("the keys of {}", section.title),
            Self::Sections(section) => format!("a list, each item with the keys of {}", section.title),
            Self::Either(kinds) => kinds.iter().map(Self::expected).collect::<Vec<_>>().join(", or "),
        }
    }

    /// A value of the kind.
    pub(crate) fn example(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Path => "some/path",
            Self::Bool => "true",
            Self::Whole(..) => "10",
            Self::Time(..) => "5m",
            Self::Size(..) => "10MiB",
            Self::Percent => "80%",
            Self::Signal => "USR1",
            Self::Word(words) => words.first().map_or("", |word| word.text),
            Self::Texts => "[one, two]",
            Self::Map(_) | Self::Object => "{name: value}",
            Self::Section(section) => section.keys.first().map_or("{}", |_| "{…}"),
            Self::Sections(_) => "[{…}]",
            Self::Either(kinds) => kinds.first().map_or("", Self::example),
        }
    }
}

fn words_of(words: &[Word]) -> String {
    let offered = words.iter().filter(|word| matches!(word.means, Means::Itself));
    let quoted: Vec<_> = offered.map(|word| format!("`{}`", word.text)).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
