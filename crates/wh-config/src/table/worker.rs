//! The keys of a worker.

use super::key::{Key, Kind, Section, Word, refused, same, word};

const DAY: u64 = 86_400_000;
const YEAR: u64 = 365 * DAY;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

const TIMEOUT: Kind = Kind::Time(1, YEAR);
const STREAMS: Kind = Kind::Whole(1, 1_024);
const ATTEMPTS: Kind = Kind::Whole(1, 1_000_000);
/// Of whatever, or as much as there is.
const UP_TO_A_MILLION: Kind = Kind::Either(&[Kind::Whole(1, MIB), Kind::Word(&[word("unlimited")])]);
const CAP: Kind = Kind::Whole(1, 1_000_000);

const ATTEMPTS_HINT: &str =
    "the number counts all attempts, the first one too: write `max_attempts: 1` to try once and never again";
const ONE_MODE: &str = "this version runs one process per task: write `mode: oneshot`";
const OTHER_LEVELS: &str = "write `isolation: strict`, or `isolation: none`";
const GROWING: &str = "waits grow by `retry.factor`: write `retry: {factor: 1}` for waits that do not grow";

const LEVELS: Kind = Kind::Word(&[
    word("none"),
    word("strict"),
    refused("soft", OTHER_LEVELS),
    refused("process", OTHER_LEVELS),
    refused("standard", OTHER_LEVELS),
]);

const BACKOFFS: Kind = Kind::Word(&[
    word("exponential"),
    same("exponential_backoff", "exponential"),
    refused("fixed", GROWING),
    refused("constant", GROWING),
    refused("linear", GROWING),
]);

const MEANINGS: &[Word] = &[
    word("succeeded"),
    word("failed"),
    word("not_retriable"),
    word("timed_out"),
    word("deferred"),
    word("worker_broken"),
];

pub(super) static WORKER: Section = Section {
    title: "a worker",
    path: "workers[]",
    doc: "A program that does tasks of some types. It needs a `name`, `task_types` and either `command` or \
          `venv_python` with `module`.",
    keys: &[
        Key::new("name", Kind::Text, "Its name; no two workers share one.").or_words("`worker_type`, or *required*").example("video"),
        Key::new("description", Kind::Text, "What it does, for people; becomes `metadata.description`."),
        Key::new("command", Kind::Texts, "Program and arguments, as a list; no shell is involved.")
            .example("[python3, worker.py]"),
        Key::new("venv_python", Kind::Path, "The interpreter that runs `module`.").example("venv/bin/python"),
        Key::new("module", Kind::Text, "The Python module to run, as `python -m` takes it.").example("workers.video"),
        Key::new("function", Kind::Text, "Handed to the module as its first argument.").example("process"),
        Key::new("project_path", Kind::Path, "Where the program starts; relative programs are looked for here first.")
            .or_words("the file's directory"),
        Key::new(
            "task_types",
            Kind::Texts,
            "The types it takes: a whole type, `Some.Prefix.*`, or `*` for what nobody else takes.",
        )
        .required()
        .example("[\"Media.Video.*\"]"),
        Key::new("streams", STREAMS, "How many attempts it carries at once on this host.").or("1"),
        Key::alias("max_concurrent", STREAMS, "streams"),
        Key::new(
            "mode",
            Kind::Word(&[word("oneshot"), refused("pool", ONE_MODE), refused("fork", ONE_MODE)]),
            "How processes serve tasks: `oneshot` is one process per task.",
        )
        .or("oneshot"),
        Key::new(
            "protocol",
            Kind::Word(&[word("json"), word("strict"), word("raw")]),
            "`json`: a task object in, a result object out, stray text goes to the log; `strict`: stray text is a \
             fault; `raw`: the input's bytes in, the result's bytes out.",
        )
        .or("json"),
        Key::new(
            "workspace",
            Kind::Word(&[word("full"), word("none"), same("./stream-{N}/", "full"), same("./stream-{N}", "full")]),
            "Whether an attempt gets a tree of files of its own.",
        )
        .or("full"),
        Key::new("timeout", TIMEOUT, "The hard limit of one attempt.").or("5m"),
        Key::alias("max_runtime", TIMEOUT, "timeout"),
        Key::new(
            "soft",
            Kind::Either(&[Kind::Percent, TIMEOUT]),
            "When the worker is asked to wrap up: a share of `timeout`, or a duration below it.",
        )
        .or("80%"),
        Key::new("soft_signal", Kind::Signal, "A signal that is sent at `soft`, for workers that catch it."),
        Key::new("grace", Kind::Time(0, DAY / 24), "The time between SIGTERM and SIGKILL.").or("10s"),
        Key::new(
            "stall_after",
            Kind::Either(&[Kind::Time(1, YEAR), Kind::Word(&[word("off")])]),
            "Ends a worker that has sent no event for so long.",
        )
        .or("off"),
        Key::new("max_attempts", ATTEMPTS, "How often a task is tried in all, the first attempt included.")
            .or("3")
            .hint(ATTEMPTS_HINT),
        Key::alias("max_retries", ATTEMPTS, "max_attempts").hint(ATTEMPTS_HINT),
        Key::new("retry", Kind::Section(&RETRY), "Caps and waits.").or_section(),
        Key::new("retry_policy", BACKOFFS, "How waits grow; the one policy there is.").or("exponential"),
        Key::new(
            "on_lost",
            Kind::Word(&[word("retry"), word("fail")]),
            "What becomes of a task whose host died under it: `retry` may do the work twice, `fail` starts it at most \
             once.",
        )
        .or("retry"),
        Key::new(
            "on_unknown_exit",
            Kind::Word(&[word("retry"), word("fail")]),
            "What an exit code means that the protocol does not name.",
        )
        .or("retry"),
        Key::new("exit_codes", Kind::Map(&Kind::Word(MEANINGS)), "Exit codes with another meaning than the protocol's.")
            .example("{1: succeeded}"),
        Key::new("env", Kind::Map(&Kind::Text), "Variables beyond the host's short allow-list.")
            .example("{LANG: C.UTF-8}"),
        Key::new(
            "isolation",
            Kind::Either(&[LEVELS, Kind::Section(&ISOLATION)]),
            "What the worker may reach.",
        )
        .or("strict"),
        Key::alias("isolation_mode", Kind::Either(&[LEVELS, Kind::Section(&ISOLATION)]), "isolation"),
        Key::new("limits", Kind::Section(&LIMITS), "What an attempt may use of the machine, with all its processes.")
            .or_section(),
        Key::new(
            "outputs",
            Kind::Sections(&OUTPUT),
            "Files that it is to leave in `output/`. A success without them, or with others than declared, is a failure that \
             names the check, and is tried again: docs/outputs.md.",
        )
        .example("[{path: report.md, format: markdown}]"),
        Key::new("bounds", Kind::Section(&BOUNDS), "Numbers that bound one attempt.").or_section(),
        Key::new("metadata", Kind::Object, "Anything of your own; shown in lists and added to every task's metadata.")
            .example("{version: \"1.2\"}"),
        Key::later("worker_id", Kind::Text, "The number of a stream in older files; the host numbers streams itself."),
        Key::later("worker_type", Kind::Text, "The kind of worker in older files; tasks are routed by `task_types`."),
        Key::alias("type", Kind::Text, "worker_type"),
    ],
};

static RETRY: Section = Section {
    title: "`retry`",
    path: "workers[].retry",
    doc: "The N-th ending of a kind gives a task up; waits grow from `base` by `factor` to `max`.",
    keys: &[
        Key::new("attempts", ATTEMPTS, "The same as `max_attempts` of the worker.").hint(ATTEMPTS_HINT),
        Key::alias("max_attempts", ATTEMPTS, "attempts").hint(ATTEMPTS_HINT),
        Key::new("crashes", CAP, "Attempts that killed the worker.").or("2"),
        Key::new("timeouts", CAP, "Attempts that ran out of time.").or("2"),
        Key::new("lost", CAP, "Hosts that died under the task.").or("5"),
        Key::new("worker_broken", CAP, "Times the worker could not run.").or("10"),
        Key::new("deferrals", CAP, "Times the worker put it off.").or("100"),
        Key::new("interruptions", CAP, "Times its host was stopped.").or("100"),
        Key::new("base", Kind::Time(0, DAY), "The wait after the first counted attempt.").or("1s"),
        Key::new("factor", Kind::Whole(1, 100), "By how much the wait grows each time.").or("2"),
        Key::new("max", Kind::Time(0, 30 * DAY), "The longest wait.").or("1m"),
        Key::new(
            "jitter",
            Kind::Word(&[word("full"), word("none")]),
            "`full`: anything from nothing to the whole wait, so that a crowd spreads out; `none`: exactly the wait.",
        )
        .or("full"),
        Key::new("backoff", BACKOFFS, "How waits grow; the one policy there is.").or("exponential"),
    ],
};

static ISOLATION: Section = Section {
    title: "`isolation`",
    path: "workers[].isolation",
    doc: "What the worker may reach. A bare level is the short form.",
    keys: &[
        Key::new("level", LEVELS, "The level.").or("strict"),
        Key::new("required", Kind::Bool, "Whether the worker must not run where the level cannot be had.")
            .or("false"),
        Key::new("paths", Kind::Section(&PATHS), "Files and directories besides its own.").or_section(),
        Key::new(
            "network",
            Kind::Either(&[Kind::Word(&[word("any"), word("none")]), Kind::Texts]),
            "Whom it may connect to: anybody, nobody, or over TCP these ports of any machine.",
        )
        .or("any")
        .example("[443, 5432]"),
    ],
};

static PATHS: Section = Section {
    title: "`paths`",
    path: "workers[].isolation.paths",
    doc: "What an isolated worker reaches besides its workspace, its project and the system's programs. `~/` is the home of \
          whoever runs the host.",
    keys: &[
        Key::new("read", Kind::Texts, "To read and execute.").example("[~/.cache/models]"),
        Key::new("write", Kind::Texts, "To read and write.").example("[/srv/out]"),
    ],
};

static LIMITS: Section = Section {
    title: "`limits`",
    path: "workers[].limits",
    doc: "What an attempt may use of the machine, with all its processes. What happens at each limit: docs/isolation.md.",
    keys: &[
        Key::new("memory_mb", UP_TO_A_MILLION, "Memory of all its processes together, in MiB.").or("2048"),
        Key::new(
            "grow_memory",
            Kind::Whole(1, 100),
            "By how much `memory_mb` grows with each counted attempt, up to the machine's memory.",
        )
        .or("1"),
        Key::new(
            "cpu_percent",
            UP_TO_A_MILLION,
            "Processor time; 100 is one processor. Needs control groups.",
        )
        .or("unlimited"),
        Key::new(
            "processes",
            UP_TO_A_MILLION,
            "Processes at the same time, and their threads where control groups count them.",
        )
        .or("1024"),
        Key::new("open_files", UP_TO_A_MILLION, "Files open at the same time, in each process.")
            .or("unlimited"),
        Key::new(
            "workspace_mb",
            UP_TO_A_MILLION,
            "What all files of its workspace may take, in MiB; looked at every two seconds.",
        )
        .or("10240"),
        Key::new("inodes", UP_TO_A_MILLION, "How many files and directories its workspace may hold.")
            .or("1000000"),
        Key::new("output_mb", UP_TO_A_MILLION, "What the files in its `output/` may take, in MiB.")
            .or("unlimited"),
        Key::new("file_size_mb", UP_TO_A_MILLION, "The largest file that may be written, in MiB.")
            .or("unlimited"),
    ],
};

static OUTPUT: Section = Section {
    title: "an output",
    path: "workers[].outputs[]",
    doc: "A file that the worker is to leave, or several of one kind.",
    keys: &[
        Key::new("path", Kind::Text, "Where, below `output/`; a `*` stands for any characters of one name.")
            .required()
            .example("report.md"),
        Key::new(
            "format",
            Kind::Word(&[
                word("any"),
                word("json"),
                word("json_schema"),
                word("markdown"),
                word("csv"),
                word("yaml"),
                word("utf8"),
            ]),
            "What each file is to be; `json_schema` is JSON as `schema` says.",
        )
        .or("any"),
        Key::new(
            "schema",
            Kind::Path,
            "The JSON Schema for `json_schema`, in a file; what it refers to has to be in it.",
        )
        .example("order.schema.json"),
        Key::new("min_size", Kind::Size(0, TIB), "How large each file is at least.").or("1B").example("1KiB"),
        Key::new(
            "min_count",
            Kind::Whole(1, 10_000),
            "How many files there are at least, where `path` has a `*`.",
        )
        .or("1"),
    ],
};

static BOUNDS: Section = Section {
    title: "`bounds`",
    path: "workers[].bounds",
    doc: "Every excess has its own clear error.",
    keys: &[
        Key::new("params", Kind::Size(0, 64 * MIB), "Params up to this size travel in the task object.")
            .or("1MiB"),
        Key::new("result", Kind::Size(0, 64 * MIB), "Results up to this size stand in the store's row.")
            .or("1MiB"),
        Key::new("line", Kind::Size(KIB, GIB), "The longest line of standard output or of the channel.")
            .or("8MiB"),
        Key::new("stdout", Kind::Size(KIB, TIB), "Standard output in all.").or("64MiB"),
        Key::new(
            "log",
            Kind::Size(KIB, TIB),
            "What is kept of the log: half from its head, half from its tail.",
        )
        .or("16MiB"),
        Key::new("nesting", Kind::Whole(1, 1_000), "How deep JSON values may nest.").or("128"),
        Key::new(
            "events_per_second",
            Kind::Whole(1, 1_000_000),
            "Channel events a second; more are dropped.",
        )
        .or("1000"),
    ],
};
