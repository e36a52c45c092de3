//! From a file to a configuration: read, substitute, override, check, build.

use crate::assemble::Stopped;
use crate::build::{self, Surroundings};
use crate::check;
use crate::config::{Config, StoreUrl};
use crate::json;
use crate::overrides;
use crate::problem::Problems;
use crate::report::Report;
use crate::source::{At, Source};
use crate::substitute::substitute;
use crate::table::ROOT;
use crate::tree::Node;
use crate::value::Block;
use crate::yaml;
use serde_json::value::RawValue;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest configuration file, in bytes.
pub const MOST_BYTES: usize = 1 << 20;

/// A configuration, and what is worth a look in it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings only.
    pub warnings: Problems,
}

/// Reads a configuration file. Relative paths start at its directory. `env` answers for `${NAME}`, for the
/// variables that override keys, and for `PATH`.
///
/// # Errors
/// All [`Problems`] of the file at once.
pub fn load(source: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Problems> {
    let Content { name, lines, base } = content(source)?;
    parse(&name, &lines, &base, env)
}

/// Where the store of a configuration file is, also where the file is wrong in other places; `None` where it does not
/// say so in a way that can be understood. `env` is as for [`load`].
pub fn locate(source: &Path, env: &dyn Fn(&str) -> Option<String>) -> Option<StoreUrl> {
    let Content { name, lines, base } = content(source).ok()?;
    let text = lines.strip_prefix('\u{feff}').unwrap_or(&lines);
    let mut report = Report::new(Source::new(&name, text));
    let mut root = checked(&name, text, env, &mut report)?;
    let place = build::place(&mut root, &Surroundings { base: &base, env }, &mut report);
    place.map(|place| place.store)
}

/// A file as it was read.
struct Content {
    name: String,
    lines: String,
    /// Where relative paths start.
    base: PathBuf,
}

fn content(source: &Path) -> Result<Content, Problems> {
    let name = source.display().to_string();
    let unreadable = |why: String| {
        Problems::without_place(
            &name,
            &format!("the file cannot be read: {why}"),
            "name a file that can be read",
        )
    };
    let file = std::fs::File::open(source).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large without reading it whole.
    let limit = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() > MOST_BYTES {
        return Err(too_large(&name));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let why = format!("it is not UTF-8 at byte {at}");
            return Err(Problems::without_place(&name, &why, "save the file as UTF-8"));
        }
    };
    let directory = std::path::absolute(source).map_err(|error| unreadable(error.to_string()))?;
    let base = directory.parent().unwrap_or(Path::new("/")).to_owned();
    Ok(Content { name, lines: text, base })
}

/// Reads a configuration from a text. `name` stands for the file in problems, its suffix chooses the format,
/// and relative paths start at `base`.
///
/// # Errors
/// All [`Problems`] of the text at once.
pub fn parse(
    name: &str,
    text: &str,
    base: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Problems> {
    if text.len() > MOST_BYTES {
        return Err(too_large(name));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut report = Report::new(Source::new(name, text));
    let config = checked(name, text, env, &mut report)
        .and_then(|root| build::config(root, &Surroundings { base, env }, &mut report));
    let problems = report.finish();
    match config {
        Some(config) if !problems.has_errors() => Ok(Loaded { config, warnings: problems }),
        _ => Err(problems),
    }
}

/// The keys with their values, as far as they are right.
fn checked(
    name: &str,
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
    report: &mut Report,
) -> Option<Block> {
    let mut root = read(name, text, report)?;
    substitute(&mut root, env, report);
    overrides::apply(&mut root, env, report);
    Some(check::block(&ROOT, &root, report))
}

fn read(name: &str, text: &str, report: &mut Report) -> Option<Node> {
    let is_yaml = Path::new(name)
        .extension()
        .is_some_and(|suffix| suffix.eq_ignore_ascii_case("yaml") || suffix.eq_ignore_ascii_case("yml"));
    let root = if is_yaml {
        yaml::read(text, report)
    } else {
        match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => json::read(text, report),
            Err(error) => Err(json_error(text, &error, report)),
        }
    };
    if root.is_err() {
        report.is_odd();
    }
    root.ok()
}

fn json_error(text: &str, error: &serde_json::Error, report: &mut Report) -> Stopped {
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (line_start + error.column().saturating_sub(1)).min(text.len());
    let start = text.floor_char_boundary(at);
    let told = error.to_string();
    let why = told.split(" at line ").next().unwrap_or("it cannot be read");
    report.error(
        At { source: 0, start, end: start },
        format!("this is no JSON: {why}"),
        "mend this first; the rest of the file could not be read (a file in YAML is named `.yaml` or `.yml`)",
    );
    Stopped
}

fn too_large(name: &str) -> Problems {
    let message = format!("the file is larger than {MOST_BYTES} bytes");
    Problems::without_place(name, &message, "no configuration is that large; name the right file")
}
