//! The rules of `deny.toml`, and what `Cargo.lock` lists.

use serde::Deserialize;

/// The part of `deny.toml` that is checked here; cargo-deny knows more.
#[derive(Debug, Deserialize)]
pub(super) struct Policy {
    pub(super) licenses: Licenses,
    pub(super) bans: Bans,
    pub(super) sources: Sources,
}

/// Which licences will do.
#[derive(Debug, Deserialize)]
pub(super) struct Licenses {
    /// SPDX identifiers.
    pub(super) allow: Vec<String>,
}

/// Which crates will not.
#[derive(Debug, Deserialize)]
pub(super) struct Bans {
    pub(super) deny: Vec<Named>,
    /// Crates that may be built in two versions.
    #[serde(default)]
    pub(super) skip: Vec<Named>,
}

/// A crate, and why it is on the list.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    /// Its name, or `name@version`.
    #[serde(rename = "crate")]
    pub(super) name: String,
    pub(super) reason: String,
}

/// Where crates may come from.
#[derive(Debug, Deserialize)]
pub(super) struct Sources {
    #[serde(rename = "allow-registry")]
    pub(super) registries: Vec<String>,
}

/// What `Cargo.lock` lists: every crate for every platform.
#[derive(Debug, Deserialize)]
pub(super) struct Lock {
    #[serde(rename = "package")]
    pub(super) packages: Vec<Locked>,
}

/// One crate of the lock file.
#[derive(Debug, Deserialize)]
pub(super) struct Locked {
    pub(super) name: String,
    pub(super) version: String,
    /// `None` for our own.
    pub(super) source: Option<String>,
}

impl Policy {
    /// Reads `deny.toml`.
    ///
    /// # Errors
    /// What is wrong with it, with its place.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("deny.toml: {error}"))
    }
}

impl Lock {
    /// Reads `Cargo.lock`.
    ///
    /// # Errors
    /// What is wrong with it, with its place.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("Cargo.lock: {error}"))
    }
}
