//! The options of a pipeline file, and what they come to.

use crate::field::Nulls;
use crate::scan::Dialect;
use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_file_read::{BrokenRows, Compression, FileOptions, FileSettings, Incremental, Paths, defaults};
use sluicebox_stage::{Context, Fault};
use std::collections::BTreeMap;

/// Reads CSV files into typed columns.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// The file, or a pattern for several: `*`, `?`, `[a-z]` and `{a,b}` match within a name, `**` matches folders. Or a list
    /// of such. The folder has to be granted: `grants.read = ["data"]`. Files of one pattern are read in the order of
    /// their paths.
    pub path: Paths,
    /// Whether the first line names the columns. Several files have to name the same columns, in any order.
    #[serde(default = "yes")]
    pub header: bool,
    /// Names for the columns, one for each field of a line: instead of those of the header, or where there is none. Without
    /// both, columns are called `column_1`, `column_2`, ...
    pub names: Option<Vec<String>>,
    /// Only these columns, in this order.
    pub columns: Option<Vec<String>>,
    /// Types by column: `types = { zip = "utf8", price = "decimal(10,2)" }`. They are boolean, int8, int16, int32, int64, uint8,
    /// uint16, uint32, uint64, float32, float64, utf8, date (`2013-01-31`), timestamp (local time), timestamp(UTC) and
    /// decimal(PRECISION,SCALE). Other columns are given the narrowest of int64, float64, boolean, date, timestamp,
    /// timestamp(UTC) that all values of the sample fit, else utf8. Whole numbers with leading zeros are text.
    #[serde(default)]
    pub types: BTreeMap<String, String>,
    /// How many records are looked at to find the types of columns. A later value that does not fit is a broken record.
    #[serde(default = "defaults::sample_rows")]
    pub sample_rows: usize,
    /// Fields that stand for null. In quotes they do only where the column is not text.
    #[serde(default = "default_null")]
    pub null: Vec<String>,
    /// What parts the fields: one ASCII character; "\t" or "tab" for a tab.
    #[serde(default = "default_delimiter")]
    pub delimiter: String,
    /// What quotes a field that holds delimiters or line ends; doubled, it stands for itself. "none": fields are not quoted.
    #[serde(default = "default_quote")]
    pub quote: String,
    /// Within quotes, takes its meaning from the character behind it, e.g. "\\". Reading is slower with it.
    pub escape: Option<String>,
    /// Lines that begin with this character are passed over, e.g. "#". Reading is slower with it.
    pub comment: Option<String>,
    /// Whether blanks and tabs around fields are taken off.
    #[serde(default)]
    pub trim: bool,
    /// Lines at the start of each file, before the header, that are passed over.
    #[serde(default)]
    pub skip_rows: usize,
    /// What becomes of a record that has too many or too few fields, malformed quotes, bytes that are not UTF-8, or a value
    /// that does not fit its column.
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
    /// The longest record in bytes, up to 268435456; a longer one fails the stage. It bounds the memory.
    #[serde(default = "defaults::max_record_bytes")]
    pub max_record_bytes: usize,
}

fn yes() -> bool {
    true
}
fn default_null() -> Vec<String> {
    vec![String::new(), "NA".into()]
}
fn default_delimiter() -> String {
    ",".into()
}
fn default_quote() -> String {
    "\"".into()
}

/// Options that were understood.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) files: FileSettings,
    pub(crate) header: bool,
    pub(crate) names: Option<Vec<String>>,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) nulls: Nulls,
    pub(crate) dialect: Dialect,
    pub(crate) skip_rows: usize,
}

impl Settings {
    pub(crate) fn new(options: Options, context: &Context) -> Result<Self, Fault> {
        let delimiter = character("delimiter", &options.delimiter)?;
        let quote = match options.quote.as_str() {
            "none" => None,
            text => Some(character("quote", text)?),
        };
        let escape = options.escape.as_deref().map(|text| character("escape", text)).transpose()?;
        let comment = options.comment.as_deref().map(|text| character("comment", text)).transpose()?;
        let marks: Vec<u8> = [Some(delimiter), quote, escape, comment].into_iter().flatten().collect();
        for (i, mark) in marks.iter().enumerate() {
            if marks.iter().skip(i + 1).any(|other| other == mark) {
                return Err(Fault::invalid_config(format!(
                    "`delimiter`, `quote`, `escape` and `comment` have to differ, and {:?} is two of them",
                    char::from(*mark)
                )));
            }
        }
        if escape.is_some() && quote.is_none() {
            return Err(Fault::invalid_config(
                "`escape` works within quotes only, and `quote` is \"none\"; leave one out",
            ));
        }
        if options.null.iter().any(|marker| marker.contains('\n')) {
            return Err(Fault::invalid_config("`null`: a marker holds a line end, which no field does"));
        }
        for (option, names) in [("names", &options.names), ("columns", &options.columns)] {
            let names = names.as_deref().unwrap_or_default();
            if let Some(name) = first_twice(names) {
                return Err(Fault::invalid_config(format!("`{option}`: {name:?} stands twice")));
            }
        }
        if options.columns.as_ref().is_some_and(Vec::is_empty) {
            return Err(Fault::invalid_config("`columns` is empty; leave it out to read all columns"));
        }
        if options.names.as_ref().is_some_and(Vec::is_empty) {
            return Err(Fault::invalid_config("`names` is empty; leave it out, or name each field of a line"));
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
        Ok(Self {
            files,
            header: options.header,
            names: options.names,
            columns: options.columns,
            nulls: Nulls::new(&options.null),
            dialect: Dialect { delimiter, quote, escape, comment, trim: options.trim },
            skip_rows: options.skip_rows,
        })
    }
}

fn character(option: &str, text: &str) -> Result<u8, Fault> {
    match text.as_bytes() {
        _ if text == "tab" || text == "\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err(Fault::invalid_config(format!(
            "`{option}` is one ASCII character and no line end{}, not {text:?}",
            if option == "quote" { ", or \"none\"" } else { "" }
        ))),
    }
}

/// The first name that stood before.
pub(crate) fn first_twice(names: &[String]) -> Option<&String> {
    let mut seen = std::collections::BTreeSet::new();
    names.iter().find(|name| !seen.insert(name.as_str()))
}
