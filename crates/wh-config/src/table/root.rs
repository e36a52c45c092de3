//! The top of the file.

use super::key::{Key, Kind, Section, word};
use super::{host, older, worker};

/// The whole configuration.
pub(crate) static ROOT: Section = Section {
    title: "the configuration",
    path: "",
    doc: "One file in YAML or, where its name ends neither in `.yaml` nor in `.yml`, in JSON.",
    keys: &[
        Key::new("version", Kind::Word(&[word("1.0"), word("1")]), "The version of this format.").or("1.0"),
        Key::new("store", Kind::Text, "Where tasks are kept: `sqlite:PATH`. The file lies directly in `data_dir`.")
            .or_words("`tasks.db` under `data_dir`")
            .example("sqlite:.workerhost/tasks.db"),
        Key::new(
            "data_dir",
            Kind::Path,
            "Where the host keeps its store and all that belongs to it: large payloads, workspaces, locks, logs of \
             tasks. One directory holds one store. Where nothing says where, it is made in `$XDG_STATE_HOME/workerhost` \
             (`~/.local/state/workerhost`), with `.workerhost` as a link to it: isolated workers can list a project only \
             if it is not in there. If that lies on another file system, `.workerhost` is the directory itself.",
        )
        .or_words("the directory of `store`; where that is not given either, `.workerhost`")
        .example(".workerhost"),
        Key::new("host", Kind::Section(&host::HOST), "This host.").or_section(),
        Key::new("queue", Kind::Section(&host::QUEUE), "Waiting tasks.").or_section(),
        Key::new("retention", Kind::Section(&host::RETENTION), "How long finished things are kept.")
            .or_section(),
        Key::new("lease", Kind::Section(&host::LEASE), "The rhythm by which a host keeps its claims.")
            .or_section(),
        Key::new("logging", Kind::Section(&host::LOGGING), "The host's own log.").or_section(),
        Key::new("workers", Kind::Sections(&worker::WORKER), "The workers of this host."),
        Key::new(
            "worker",
            Kind::Section(&worker::WORKER),
            "A single worker, as older files have it; the same keys as under `workers`. \
             One that says nothing to run is passed over with a warning.",
        ),
        Key::later("task_manager", Kind::Section(&older::TASK_MANAGER), "A server that hands out tasks."),
        Key::later("monitoring", Kind::Section(&older::MONITORING), "Metrics, health and alerts."),
        Key::later("advanced", Kind::Section(&older::ADVANCED), "Settings that older hosts reserved."),
    ],
};

/// Every section, each before those inside it.
pub(crate) fn all_sections() -> Vec<&'static Section> {
    let mut found = Vec::new();
    add(&ROOT, &mut found);
    found
}

fn add(section: &'static Section, found: &mut Vec<&'static Section>) {
    if found.iter().any(|known| std::ptr::eq(*known, section)) {
        return;
    }
    found.push(section);
    section.keys.iter().for_each(|key| add_inner(&key.kind, found));
}

fn add_inner(kind: &'static Kind, found: &mut Vec<&'static Section>) {
    match kind {
        Kind::Section(section) | Kind::Sections(section) => add(section, found),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| add_inner(kind, found)),
        _ => {}
    }
}
