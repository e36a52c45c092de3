//! How far a worker is kept from everything else.

use super::surroundings::Surroundings;
use crate::report::Report;
use crate::tree::Scalar;
use crate::value::Block;
use std::path::{Path, PathBuf};
use wh_domain::isolation::{Isolation, Level, Network};

/// A bare level, or a section of its own.
pub(super) fn isolation(block: &Block, around: &Surroundings<'_>, report: &mut Report) -> Option<Isolation> {
    let Some(section) = block.block("isolation") else {
        return Some(Isolation { level: Level::parse(block.word("isolation")?)?, ..Isolation::default() });
    };
    let level = Level::parse(section.word("level")?)?;
    let network = network(section, report);
    let paths = section.block("paths")?;
    let (read, write) =
        (directories(paths, "read", around, report), directories(paths, "write", around, report));
    if level == Level::None {
        for key in ["required", "paths", "network"] {
            if section.is_given(key) {
                let at = section.at(key);
                report.warn(
                    at,
                    format!("`{key}` has no effect at the level `none`"),
                    "write `level: strict`",
                );
            }
        }
    }
    Some(Isolation { level, required: section.flag("required"), read, write, network: network? })
}

/// The paths of a list, from the file's directory or from the home of whoever runs the host.
fn directories(block: &Block, key: &str, around: &Surroundings<'_>, report: &mut Report) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for text in block.texts(key).unwrap_or_default() {
        let path = match (text.text.strip_prefix("~/"), (around.env)("HOME")) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => around.base.join(&text.text),
        };
        if !path.exists() {
            let shown = text.quoted();
            report.warn(
                text.at,
                format!("{shown} is not there"),
                "make it before the host starts; until then the worker cannot reach it",
            );
        }
        paths.push(path);
    }
    paths
}

fn network(section: &Block, report: &mut Report) -> Option<Network> {
    let Some(texts) = section.texts("network") else {
        return Some(if section.word("network")? == "none" { Network::None } else { Network::Any });
    };
    let ports: Vec<Option<u16>> = texts.iter().map(|text| port(text, report)).collect();
    ports.into_iter().collect::<Option<_>>().map(Network::Ports)
}

fn port(text: &Scalar, report: &mut Report) -> Option<u16> {
    let port = text.text.parse().ok().filter(|port| *port != 0);
    if port.is_none() {
        report.error(
            text.at,
            format!("{} is no port", text.quoted()),
            "list ports, for example `network: [443]`; this level does not tell machines apart",
        );
    }
    port
}
