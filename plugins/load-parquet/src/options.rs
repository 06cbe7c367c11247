//! The options of the stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluicebox_file_load::{Mode, Target};
use sluicebox_stage::Fault;

use crate::encode::{Codec, Settings};

/// How the file is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// The file to write, e.g. "out/flights.parquet"; its folder has to be granted with grants.write. With mode =
    /// "append", a folder.
    pub path: String,
    /// "replace": the file takes the place of what is there. "append": `path` is a folder, and every run adds a file;
    /// a later run for the same data interval replaces it.
    #[serde(default)]
    pub mode: Mode,
    /// "snappy", "lz4" (LZ4_RAW), "zstd", "gzip" or "none".
    #[serde(default)]
    pub compression: Compression,
    /// Rows of a row group at the most. Its pages are held in memory, compressed, until it is full; a group also ends
    /// when these are 8 MiB.
    #[serde(default = "row_group_rows")]
    #[schemars(range(min = 1, max = 16_777_216))]
    pub row_group_rows: u32,
    /// Whether each column of a row group gets its smallest and greatest value and its count of nulls, by which
    /// readers skip row groups.
    #[serde(default = "yes")]
    pub statistics: bool,
    /// Whether columns whose values repeat are stored by dictionary. It is given up by itself for columns whose values
    /// do not.
    #[serde(default = "yes")]
    pub dictionary: bool,
}

/// What compresses the pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Fast, read by everything.
    #[default]
    Snappy,
    /// Fast, a little smaller; older readers do not know it.
    Lz4,
    /// A little smaller than lz4, and slower to write: about as gzip. It is that of the fastest level.
    Zstd,
    /// Slow to write, small.
    Gzip,
    /// Not compressed.
    None,
}

fn row_group_rows() -> u32 {
    256 * 1024
}

fn yes() -> bool {
    true
}

impl Options {
    /// Where the load goes.
    pub(crate) fn target(&self) -> Result<Target, Fault> {
        if self.row_group_rows == 0 {
            return Err(Fault::invalid_config("`row-group-rows` is 0; write at least 1, or leave it out for 262144"));
        }
        Target::new(&self.path, self.mode, ".parquet")
    }

    pub(crate) fn settings(&self) -> Settings {
        let codec = match self.compression {
            Compression::Snappy => Codec::Snappy,
            Compression::Lz4 => Codec::Lz4,
            Compression::Zstd => Codec::Zstd,
            Compression::Gzip => Codec::Gzip,
            Compression::None => Codec::None,
        };
        Settings { codec, dictionary: self.dictionary, statistics: self.statistics }
    }
}
