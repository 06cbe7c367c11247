//! The options of the stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluicebox_file_load::{Compression, Mode, Target};
use sluicebox_stage::Fault;

/// How the file is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// The file to write, e.g. "out/flights.jsonl"; its folder has to be granted with grants.write. With mode =
    /// "append", a folder.
    pub path: String,
    /// "replace": the file takes the place of what is there. "append": `path` is a folder, and every run adds a file;
    /// a later run for the same data interval replaces it.
    #[serde(default)]
    pub mode: Mode,
    /// "null": a null is written as null. "omit": its key is left out.
    #[serde(default)]
    pub nulls: Nulls,
    /// "number": decimals are written as numbers, all digits kept. "string": between quotes, for readers that make
    /// every number a 64-bit float.
    #[serde(default)]
    pub decimals: Decimals,
    /// "none", "gzip" or "zstd"; without it, what the path ends in: ".gz" or ".zst".
    #[serde(default)]
    pub compression: Option<Compression>,
}

/// What becomes of a null.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nulls {
    /// `"key":null`
    #[default]
    Null,
    /// The key is left out.
    Omit,
}

/// How a decimal is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decimals {
    /// `12.30`
    #[default]
    Number,
    /// `"12.30"`
    String,
}

impl Options {
    /// Where the load goes.
    pub(crate) fn target(&self) -> Result<Target, Fault> {
        Target::new(&self.path, self.mode, &self.compression().extension(".jsonl"))
    }

    pub(crate) fn compression(&self) -> Compression {
        Compression::chosen(self.compression, &self.path)
    }
}
