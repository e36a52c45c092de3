//! The host's own values.

use super::surroundings::Surroundings;
use crate::config::{HostConfig, LogConfig, LogLevel, QueueConfig, Retention};
use crate::report::Report;
use crate::value::{Block, Value};
use std::collections::BTreeMap;
use wh_domain::lease::LeasePolicy;
use wh_domain::priority::Ageing;
use wh_domain::time::millis;

pub(super) fn host(root: &Block) -> Option<HostConfig> {
    let block = root.block("host")?;
    Some(HostConfig {
        name: block.text("name").map(|text| text.text.clone()),
        labels: labels(block),
        streams: block.count("streams"),
        drain: block.time("drain")?,
        max_load: block.whole("max_load").map(|load| load * 100),
        min_free_memory: block.size("min_free_memory"),
        min_free_disk: block.size("min_free_disk"),
    })
}

fn labels(block: &Block) -> BTreeMap<String, String> {
    match block.get("labels").map(|setting| &setting.value) {
        Some(Value::Texts(names)) => names.iter().map(|name| (name.text.clone(), String::new())).collect(),
        Some(Value::Map(entries)) => {
            entries.iter().map(|(name, leaf)| (name.text.clone(), leaf.text.text.clone())).collect()
        }
        _ => BTreeMap::new(),
    }
}

pub(super) fn queue(root: &Block) -> Option<QueueConfig> {
    let block = root.block("queue")?;
    let ageing = match block.time("ageing") {
        Some(step) => Ageing::Step(millis(step)),
        None => Ageing::Strict,
    };
    Some(QueueConfig { max_size: block.whole("max_size")?, ageing })
}

pub(super) fn retention(root: &Block) -> Option<Retention> {
    let block = root.block("retention")?;
    Some(Retention {
        completed: block.time("completed")?,
        poisoned: block.time("poisoned")?,
        cancelled: block.time("cancelled")?,
        finished: block.whole("finished")?,
        store_size: block.size("store_size")?,
        workspaces: block.time("workspaces")?,
        workspaces_size: block.size("workspaces_size")?,
    })
}

pub(super) fn lease(root: &Block, report: &mut Report) -> Option<LeasePolicy> {
    let block = root.block("lease")?;
    let lease = LeasePolicy { length: block.time("length")?, renew_every: block.time("renew_every")? };
    if lease.renew_every > lease.length / 3 {
        let key = if block.is_given("renew_every") { "renew_every" } else { "length" };
        report.error(
            block.at(key),
            "`lease.renew_every` is more than a third of `lease.length`",
            "write for example `lease: {length: 30s, renew_every: 7500ms}`",
        );
        return None;
    }
    Some(lease)
}

pub(super) fn logging(root: &Block, around: &Surroundings<'_>) -> Option<LogConfig> {
    let block = root.block("logging")?;
    let level = match block.word("level")? {
        "error" => LogLevel::Error,
        "warning" => LogLevel::Warning,
        "info" => LogLevel::Info,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        _ => return None,
    };
    Some(LogConfig {
        level,
        structured: block.flag("structured"),
        file: around.path(block, "file"),
        max_bytes: block.size("max_bytes")?,
        backup_count: block.count("backup_count")?,
        capture_worker_output: block.flag("capture_worker_output"),
    })
}
