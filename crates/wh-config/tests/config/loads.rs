//! What loads, and as what.

use crate::{errors, loaded, messages, nothing, worker, yaml};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wh_config::{LogLevel, StoreUrl, load, parse};
use wh_domain::ending::Meaning;
use wh_domain::outputs::Format;
use wh_domain::priority::Ageing;
use wh_domain::retry::{Jitter, OnLost, RetryPolicy};
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::{Bounds, Protocol, Workspace};

const SECOND: Duration = Duration::from_secs(1);

fn environment(name: &str) -> Option<String> {
    (name == "TASKMANAGER_API_KEY").then(|| "from-outside".to_owned())
}

#[test]
fn every_key_of_the_older_configuration_loads_as_it_is() {
    let text = include_str!("files/older.yaml");
    let loaded = parse("workerhost_config.yaml", text, Path::new("/srv"), &environment)
        .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let [channel, title] = loaded.config.workers.as_slice() else { panic!("two workers") };
    assert_eq!(channel.name.as_str(), "Media.YouTube.Channel");
    assert_eq!(
        channel.program.argv,
        ["/srv/workers/youtube/venv/bin/python", "-m", "src.workers.channel", "process_task"]
    );
    assert_eq!(channel.program.directory, Path::new("/srv/workers/youtube"));
    assert_eq!(channel.timeout, TimeoutPolicy::default());
    assert_eq!(channel.retry, RetryPolicy::default());
    assert_eq!(
        channel.metadata.as_deref(),
        Some(concat!(
            r#"{"version":"1.0.0","python_version":"3.10","dependencies":["yt-dlp","requests"],"#,
            r#""author":"Somebody","description":"Reads the list of a channel's videos"}"#
        ))
    );
    assert_eq!((title.timeout.hard, title.retry.max_attempts), (90 * SECOND, 2));
    assert_eq!(title.metadata.as_deref(), Some(r#"{"description":"Proposes titles"}"#));
    let logging = &loaded.config.logging;
    assert_eq!((logging.level, logging.structured, logging.backup_count), (LogLevel::Info, true, 5));
    assert_eq!(logging.file.as_deref(), Some(Path::new("/srv/logs/workerhost.log")));
    let idle: Vec<_> =
        messages(&loaded.warnings).into_iter().filter(|line| line.ends_with("in this version")).collect();
    assert_eq!(
        idle,
        [
            "`task_manager` has no effect in this version",
            "`format` has no effect in this version",
            "`monitoring` has no effect in this version",
            "`advanced` has no effect in this version",
        ]
    );
}

#[test]
fn the_small_schema_loads_and_says_that_its_worker_runs_nothing() {
    let loaded = loaded(include_str!("files/small.yaml"));
    assert!(loaded.config.workers.is_empty());
    assert_eq!(loaded.config.queue.max_size, 1_000);
    assert_eq!(
        messages(&loaded.warnings),
        [
            "`type` has no effect in this version",
            "`worker` says nothing to run, so there is no such worker",
            "`type`, `persistence`, `database` have no effect in this version",
            "`monitoring` has no effect in this version",
        ]
    );
}

#[test]
fn the_worker_of_the_oldest_template_loads_when_it_has_a_command() {
    let loaded = loaded(include_str!("files/template.yaml"));
    let [worker] = loaded.config.workers.as_slice() else { panic!("one worker") };
    assert_eq!(worker.name.as_str(), "discovery");
    assert_eq!(worker.timeout.hard, 900 * SECOND);
    assert_eq!(worker.workspace, Workspace::Full);
    assert_eq!(messages(&loaded.warnings), ["`worker_id`, `worker_type` have no effect in this version"]);
}

#[test]
fn every_key_of_this_version_arrives_where_it_belongs() {
    let loaded = loaded(include_str!("files/complete.yaml"));
    let config = &loaded.config;
    assert_eq!(config.store, StoreUrl::Sqlite(PathBuf::from("/nowhere/kept/tasks.db")));
    assert_eq!(config.data_dir, Path::new("/nowhere/kept"));
    assert_eq!(config.host.name.as_deref(), Some("alpha"));
    assert_eq!(config.host.labels.get("gpu").map(String::as_str), Some("no"));
    assert_eq!((config.host.streams, config.host.drain), (Some(6), 60 * SECOND));
    assert_eq!((config.queue.max_size, config.queue.ageing), (5_000, Ageing::Strict));
    assert_eq!(config.retention.cancelled, 3 * 86_400 * SECOND);
    assert_eq!((config.retention.store_size, config.retention.workspaces_size), (1 << 30, 2 << 30));
    assert_eq!((config.lease.length, config.lease.renew_every), (12 * SECOND, 3 * SECOND));
    assert_eq!((config.logging.level, config.logging.max_bytes), (LogLevel::Debug, 1_000_000));
    let [worker] = config.workers.as_slice() else { panic!("one worker") };
    let types: Vec<_> = worker.task_types.iter().map(ToString::to_string).collect();
    assert_eq!(types, ["Media.Video.Encode", "Media.Audio.*", "*"]);
    assert_eq!(worker.program.argv, ["/nowhere/project/bin/encode", "--fast"]);
    assert_eq!(
        worker.program.env,
        [("LANG".to_owned(), "C.UTF-8".to_owned()), ("RETRIES".to_owned(), "3".to_owned())]
    );
    assert_eq!((worker.streams, worker.protocol, worker.workspace), (4, Protocol::Strict, Workspace::None));
    assert_eq!((worker.timeout.hard, worker.timeout.soft), (900 * SECOND, 600 * SECOND));
    assert_eq!((worker.timeout.grace, worker.timeout.stall_after), (5 * SECOND, Some(90 * SECOND)));
    assert_eq!(worker.timeout.soft_signal, Some(10));
    let retry = &worker.retry;
    assert_eq!((retry.max_attempts, retry.max_crashes, retry.max_timeouts), (5, 3, 4));
    assert_eq!((retry.max_lost, retry.max_worker_broken), (6, 7));
    assert_eq!((retry.max_deferrals, retry.max_interruptions), (8, 9));
    assert_eq!((retry.backoff.factor, retry.backoff.jitter, retry.on_lost), (3, Jitter::None, OnLost::Fail));
    assert_eq!(worker.exit_codes.meaning(1), Meaning::Succeeded);
    assert_eq!(worker.exit_codes.meaning(7), Meaning::Deferred);
    assert_eq!(worker.exit_codes.meaning(200), Meaning::NotRetriable);
    assert_eq!((worker.bounds.params, worker.bounds.log), (2 << 20, 6 << 20));
    assert_eq!((worker.bounds.nesting, worker.bounds.events_per_second), (64, 10));
    assert_eq!(
        worker.metadata.as_deref(),
        Some(
            r#"{"version":1.20,"tags":["a",true,null],"nested":{"n":"0x1F"},"description":"Encodes videos"}"#
        )
    );
}

#[test]
fn what_is_left_out_is_what_the_domain_says() {
    let config = loaded(&worker("")).config;
    let [worker] = config.workers.as_slice() else { panic!("one worker") };
    assert_eq!(worker.timeout, TimeoutPolicy::default());
    assert_eq!(worker.retry, RetryPolicy::default());
    assert_eq!(worker.bounds, Bounds::default());
    assert_eq!((worker.streams, worker.protocol, worker.workspace), (1, Protocol::Json, Workspace::Full));
    assert!(worker.exit_codes.exceptions.is_empty() && !worker.exit_codes.unknown_is_final);
    assert_eq!(config.lease, wh_domain::lease::LeasePolicy::default());
    assert_eq!(config.queue.ageing, Ageing::default());
    assert_eq!(config.queue.max_size, 10_000_000);
    assert_eq!(config.store, StoreUrl::Sqlite(PathBuf::from("/nowhere/.workerhost/tasks.db")));
    assert_eq!(config.host.drain, 30 * SECOND);
    assert_eq!((config.host.streams_on(1), config.host.streams_on(16)), (3, 16));
    let retention = config.retention;
    assert_eq!(retention.poisoned, 30 * 86_400 * SECOND);
    assert_eq!((retention.finished, retention.store_size), (5_000_000, 20 << 30));
}

#[test]
fn json_and_yaml_say_the_same() {
    let text = r#"{
	"workers": [{"name": "w", "command": ["/bin/sh", "-c", "a\/b \u00e4\ud83d\ude00\t"], "task_types": ["T"],
	"timeout": 90, "max_attempts": 2}]
}"#;
    let json = parse("w.json", text, Path::new("/nowhere"), &nothing)
        .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let same = "workers: [{name: w, command: [/bin/sh, -c, \"a/b ä😀\\t\"], task_types: [T], timeout: 1m30s, max_retries: 2}]";
    assert_eq!(json.config.workers, loaded(same).config.workers);
}

#[test]
fn byte_order_marks_windows_lines_and_tabs_do_no_harm() {
    let config = loaded("\u{feff}host:\r\n  name:\t alpha\t# here\r\nqueue: {\tmax_size:\t5\t}\r\n").config;
    assert_eq!(config.host.name.as_deref(), Some("alpha"));
    assert_eq!(config.queue.max_size, 5);
}

#[test]
fn the_names_of_one_thing_may_stand_together_when_they_agree() {
    let attempts = |lines: &str| loaded(&worker(lines)).config.workers[0].retry.max_attempts;
    assert_eq!(attempts("max_retries: 4"), 4);
    assert_eq!(attempts("max_attempts: 4"), 4);
    assert_eq!(attempts("retry: {attempts: 4}"), 4);
    assert_eq!(attempts("retry: {max_attempts: 4}"), 4);
    assert_eq!(attempts("max_attempts: 4\n    max_retries: 4\n    retry: {attempts: 4, max_attempts: 4}"), 4);
    let streams = |lines: &str| loaded(&worker(lines)).config.workers[0].streams;
    assert_eq!(streams("max_concurrent: 5"), 5);
}

#[test]
fn the_environment_wins_over_the_file() {
    let env = |name: &str| {
        let value = match name {
            "WORKERHOST_LOGGING_LEVEL" => "DEBUG",
            "WORKERHOST_DATA_DIR" => "/var/lib/w",
            "WORKERHOST_HOST_NAME" => "beta",
            "WORKERHOST_TASKMANAGER_URL" => "https://other.example.org/api",
            "WORKERHOST_QUEUE_MAX_SIZE" => "",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let text = "logging: {level: error}\nqueue: {max_size: 7}\nhost:\n";
    let config = parse("w.yaml", text, Path::new("/nowhere"), &env).unwrap().config;
    assert_eq!(config.logging.level, LogLevel::Debug);
    assert_eq!(config.data_dir, Path::new("/var/lib/w"));
    assert_eq!(config.host.name.as_deref(), Some("beta"));
    assert_eq!(config.queue.max_size, 7);
    let shown = wh_config::show(&config, true);
    assert!(shown.contains("level: debug  # environment WORKERHOST_LOGGING_LEVEL\n"), "{shown}");
    assert!(shown.contains("max_size: 7  # w.yaml:2\n"), "{shown}");
    assert!(shown.contains("drain: 30s  # default\n"), "{shown}");
    let told = wh_config::show_json(&config, true);
    assert_eq!(told["queue"]["max_size"], serde_json::json!({"value": 7, "origin": "w.yaml:2"}));
}

#[test]
fn what_a_worker_is_told_is_never_read_as_configuration() {
    let env = |name: &str| name.starts_with("WORKERHOST_TASK_").then(|| "7".to_owned());
    let text = worker("description: \"${WORKERHOST_TASK_ID:-none}\"");
    let problems = parse("w.yaml", &text, Path::new("/nowhere"), &env).unwrap_err();
    assert_eq!(
        messages(&problems),
        ["`WORKERHOST_TASK_ID` is given to workers by the host and is never read as configuration"]
    );
}

#[test]
fn variables_are_filled_in_inside_values_and_never_add_keys() {
    let env = |name: &str| (name == "LINES").then(|| "a\nmode: pool # \"".to_owned());
    let text = worker("env: {A: \"${LINES}\", B: \"${NONE:-x y}\", C: \"$${LINES}\", D: $5}");
    let config = parse("w.yaml", &text, Path::new("/nowhere"), &env).unwrap().config;
    let values: Vec<_> = config.workers[0].program.env.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["a\nmode: pool # \"", "x y", "${LINES}", "$5"]);
    let count = |name: &str| (name == "COUNT").then(|| "5".to_owned());
    let text = worker("streams: \"${COUNT}\"");
    assert_eq!(parse("w.yaml", &text, Path::new("/"), &count).unwrap().config.workers[0].streams, 5);
}

#[test]
fn stores_are_named_by_a_url_or_a_path() {
    let store = |text: &str| match yaml(&format!("store: {text:?}")) {
        Ok(loaded) => {
            let StoreUrl::Sqlite(path) = loaded.config.store;
            path.display().to_string()
        }
        Err(problems) => errors(&problems).join("\n"),
    };
    assert_eq!(store("sqlite:a.db"), "/nowhere/a.db");
    assert_eq!(store("sqlite:///var/a.db"), "/var/a.db");
    assert_eq!(store("a.db"), "/nowhere/a.db");
    assert_eq!(
        store("postgres://me:hunter2@h/d"),
        "`store`: `postgres://me:<redacted>@h/d` is no store that this version knows"
    );
    for none in ["sqlite::memory:", "sqlite:", ".", "sqlite:..", "kept/", "kept/.", "~/a.db"] {
        assert_eq!(store(none), format!("`store`: `{none}` names no file"));
    }
}

/// Store and directory of a configuration with these variables, or what is wrong with it.
fn place(text: &str, variables: &[(&str, &str)]) -> Result<(String, String), String> {
    let env = |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned());
    match parse("w.yaml", text, Path::new("/nowhere"), &env) {
        Ok(loaded) => {
            let StoreUrl::Sqlite(store) = loaded.config.store;
            Ok((store.display().to_string(), loaded.config.data_dir.display().to_string()))
        }
        Err(problems) => Err(problems.render(false)),
    }
}

#[test]
fn the_store_lies_directly_in_its_data_directory_whichever_of_the_two_is_given() {
    let check = |text: &str, variables: &[(&str, &str)], store: &str, data_dir: &str| {
        assert_eq!(place(text, variables), Ok((store.into(), data_dir.into())), "{text} {variables:?}");
    };
    let (store, dir) = ("WORKERHOST_STORE", "WORKERHOST_DATA_DIR");
    check("", &[], "/nowhere/.workerhost/tasks.db", "/nowhere/.workerhost");
    check("data_dir: kept", &[], "/nowhere/kept/tasks.db", "/nowhere/kept");
    check("store: sqlite:kept/a.db", &[], "/nowhere/kept/a.db", "/nowhere/kept");
    check("store: /var/w/a.db", &[], "/var/w/a.db", "/var/w");
    check("store: a.db", &[], "/nowhere/a.db", "/nowhere");
    check("store: kept/a.db\ndata_dir: kept/", &[], "/nowhere/kept/a.db", "/nowhere/kept/");
    check("store: ./a.db\ndata_dir: .", &[], "/nowhere/./a.db", "/nowhere/.");
    check("", &[(store, "/var/w/a.db")], "/var/w/a.db", "/var/w");
    check("data_dir: x", &[(dir, "/var/w")], "/var/w/tasks.db", "/var/w");
    check("store: b/a.db", &[(store, "/var/w/a.db"), (dir, "/var/w")], "/var/w/a.db", "/var/w");
}

#[test]
fn a_store_apart_from_its_data_directory_is_refused_with_both_places_and_what_to_write() {
    let refused = |text: &str, variables: &[(&str, &str)], parts: &[&str]| {
        let told = place(text, variables).unwrap_err();
        for part in parts {
            assert!(told.contains(part), "{part} is missing in\n{told}");
        }
    };
    let (store, dir) = ("WORKERHOST_STORE", "WORKERHOST_DATA_DIR");
    let said = "`store` (w.yaml:1) is `sqlite:a/t.db`, but `data_dir` (w.yaml:2) is `b`: \
                a store lies directly in its data directory";
    let mend = "take out `data_dir`, or write `store: sqlite:b/t.db`";
    refused("store: sqlite:a/t.db\ndata_dir: b", &[], &[said, mend]);
    refused("store: b/deeper/t.db\ndata_dir: b", &[], &[mend]);
    refused(
        "data_dir: b",
        &[(store, "/v/t.db")],
        &["`store` (environment WORKERHOST_STORE) is `/v/t.db`", mend],
    );
    let said = "`data_dir` (environment WORKERHOST_DATA_DIR) is `/v`";
    refused("store: a/t.db", &[(dir, "/v")], &[said, "`store: sqlite:/v/t.db`"]);
    refused("store: \"${X}\"\ndata_dir: b", &[("X", "hush")], &["`store: sqlite:b/NAME`"]);
    assert!(!place("store: \"${X}\"\ndata_dir: b", &[("X", "hush")]).unwrap_err().contains("hush"));
}

#[test]
fn two_names_of_one_directory_are_one_directory() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("kept")).unwrap();
    std::os::unix::fs::symlink("kept", home.path().join("link")).unwrap();
    let text = "store: link/a.db\ndata_dir: kept";
    let config = parse("w.yaml", text, home.path(), &nothing).unwrap().config;
    assert_eq!(config.data_dir, home.path().join("kept"));
}

#[test]
fn the_directory_that_holds_is_shown_and_reads_back_the_same() {
    for text in ["", "store: a.db", "store: sqlite:kept/a.db", "store: sqlite:/var/w/a.db", "data_dir: kept"]
    {
        let config = loaded(text).config;
        let again = loaded(&wh_config::show(&config, false)).config;
        assert_eq!((again.store, again.data_dir), (config.store, config.data_dir), "{text}");
    }
}

#[test]
fn a_file_is_read_and_relative_paths_start_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("w.yml");
    fs::write(&file, "data_dir: kept\n").unwrap();
    let config = load(&file, &nothing).unwrap().config;
    assert_eq!(config.data_dir, directory.path().join("kept"));
    let problems = load(&directory.path().join("none.yaml"), &nothing).unwrap_err();
    assert!(problems.has_errors() && problems.render(false).contains("none.yaml"));
}

#[test]
fn an_isolated_worker_that_cannot_list_its_own_directory_is_warned_of() {
    let dir = tempfile::tempdir().unwrap();
    let text = |more: &str| format!("{more}workers:\n  - {{name: w, command: [cat], task_types: [t]}}\n");
    let warnings = |text: &str| {
        let loaded =
            parse("w.yaml", text, dir.path(), &environment).unwrap_or_else(|problems| panic!("{problems}"));
        messages(&loaded.warnings)
    };
    // Also before it is there.
    for _ in 0..2 {
        let told = warnings(&text("data_dir: kept\n"));
        assert!(told[0].contains("in which worker `w` starts, and which it cannot list"), "{told:?}");
        fs::create_dir_all(dir.path().join("kept")).unwrap();
    }
    assert_eq!(warnings(&text("data_dir: kept\n").replace("[t]", "[t], isolation: none")), [""; 0]);
    assert_eq!(warnings(&text("")).len(), 1, "there is no home for it");
    let with_a_home = |name: &str| (name == "HOME").then(|| "/home/u".to_owned());
    let loaded =
        parse("w.yaml", &text(""), dir.path(), &with_a_home).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(messages(&loaded.warnings), [""; 0], "by default it is made elsewhere");
}

#[test]
fn the_home_of_what_must_last_is_the_users_and_only_where_nobody_chose_a_place() {
    let data_home = |text: &str, variables: &[(&str, &str)]| {
        let env =
            |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned());
        parse("w.yaml", text, Path::new("/nowhere"), &env)
            .unwrap_or_else(|problems| panic!("{problems}"))
            .config
            .data_home()
            .map(Path::to_owned)
    };
    let (home, named) = (("HOME", "/home/u"), ("XDG_STATE_HOME", "/state"));
    assert_eq!(data_home("", &[home]).as_deref(), Some(Path::new("/home/u/.local/state/workerhost")));
    assert_eq!(data_home("", &[home, named]).as_deref(), Some(Path::new("/state/workerhost")));
    assert_eq!(
        data_home("", &[("XDG_STATE_HOME", "state")]),
        None,
        "a relative one is none, as the specification says"
    );
    for chosen in ["data_dir: kept", "store: sqlite:kept/a.db"] {
        assert_eq!(data_home(chosen, &[home, named]), None);
    }
}

#[test]
fn outputs_are_read_with_what_they_are_to_be() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("s.json"), "{}").unwrap();
    let text = "workers:\n  - {name: w, command: [x], task_types: [t], outputs: [{path: a.md, format: markdown, min_size: 1KiB}, \
                {path: \"d/*\", format: json_schema, schema: s.json, min_count: 3}, {path: b}]}\n";
    let loaded = parse("w.yaml", text, dir.path(), &|_| None).unwrap_or_else(|problems| panic!("{problems}"));
    let outputs = &loaded.config.workers[0].outputs;
    let told: Vec<_> = outputs.iter().map(|it| (it.path.as_str(), it.min_size, it.min_count)).collect();
    assert_eq!(told, [("a.md", 1_024, 1), ("d/*", 1, 3), ("b", 1, 1)]);
    let schema = Format::JsonSchema(dir.path().join("s.json"));
    assert_eq!(
        outputs.iter().map(|it| &it.format).collect::<Vec<_>>(),
        [&Format::Markdown, &schema, &Format::Any]
    );
    fs::write(dir.path().join("s.json"), "{\"type\": 5}").unwrap();
    let problems = parse("w.yaml", text, dir.path(), &|_| None).err().unwrap().to_string();
    assert!(problems.contains("`s.json` is no JSON Schema"), "{problems}");
}
