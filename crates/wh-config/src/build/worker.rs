//! Workers: each key of one, put together, and all of them held against each other.

use super::surroundings::Surroundings;
use super::{isolation, outputs, program, retry, timeout};
use crate::metadata;
use crate::report::Report;
use crate::source::At;
use crate::tree::Scalar;
use crate::value::Block;
use std::collections::HashMap;
use wh_domain::id::WorkerName;
use wh_domain::limits::Limits;
use wh_domain::routing::TypePattern;
use wh_domain::worker::{Bounds, Protocol, Worker, Workspace};

/// Every worker of the file.
pub(super) fn all(root: &Block, around: &Surroundings<'_>, report: &mut Report) -> Vec<Worker> {
    let mut workers = Vec::new();
    let mut names: HashMap<WorkerName, At> = HashMap::new();
    for block in root.blocks("workers").iter().chain(single(root, report)).filter(|block| !block.is_lost()) {
        let name = name(block, report);
        if let Some(name) = &name {
            told_twice(block, name, &mut names, report);
        }
        workers.extend(one(block, name, around, report));
    }
    if !root.is_given("workers") && !root.is_given("worker") {
        report.warn(
            root.at,
            "no workers are configured",
            "add one under `workers:`; until then tasks only wait",
        );
    }
    workers
}

/// The worker of the `worker` section. Older files have one without anything to run; it is then left out.
fn single<'b>(root: &'b Block, report: &mut Report) -> Option<&'b Block> {
    let block = root.block("worker")?;
    if block.is_lost() || program::is_given(block) {
        return Some(block);
    }
    report.warn(
        block.at,
        "`worker` says nothing to run, so there is no such worker",
        "add `command: [program, argument]` and `task_types` to it",
    );
    None
}

fn name(block: &Block, report: &mut Report) -> Option<WorkerName> {
    if block.is_broken("name") {
        return None;
    }
    let Some(text) = name_text(block) else {
        report.error(block.at, "this worker has no `name`", "give it one, for example `name: video`");
        return None;
    };
    match WorkerName::new(&text.text) {
        Ok(name) => Some(name),
        Err(bad) => {
            report.error(
                text.at,
                format!("the name of this worker {bad}"),
                "write for example `name: video`",
            );
            None
        }
    }
}

/// What older files call a worker stands in for a name.
fn name_text(block: &Block) -> Option<&Scalar> {
    block.text("name").or_else(|| block.text("worker_type"))
}

fn told_twice(block: &Block, name: &WorkerName, names: &mut HashMap<WorkerName, At>, report: &mut Report) {
    let Some(text) = name_text(block) else { return };
    if let Some(first) = names.get(name) {
        let line = report.line(*first);
        report.error(
            text.at,
            format!("a second worker has the name {}", text.quoted()),
            format!("give it another name; the first is in line {line}"),
        );
    } else {
        names.insert(name.clone(), text.at);
    }
}

fn one(
    block: &Block,
    name: Option<WorkerName>,
    around: &Surroundings<'_>,
    report: &mut Report,
) -> Option<Worker> {
    let task_types = task_types(block, report);
    let program = program::program(block, around, report);
    let isolation = isolation::isolation(block, around, report);
    let timeout = timeout::timeout(block, report);
    let retry = retry::retry(block, report);
    let exit_codes = retry::exit_codes(block, report);
    let outputs = outputs::outputs(block, around, report);
    let (program, files) = program?;
    Some(Worker {
        name: name?,
        task_types: task_types?,
        streams: block.count("streams")?,
        program,
        protocol: match block.word("protocol")? {
            "strict" => Protocol::Strict,
            "raw" => Protocol::Raw,
            _ => Protocol::Json,
        },
        workspace: if block.word("workspace")? == "none" { Workspace::None } else { Workspace::Full },
        isolation: isolation?,
        limits: limits(block.block("limits")?)?,
        timeout: timeout?,
        retry: retry?,
        outputs: outputs?,
        exit_codes: exit_codes?,
        bounds: bounds(block.block("bounds")?)?,
        metadata: metadata::of(block),
        files,
    })
}

fn task_types(block: &Block, report: &mut Report) -> Option<Vec<TypePattern>> {
    if block.is_broken("task_types") {
        return None;
    }
    let texts = block.texts("task_types").unwrap_or_default();
    if texts.is_empty() {
        let at = block.at("task_types");
        report.error(
            at,
            "this worker has no `task_types`, so it would never be given a task",
            "list the types it takes, for example `task_types: [\"Media.Video.*\"]`, or `[\"*\"]` for all",
        );
        return None;
    }
    let mut patterns: Vec<TypePattern> = Vec::new();
    let mut whole = true;
    for text in texts {
        match TypePattern::parse(&text.text) {
            Ok(pattern) if patterns.contains(&pattern) => {
                report.warn(text.at, format!("{} stands here twice", text.quoted()), "take one out");
            }
            Ok(pattern) => patterns.push(pattern),
            Err(bad) => {
                whole = false;
                report.error(
                    text.at,
                    format!("the task type {} {bad}", text.quoted()),
                    "write for example `Media.Video.Encode`, `Media.Video.*` or `*`",
                );
            }
        }
    }
    whole.then_some(patterns)
}

/// What says `unlimited` is no number.
fn limits(block: &Block) -> Option<Limits> {
    let mib = |key| block.whole(key).map(|number| number << 20);
    Some(Limits {
        memory: mib("memory_mb"),
        grow_memory: block.count("grow_memory")?,
        cpu_percent: block.count("cpu_percent"),
        processes: block.count("processes"),
        open_files: block.whole("open_files"),
        file_size: mib("file_size_mb"),
        workspace: mib("workspace_mb"),
        inodes: block.whole("inodes"),
        output: mib("output_mb"),
    })
}

fn bounds(block: &Block) -> Option<Bounds> {
    Some(Bounds {
        params: block.size("params")?,
        result: block.size("result")?,
        line: block.size("line")?,
        stdout: block.size("stdout")?,
        log: block.size("log")?,
        nesting: block.count("nesting")?,
        events_per_second: block.count("events_per_second")?,
    })
}
