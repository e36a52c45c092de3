//! What a task brings along is laid into `input/`.

use crate::briefing::ParamsFile;
use crate::hindrance;
use crate::workspace::place::Place;
use crate::workspace::{beneath, digest};
use rustix::fs::{Mode, OFlags, openat};
use std::ffi::CString;
use std::io;
use std::path::PathBuf;
use wh_domain::ending::Hindrance;
use wh_domain::task::InputFile;

/// Lays attached files into `input/`. They are copies: a worker may do with them as it likes.
pub(crate) fn inputs(place: &Place, inputs: &[(InputFile, PathBuf)]) -> Result<(), Hindrance> {
    for (input, path) in inputs {
        let name = component(&input.name).map_err(hindrance::task)?;
        let what = format!("its input {} cannot be staged", input.name);
        let from = std::fs::File::open(path).map_err(|error| hindrance::reading(&what, &error))?;
        copy(place, &name, from).map_err(|error| hindrance::naming(&what, &error))?;
    }
    Ok(())
}

/// Lays large params into `input/params.json`; returns their size and digest.
pub(crate) fn params(place: &Place, params: &ParamsFile<'_>) -> Result<(u64, String), Hindrance> {
    const WHAT: &str = "its params cannot be staged";
    let (size, digest) = match params {
        ParamsFile::Text(text) => (copy(place, c"params.json", text.as_bytes()), digest::of_text(text)),
        ParamsFile::File { path, sha256 } => {
            let from = std::fs::File::open(path).map_err(|error| hindrance::reading(WHAT, &error))?;
            (copy(place, c"params.json", from), (*sha256).to_owned())
        }
    };
    Ok((size.map_err(|error| hindrance::host(WHAT, &error))?, digest))
}

/// A name that cannot lead anywhere else.
fn component(name: &str) -> Result<CString, String> {
    InputFile::check_name(name)
        .map_err(|error| format!("{name:?} cannot be the name of an input, it {error}"))?;
    CString::new(name).map_err(|error| format!("{name:?} cannot be the name of an input: {error}"))
}

fn copy(place: &Place, name: &std::ffi::CStr, mut from: impl io::Read) -> io::Result<u64> {
    let input = beneath::directory(&place.root, c"input")?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let to = openat(&input, name, flags, Mode::RUSR | Mode::WUSR)?;
    io::copy(&mut from, &mut std::fs::File::from(to))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn an_inputs_name_is_one_component_and_none_of_the_hosts() {
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "/etc/passwd",
            "../x",
            "a\0b",
            "config.yaml",
            "params.json",
            &"x".repeat(256),
        ] {
            assert!(component(name).is_err(), "{name:?}");
        }
        for name in ["a", "..a", "a b", "new\nline", "é", &"x".repeat(255)] {
            assert!(component(name).is_ok(), "{name:?}");
        }
    }
}
