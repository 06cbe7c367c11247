//! What a plugin says of itself, and how it is told from another.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Makes batches from something outside.
    Extract,
    /// Turns batches into batches.
    Transform,
    /// Finds the rows that break rules.
    Validate,
    /// Takes batches out of the pipeline.
    Load,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Extract => "extract",
            Self::Transform => "transform",
            Self::Validate => "validate",
            Self::Load => "load",
        })
    }
}

/// What a plugin may ask to be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// `grants.read`
    ReadFiles,
    /// `grants.write`
    WriteFiles,
    /// `grants.http`
    Http,
    /// `grants.tcp`
    Tcp,
    /// `grants.env`
    Environment,
    /// `grants.clock`
    Clock,
    /// `grants.random`
    Random,
}

impl Capability {
    /// The key of the pipeline file that grants it.
    pub fn grant_key(self) -> &'static str {
        match self {
            Self::ReadFiles => "grants.read",
            Self::WriteFiles => "grants.write",
            Self::Http => "grants.http",
            Self::Tcp => "grants.tcp",
            Self::Environment => "grants.env",
            Self::Clock => "grants.clock",
            Self::Random => "grants.random",
        }
    }
}

/// What a plugin says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Description {
    /// As in pipeline files, e.g. `extract-csv`.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// The kind of stage that it implements.
    pub kind: Kind,
    /// One sentence.
    pub summary: String,
    /// JSON Schema (draft 2020-12) of the options.
    pub config_schema: serde_json::Value,
    /// What it asks for.
    pub capabilities: Vec<Capability>,
    /// Whether the answer to a batch depends on that batch alone.
    pub stateless: bool,
    /// Whether its work can be split over instances (it exports `splittable`).
    pub splittable: bool,
}

/// SHA-256 of a component file, in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
