//! Keys of older files that are understood but do nothing in this version.

use super::key::{Key, Kind, Section};

const MOST_MILLIS: u64 = 365 * 86_400_000;
const PORT: Kind = Kind::Whole(0, 65_535);

pub(super) static TASK_MANAGER: Section = Section {
    title: "`task_manager`",
    path: "task_manager",
    doc: "A server that hands out tasks.",
    keys: &[
        Key::later("type", Kind::Text, "`http`, `amqp` or `redis`."),
        Key::later("url", Kind::Text, "The server's base address."),
        Key::later("api_key", Kind::Text, "Its key; never shown."),
        Key::later("poll_interval", Kind::Time(0, MOST_MILLIS), "The wait between two questions."),
        Key::later("timeout", Kind::Time(0, MOST_MILLIS), "The limit of one request."),
        Key::later("max_retries", Kind::Whole(0, 1_000), "How often a request is tried."),
        Key::later("retry_backoff", Kind::Text, "How much the wait grows."),
    ],
};

pub(super) static MONITORING: Section = Section {
    title: "`monitoring`",
    path: "monitoring",
    doc: "Metrics, health and alerts.",
    keys: &[
        Key::later("enabled", Kind::Bool, "Whether anything is monitored."),
        Key::later(
            "metrics",
            Kind::Either(&[Kind::Texts, Kind::Section(&ENDPOINT)]),
            "The names of metrics, or the endpoint that shows them.",
        ),
        Key::later("metrics_port", PORT, "The port of the metrics endpoint."),
        Key::later("health_check", Kind::Section(&ENDPOINT), "The endpoint that tells the health."),
        Key::later("health_check_port", PORT, "The port of the health endpoint."),
        Key::later("observers", Kind::Sections(&OBSERVER), "Who is told of events."),
        Key::later("alerts", Kind::Section(&ALERTS), "When to raise an alert."),
    ],
};

static ENDPOINT: Section = Section {
    title: "an endpoint of `monitoring`",
    path: "monitoring.metrics",
    doc: "Also the keys of `monitoring.health_check`.",
    keys: &[
        Key::later("enabled", Kind::Bool, "Whether it is served."),
        Key::later("port", PORT, "Its port."),
        Key::later("path", Kind::Text, "Its path."),
    ],
};

static OBSERVER: Section = Section {
    title: "an observer",
    path: "monitoring.observers[]",
    doc: "Who is told of events.",
    keys: &[
        Key::later("type", Kind::Text, "`logging`, `metrics` or `alerting`."),
        Key::later("enabled", Kind::Bool, "Whether it is told."),
    ],
};

static ALERTS: Section = Section {
    title: "`monitoring.alerts`",
    path: "monitoring.alerts",
    doc: "When to raise an alert.",
    keys: &[Key::later("queue_depth_high", Kind::Whole(0, 1_000_000_000), "So many waiting tasks.")],
};

pub(super) static ADVANCED: Section = Section {
    title: "`advanced`",
    path: "advanced",
    doc: "Settings that older hosts reserved.",
    keys: &[
        Key::later("worker_pool", Kind::Section(&WORKER_POOL), "Reuse of processes."),
        Key::later("resource_limits", Kind::Section(&RESOURCE_LIMITS), "Limits of a worker."),
        Key::later("security", Kind::Section(&SECURITY), "What workers may do."),
    ],
};

static WORKER_POOL: Section = Section {
    title: "`advanced.worker_pool`",
    path: "advanced.worker_pool",
    doc: "Reuse of processes.",
    keys: &[
        Key::later("enabled", Kind::Bool, "Whether processes are reused."),
        Key::later("min_workers", Kind::Whole(0, 100_000), "The fewest processes."),
        Key::later("max_workers", Kind::Whole(0, 100_000), "The most processes."),
        Key::later("idle_timeout", Kind::Time(0, MOST_MILLIS), "When an idle process ends."),
    ],
};

static RESOURCE_LIMITS: Section = Section {
    title: "`advanced.resource_limits`",
    path: "advanced.resource_limits",
    doc: "Limits of a worker.",
    keys: &[
        Key::later("max_memory_mb", Kind::Whole(0, 1_000_000_000), "Memory in megabytes."),
        Key::later("max_cpu_percent", Kind::Whole(0, 1_000_000), "Share of a processor."),
    ],
};

static SECURITY: Section = Section {
    title: "`advanced.security`",
    path: "advanced.security",
    doc: "What workers may do.",
    keys: &[
        Key::later("validate_worker_paths", Kind::Bool, "Whether paths are checked."),
        Key::later("allow_environment_variables", Kind::Bool, "Whether `${NAME}` is filled in."),
        Key::later("restricted_modules", Kind::Texts, "Modules that must not run."),
    ],
};
