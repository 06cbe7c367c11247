//! The options of a pipeline file.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_file_read::{BrokenRows, Compression, FileOptions, FileSettings, Incremental, Paths, defaults};
use sluicebox_stage::{Context, Fault};
use std::collections::BTreeMap;

/// Reads newline-delimited JSON into typed columns.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// The file, or a pattern for several: `*`, `?`, `[a-z]` and `{a,b}` match within a name, `**` matches folders. Or a list
    /// of such. The folder has to be granted: `grants.read = ["data"]`. Files of one pattern are read in the order of
    /// their paths.
    pub path: Paths,
    /// Where the value of each column stands in a line: `columns = { id = "id", city = "address.city", first = "tags[0]" }`. A
    /// key with a dot in it is quoted: `"\"a.b\".c"`. Columns come in the order of their names. Without it, there is a column
    /// for each key of the sample's objects, in the order in which they turn up, and for each column that `types` names.
    pub columns: Option<BTreeMap<String, String>>,
    /// Types by column: `types = { zip = "utf8", price = "decimal(10,2)" }`. They are boolean, int8, int16, int32, int64, uint8,
    /// uint16, uint32, uint64, float32, float64, utf8, date (`"2013-01-31"`), timestamp (local time), timestamp(UTC) and
    /// decimal(PRECISION,SCALE). Other columns are given the narrowest of int64, float64, boolean, date, timestamp,
    /// timestamp(UTC) that all values of the sample fit, else utf8. Objects and arrays are kept as JSON text in utf8; whole
    /// numbers beyond 64 bits are kept digit for digit there.
    #[serde(default)]
    pub types: BTreeMap<String, String>,
    /// How many lines are looked at to find columns and their types. A later value that does not fit makes a broken row; a
    /// later key is passed over with a warning.
    #[serde(default = "defaults::sample_rows")]
    pub sample_rows: usize,
    /// What becomes of a line that is not one JSON object, is not UTF-8, or has a value that does not fit its column.
    #[serde(default)]
    pub broken_rows: BrokenRows,
    /// How files are compressed.
    #[serde(default)]
    pub compression: Compression,
    /// Adds a column of this name that holds the path of the file.
    pub file_column: Option<String>,
    /// What a run reads, after earlier runs.
    #[serde(default)]
    pub incremental: Incremental,
    /// With `incremental = "appended"`: what the file is called once it is rotated, e.g. "logs/app.log.1", or a pattern. What the
    /// old file got after the last run is read from there, and files that were rotated since then are read in the order of
    /// their changes. Compressed ones are not read.
    pub rotated: Option<Paths>,
    /// Rows of a batch, 1 to 1048576.
    #[serde(default = "defaults::batch_rows")]
    pub batch_rows: usize,
    /// The longest line in bytes, up to 268435456; a longer one fails the stage. It bounds the memory.
    #[serde(default = "defaults::max_record_bytes")]
    pub max_record_bytes: usize,
}

/// Options that were understood.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) files: FileSettings,
    pub(crate) columns: Option<BTreeMap<String, String>>,
}

impl Settings {
    pub(crate) fn new(options: Options, context: &Context) -> Result<Self, Fault> {
        if let Some(columns) = &options.columns {
            if columns.is_empty() {
                return Err(Fault::invalid_config("`columns` is empty; leave it out to read all keys"));
            }
            if let Some(column) = options.types.keys().find(|column| !columns.contains_key(*column)) {
                return Err(Fault::invalid_config(format!("`types`: `columns` has no column {column:?}")));
            }
        }
        let files = FileSettings::new(
            FileOptions {
                path: options.path,
                types: options.types,
                sample_rows: options.sample_rows,
                broken_rows: options.broken_rows,
                compression: options.compression,
                file_column: options.file_column,
                incremental: options.incremental,
                rotated: options.rotated,
                batch_rows: options.batch_rows,
                max_record_bytes: options.max_record_bytes,
            },
            context,
        )?;
        Ok(Self { files, columns: options.columns })
    }
}
