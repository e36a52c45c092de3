//! A key that its section does not have.

use crate::report::Report;
use crate::suggest;
use crate::table::{self, Effect, Key, Section};
use crate::tree::{Scalar, quote};

/// Tells that a section has no such key, and where it belongs.
pub(crate) fn key(section: &'static Section, typed: &Scalar, report: &mut Report) {
    if report.is_full() {
        return;
    }
    report.error(
        typed.at,
        format!("{} has no key {}", section.title, quote(&typed.text)),
        where_to(section, &typed.text),
    );
}

/// Where an unknown key belongs: elsewhere as it is, here or elsewhere with another spelling, or nowhere.
fn where_to(section: &'static Section, typed: &str) -> String {
    let works = |key: &&Key| key.effect == Effect::Works;
    let others = || table::all_sections().into_iter().filter(|other| !std::ptr::eq(*other, section));
    let under = |other: &Section| match other.path {
        "" => "at the top of the file".to_owned(),
        path => format!("under `{path}`"),
    };
    let has = |other: &&'static Section| other.key(typed).is_some();
    let home =
        others().find(|other| other.key(typed).as_ref().is_some_and(works)).or_else(|| others().find(has));
    if let Some(home) = home {
        return format!("it belongs {}", under(home));
    }
    if let Some(near) = suggest::nearest(typed, section.keys.iter().map(|known| known.name)) {
        return format!("did you mean `{near}`?");
    }
    let distant = others().find_map(|other| {
        let names = other.keys.iter().filter(works).map(|key| key.name);
        suggest::nearest(typed, names).map(|near| (near, other))
    });
    if let Some((near, other)) = distant {
        return format!("did you mean `{near}`? It belongs {}", under(other));
    }
    let any_works = section.keys.iter().any(|key| works(&key));
    let names = section.keys.iter().filter(|key| works(key) || !any_works);
    let names: Vec<_> = names.map(|key| format!("`{}`", key.name)).collect();
    format!("its keys are {}", names.join(", "))
}
