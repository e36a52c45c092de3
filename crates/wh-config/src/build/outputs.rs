//! What a worker is to leave in its output.

use super::surroundings::Surroundings;
use crate::report::Report;
use crate::value::Block;
use wh_domain::outputs::{Format, MOST_OUTPUTS, Output, OutputPath};
use wh_formats::{BadSchema, Schema};

/// Every declared output. Without a workspace there is nowhere to leave any.
pub(super) fn outputs(block: &Block, around: &Surroundings<'_>, report: &mut Report) -> Option<Vec<Output>> {
    let blocks = block.blocks("outputs");
    if blocks.is_empty() {
        return Some(Vec::new());
    }
    let at = block.at("outputs");
    if block.word("workspace") == Some("none") {
        report.error(at, "a worker without a workspace can leave no outputs", "write `workspace: full`");
        return None;
    }
    if blocks.len() > MOST_OUTPUTS {
        let help = "let one stand for several: a `*` is any characters of a name";
        report.error(at, format!("more than {MOST_OUTPUTS} outputs are declared"), help);
        return None;
    }
    let outputs: Vec<Option<Output>> = blocks.iter().map(|block| output(block, around, report)).collect();
    outputs.into_iter().collect()
}

fn output(block: &Block, around: &Surroundings<'_>, report: &mut Report) -> Option<Output> {
    let path = path(block, report);
    let format = format(block, around, report);
    let path = path?;
    let min_count = block.count("min_count")?;
    if min_count > 1 && !path.is_pattern() {
        let at = block.at("min_count");
        report.error(
            at,
            "one name stands for one file",
            "write a `*` into `path`, for example `path: \"*.csv\"`",
        );
        return None;
    }
    Some(Output { path, format: format?, min_size: block.size("min_size")?, min_count })
}

fn path(block: &Block, report: &mut Report) -> Option<OutputPath> {
    let Some(text) = block.text("path") else {
        if !block.is_broken("path") {
            report.error(
                block.at,
                "this output has no `path`",
                "name its file, for example `path: report.md`",
            );
        }
        return None;
    };
    match OutputPath::parse(&text.text) {
        Ok(path) => Some(path),
        Err(bad) => {
            let help = "write where it lies below `output/`, for example `path: report.md` or `path: \"pages/*.csv\"`";
            report.error(text.at, format!("the path {} {bad}", text.quoted()), help);
            None
        }
    }
}

fn format(block: &Block, around: &Surroundings<'_>, report: &mut Report) -> Option<Format> {
    let word = block.word("format")?;
    let schema = block.text("schema");
    if let Some(schema) = schema.filter(|_| word != "json_schema") {
        report.error(
            schema.at,
            format!("`schema` is for JSON, and the format is `{word}`"),
            "write `format: json_schema`",
        );
        return None;
    }
    Some(match word {
        "json" => Format::Json,
        "markdown" => Format::Markdown,
        "csv" => Format::Csv,
        "yaml" => Format::Yaml,
        "utf8" => Format::Utf8,
        "json_schema" => {
            let Some(schema) = schema else {
                let at = block.at("format");
                report.error(
                    at,
                    "`json_schema` needs a schema",
                    "name its file, for example `schema: order.schema.json`",
                );
                return None;
            };
            let file = around.base.join(&schema.text);
            if let Err(bad) = Schema::read(&file) {
                let (BadSchema::Unreadable { why, .. } | BadSchema::Wrong { why, .. }) = bad;
                let message = format!("{} is no JSON Schema: {why}", schema.quoted());
                report.error(schema.at, message, "write a JSON Schema into it, or name another file");
                return None;
            }
            Format::JsonSchema(file)
        }
        _ => Format::Any,
    })
}
