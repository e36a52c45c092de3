//! The keys of the host: itself, its queue, its leases, its retention and its log.

use super::key::{Key, Kind, Section, same, word};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const TEN_YEARS: u64 = 3_650 * DAY;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const LARGEST: u64 = 1 << 50;

pub(super) static HOST: Section = Section {
    title: "`host`",
    path: "host",
    doc: "What this host is called and how much it does at once.",
    keys: &[
        Key::new("name", Kind::Text, "How the host is shown in lists.")
            .or_words("the machine's name")
            .example("alpha"),
        Key::new(
            "labels",
            Kind::Either(&[Kind::Map(&Kind::Text), Kind::Texts]),
            "Marks of the operator's own, shown in lists; a list gives labels without values.",
        )
        .example("{rack: b4}"),
        Key::new(
            "streams",
            Kind::Whole(1, 4_096),
            "How many attempts this host carries at once, over all workers.",
        )
        .or_words("the number of cores, but at least 3"),
        Key::new(
            "drain",
            Kind::Time(0, DAY),
            "How long attempts may go on after the host was asked to stop.",
        )
        .or("30s"),
        Key::new(
            "max_load",
            Kind::Either(&[Kind::Whole(1, 1_000_000), Kind::Word(&[word("unlimited")])]),
            "Above this load of the machine (of the last minute, as `uptime` shows it) the host claims no tasks.",
        )
        .or("unlimited"),
        Key::new(
            "min_free_memory",
            Kind::Size(0, LARGEST),
            "While less memory of the machine is free, the host claims no tasks.",
        )
        .or_words("128MiB, or a twentieth of all memory where that is less")
        .example("1GiB"),
        Key::new(
            "min_free_disk",
            Kind::Size(0, LARGEST),
            "While less of the data directory's disk is free, the host claims no tasks.",
        )
        .or_words("256MiB, or a twentieth of the disk where that is less")
        .example("2GiB"),
    ],
};

pub(super) static QUEUE: Section = Section {
    title: "`queue`",
    path: "queue",
    doc: "How many tasks may wait, and which goes first.",
    keys: &[
        Key::new(
            "max_size",
            Kind::Whole(1, 1_000_000_000),
            "The most tasks that may wait; beyond it, new ones are refused.",
        )
        .or("10000000"),
        Key::new(
            "ageing",
            Kind::Either(&[Kind::Time(1, 365 * DAY), Kind::Word(&[word("strict")])]),
            "How much waiting outweighs one step of priority, so that low priorities are never starved; \
             with `strict` a higher priority always goes first.",
        )
        .or("1m"),
        Key::later(
            "type",
            Kind::Text,
            "Order of the queue in older files; this host's is by priority and age.",
        ),
        Key::later("persistence", Kind::Text, "Where older hosts kept tasks; see `store`."),
        Key::later("database", Kind::Text, "The file of older hosts; see `store`."),
    ],
};

pub(super) static LEASE: Section = Section {
    title: "`lease`",
    path: "lease",
    doc: "A claim holds for `length` and is renewed while its host lives; a host that stands still loses its claims.",
    keys: &[
        Key::new("length", Kind::Time(SECOND, HOUR), "How long a renewal holds.").or("30s"),
        Key::new(
            "renew_every",
            Kind::Time(100, 20 * MINUTE),
            "How often the host renews; at most a third of `length`, so that one late renewal costs nothing.",
        )
        .or("7500ms"),
    ],
};

pub(super) static RETENTION: Section = Section {
    title: "`retention`",
    path: "retention",
    doc: "What is swept away, and when. Whichever limit is reached first holds.",
    keys: &[
        Key::new("completed", Kind::Time(MINUTE, TEN_YEARS), "Completed tasks.").or("7d"),
        Key::new("poisoned", Kind::Time(MINUTE, TEN_YEARS), "Tasks that were given up.").or("30d"),
        Key::new("cancelled", Kind::Time(MINUTE, TEN_YEARS), "Cancelled tasks.").or("7d"),
        Key::new("finished", Kind::Whole(0, 1_000_000_000), "The most finished tasks.").or("5000000"),
        Key::new(
            "store_size",
            Kind::Size(MIB, LARGEST),
            "The largest store; the oldest finished tasks go first.",
        )
        .or("20GiB"),
        Key::new("workspaces", Kind::Time(0, TEN_YEARS), "Workspaces of attempts that have ended.").or("24h"),
        Key::new("workspaces_size", Kind::Size(0, LARGEST), "All kept workspaces together.").or("10GiB"),
    ],
};

pub(super) static LOGGING: Section = Section {
    title: "`logging`",
    path: "logging",
    doc: "The host's own log. Workers' logs are kept with their tasks.",
    keys: &[
        Key::new(
            "level",
            Kind::Word(&[
                word("error"),
                word("warning"),
                word("info"),
                word("debug"),
                word("trace"),
                same("warn", "warning"),
                same("critical", "error"),
            ]),
            "The least severe lines that are written.",
        )
        .or("info"),
        Key::new("structured", Kind::Bool, "One JSON object a line instead of text.").or("false"),
        Key::new("file", Kind::Path, "A file to write to, besides standard error.")
            .example("logs/workerhost.log"),
        Key::new(
            "max_bytes",
            Kind::Size(KIB, LARGEST),
            "The size at which the file is set aside for a new one.",
        )
        .or("10MiB"),
        Key::new("backup_count", Kind::Whole(0, 1_000), "How many files set aside are kept.").or("5"),
        Key::new(
            "capture_worker_output",
            Kind::Bool,
            "Whether workers' log lines stand in the host's log too.",
        )
        .or("false"),
        Key::later("format", Kind::Text, "The line format of older hosts."),
    ],
};
