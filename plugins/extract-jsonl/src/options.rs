//! The options of a pipeline file.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_file_read::{BrokenRows, Compression, Kind, Paths};
use sluicebox_stage::Fault;
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
    #[serde(default = "default_sample_rows")]
    pub sample_rows: usize,
    /// What becomes of a line that is not one JSON object, is not UTF-8, or has a value that does not fit its column.
    #[serde(default)]
    pub broken_rows: BrokenRows,
    /// How files are compressed.
    #[serde(default)]
    pub compression: Compression,
    /// Adds a column of this name that holds the path of the file.
    pub file_column: Option<String>,
    /// Rows of a batch, 1 to 1048576.
    #[serde(default = "default_batch_rows")]
    pub batch_rows: usize,
    /// The longest line in bytes, up to 268435456; a longer one fails the stage. It bounds the memory.
    #[serde(default = "default_max_record_bytes")]
    pub max_record_bytes: usize,
}

fn default_sample_rows() -> usize {
    10_000
}
fn default_batch_rows() -> usize {
    32_768
}
fn default_max_record_bytes() -> usize {
    16 << 20
}

/// Bytes of a file that are worked on at once.
const BLOCK_BYTES: usize = 256 * 1024;

/// Options that were understood.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) paths: Vec<String>,
    pub(crate) columns: Option<BTreeMap<String, String>>,
    pub(crate) types: BTreeMap<String, Kind>,
    pub(crate) sample_rows: usize,
    pub(crate) quarantine: bool,
    pub(crate) compression: Compression,
    pub(crate) file_column: Option<String>,
    pub(crate) batch_rows: usize,
    pub(crate) max_record_bytes: usize,
    pub(crate) block_bytes: usize,
}

impl Settings {
    pub(crate) fn new(options: Options) -> Result<Self, Fault> {
        let mut types = BTreeMap::new();
        for (column, text) in options.types {
            let kind = text
                .parse::<Kind>()
                .map_err(|why| Fault::invalid_config(format!("`types`: column {column:?}: {why}")))?;
            types.insert(column, kind);
        }
        if let Some(columns) = &options.columns {
            if columns.is_empty() {
                return Err(Fault::invalid_config("`columns` is empty; leave it out to read all keys"));
            }
            if let Some(column) = types.keys().find(|column| !columns.contains_key(*column)) {
                return Err(Fault::invalid_config(format!("`types`: `columns` has no column {column:?}")));
            }
        }
        range("batch-rows", options.batch_rows, 1 << 20)?;
        range("max-record-bytes", options.max_record_bytes, 256 << 20)?;
        Ok(Self {
            paths: options.path.into_vec(),
            columns: options.columns,
            types,
            sample_rows: options.sample_rows,
            quarantine: options.broken_rows == BrokenRows::Quarantine,
            compression: options.compression,
            file_column: options.file_column,
            batch_rows: options.batch_rows,
            max_record_bytes: options.max_record_bytes,
            block_bytes: BLOCK_BYTES,
        })
    }
}

fn range(option: &str, value: usize, most: usize) -> Result<(), Fault> {
    if (1..=most).contains(&value) {
        Ok(())
    } else {
        Err(Fault::invalid_config(format!("`{option}` is 1 to {most}, not {value}")))
    }
}
