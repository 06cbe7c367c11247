//! Options that all formats of files share, and what they come to.

use crate::{BrokenRows, Compression, Kind, Paths};
use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Context, Fault};
use std::collections::BTreeMap;

/// What a run reads, after earlier runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Incremental {
    /// everything, every time
    #[default]
    None,
    /// the files that no earlier run has loaded: those whose name, size or content (by digest) is new. A file that was
    /// only touched is not read again; one whose content changed is read again as a whole, with a warning. Files should
    /// be complete when they appear: write them under another name and rename them
    NewFiles,
    /// the lines that were added to one file that is not compressed. A last line without line end waits for the next run.
    /// A file that was rotated, truncated or replaced is noticed by its length and its bytes and read from its start, with
    /// a warning; with `rotated` the rest of the old one is read before it
    Appended,
}

/// Defaults of options, for serde.
pub mod defaults {
    /// Of `sample-rows`.
    #[must_use]
    pub fn sample_rows() -> usize {
        10_000
    }

    /// Of `batch-rows`.
    #[must_use]
    pub fn batch_rows() -> usize {
        32_768
    }

    /// Of `max-record-bytes`.
    #[must_use]
    pub fn max_record_bytes() -> usize {
        16 << 20
    }
}

/// Bytes of a file that are worked on at once.
const BLOCK_BYTES: usize = 256 * 1024;

/// The options that all formats share, as they were written.
#[derive(Debug)]
#[allow(missing_docs, reason = "each plugin documents them for its users")]
pub struct FileOptions {
    pub path: Paths,
    pub types: BTreeMap<String, String>,
    pub sample_rows: usize,
    pub broken_rows: BrokenRows,
    pub compression: Compression,
    pub file_column: Option<String>,
    pub incremental: Incremental,
    pub rotated: Option<Paths>,
    pub batch_rows: usize,
    pub max_record_bytes: usize,
}

/// The same, understood.
#[derive(Debug)]
pub struct FileSettings {
    /// Paths and patterns.
    pub paths: Vec<String>,
    /// Types by column.
    pub types: BTreeMap<String, Kind>,
    /// Records that are looked at to find types.
    pub sample_rows: usize,
    /// Sets broken records aside instead of failing.
    pub quarantine: bool,
    /// How files are compressed.
    pub compression: Compression,
    /// The column of the file's path.
    pub file_column: Option<String>,
    /// What a run reads, after earlier runs.
    pub incremental: Incremental,
    /// Paths and patterns of what the file becomes when it is rotated.
    pub rotated: Vec<String>,
    /// Rows of a batch.
    pub batch_rows: usize,
    /// The longest record in bytes.
    pub max_record_bytes: usize,
    /// Bytes that are read at once.
    pub block_bytes: usize,
    /// The command that makes the stage forget what it has read.
    pub reset: String,
}

impl FileSettings {
    /// Understands the options.
    ///
    /// # Errors
    /// `invalid-config` where one is malformed or out of range, or two do not go together.
    pub fn new(options: FileOptions, context: &Context) -> Result<Self, Fault> {
        let mut types = BTreeMap::new();
        for (column, text) in options.types {
            let kind = text
                .parse::<Kind>()
                .map_err(|why| Fault::invalid_config(format!("`types`: column {column:?}: {why}")))?;
            types.insert(column, kind);
        }
        range("batch-rows", options.batch_rows, 1 << 20)?;
        range("max-record-bytes", options.max_record_bytes, 256 << 20)?;
        let appended = options.incremental == Incremental::Appended;
        if options.rotated.is_some() && !appended {
            return Err(Fault::invalid_config("`rotated` works with incremental = \"appended\" only; leave it out"));
        }
        if appended && !matches!(options.compression, Compression::Auto | Compression::None) {
            return Err(Fault::invalid_config(
                "incremental = \"appended\" cannot read compressed files, since they cannot be read from within; leave out \
                 `compression`, or write incremental = \"new-files\"",
            ));
        }
        Ok(Self {
            paths: options.path.into_vec(),
            types,
            sample_rows: options.sample_rows,
            quarantine: options.broken_rows == BrokenRows::Quarantine,
            compression: options.compression,
            file_column: options.file_column,
            incremental: options.incremental,
            rotated: options.rotated.map(Paths::into_vec).unwrap_or_default(),
            batch_rows: options.batch_rows,
            max_record_bytes: options.max_record_bytes,
            block_bytes: BLOCK_BYTES,
            reset: format!("`sluicebox bookmarks reset {} {}`", context.pipeline, context.stage),
        })
    }

    /// Whether the columns of earlier runs are kept, so that a file that has others is not refused for it.
    #[must_use]
    pub fn keeps_columns(&self) -> bool {
        self.incremental != Incremental::None
    }
}

fn range(option: &str, value: usize, most: usize) -> Result<(), Fault> {
    if (1..=most).contains(&value) {
        Ok(())
    } else {
        Err(Fault::invalid_config(format!("`{option}` is 1 to {most}, not {value}")))
    }
}
