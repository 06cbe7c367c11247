//! What a plugin says of itself.

use schemars::JsonSchema;
use std::fmt;

/// The kind of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// makes batches from something outside
    Extract,
    /// turns batches into batches
    Transform,
    /// finds the rows that break rules
    Validate,
    /// takes batches out of the pipeline
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

/// What a stage asks to be granted; it gets only what the pipeline's author grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// folders to read: `grants.read`
    ReadFiles,
    /// folders to write: `grants.write`
    WriteFiles,
    /// HTTP origins: `grants.http`
    Http,
    /// hosts and ports: `grants.tcp`
    Tcp,
    /// names of environment variables: `grants.env`
    Environment,
    /// the time of day: `grants.clock`
    Clock,
    /// true randomness: `grants.random`
    Random,
}

impl Capability {
    /// The key of a pipeline file that grants it.
    pub fn grant(self) -> &'static str {
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
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// As in pipeline files, e.g. `extract-csv`.
    pub name: String,
    /// The plugin's own version, semver.
    pub version: String,
    /// Which kind of stage it is.
    pub kind: Kind,
    /// One sentence.
    pub summary: String,
    /// JSON Schema (draft 2020-12) of the options.
    pub config_schema: serde_json::Value,
    /// What the stage asks to be granted.
    pub capabilities: Vec<Capability>,
    /// Whether the answer to a batch depends on that batch alone.
    pub stateless: bool,
}

impl Description {
    #[doc(hidden)]
    pub fn of<Options: JsonSchema>(name: &str, version: &str, kind: Kind) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            kind,
            summary: String::new(),
            config_schema: schemars::schema_for!(Options).to_value(),
            capabilities: Vec::new(),
            stateless: false,
        }
    }
}

/// A type that [`export!`](crate::export) was called with.
#[doc(hidden)]
pub trait Described {
    fn describe() -> Description;
}
