//! What a format of files has to say, so that an extract can be made of it.

use crate::{Block, Column, FileError, FileSettings, Input, Kind, Layout, Mark, Rejects, Source};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use sluicebox_stage::{Batch, Context, Fault, Schema};
use std::fmt::Debug;

/// A batch that holds more bytes than this is done, whatever its rows.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// A format of files whose records become rows. It holds its options and what it needs again and again.
pub trait FileFormat: Debug + Sized + 'static {
    /// The plugin's name, kept in bookmarks.
    const PLUGIN: &'static str;
    /// Columns have room for so many rows at first, if batches are that large.
    const ROWS_AT_FIRST: usize;
    /// The plugin's options.
    type Options: DeserializeOwned + JsonSchema;
    /// An open file.
    type File: FormatFile;

    /// Understands the options.
    ///
    /// # Errors
    /// `invalid-config` where they do not fit.
    fn new(options: Self::Options, context: &Context) -> Result<Self, Fault>;

    /// The options that all formats share.
    fn settings(&self) -> &FileSettings;

    /// Finds the columns: as `known`, as far as the options still are as they were, else by looking into the files.
    ///
    /// # Errors
    /// Where the files do not have the columns that the options name, or cannot be read.
    fn layout(&self, sources: &[Source], known: Option<&Layout>) -> Result<Layout, Fault>;

    /// Called once before anything is read.
    ///
    /// # Errors
    /// `invalid-config` where the options do not fit.
    fn begin(&mut self, layout: &Layout) -> Result<(), Fault>;

    /// Opens a file and goes to its first record, or behind the mark from which the source is to be read.
    ///
    /// # Errors
    /// Where it cannot be read, or does not have the columns.
    fn open(&mut self, layout: &Layout, source: &Source) -> Result<Self::File, Fault>;

    /// Reads some records into rows; at most up to where `rows.is_full()`. False: the file is at its end.
    ///
    /// # Errors
    /// Where it cannot be read, or a record is broken.
    fn read(&mut self, layout: &Layout, file: &mut Self::File, rows: &mut Rows) -> Result<bool, Fault>;

    /// Goes to the end of the last whole record without making rows.
    ///
    /// # Errors
    /// Where the file cannot be read.
    fn pass_over(&mut self, file: &mut Self::File) -> Result<(), Fault>;
}

/// A file that is being read.
pub trait FormatFile: Debug {
    /// Its bytes.
    fn input(&self) -> &Input;

    /// The block that they go through.
    fn block(&self) -> &Block;

    /// Where in the block the next record starts, and how many lines stand before it in the file.
    fn position(&self) -> (usize, u64);

    /// Whether it had not even a header.
    fn is_empty(&self) -> bool {
        false
    }
}

/// The mark behind the last record of a file that was read.
pub(crate) fn mark_of(file: &impl FormatFile) -> Mark {
    let (position, line) = file.position();
    if file.is_empty() { Mark::default() } else { file.block().mark(position, line) }
}

/// The block for a file.
#[must_use]
pub fn block_for(source: &Source, settings: &FileSettings) -> Block {
    Block::new(settings.block_bytes, settings.max_record_bytes).with_marks(source.is_marked())
}

/// Opens a file as bytes.
///
/// # Errors
/// It cannot be opened, or is compressed in another way than it should.
pub fn open_input(source: &Source, settings: &FileSettings) -> Result<Input, FileError> {
    let input = Input::open(source, settings.compression)?;
    if source.growing && input.is_compressed() {
        return Err(FileError::Config(format!(
            "{} is compressed, and incremental = \"appended\" reads plain files only; write incremental = \"new-files\"",
            source.path
        )));
    }
    Ok(input)
}

/// Rows under construction.
#[derive(Debug)]
pub struct Rows {
    /// The columns that are read.
    pub columns: Vec<Column>,
    /// The paths of the files, where they are a column.
    pub files: Option<Column>,
    /// Records that cannot be used.
    pub rejects: Rejects,
    /// How many rows there are.
    pub count: usize,
    /// How many bytes of memory or of the file they have.
    pub bytes: usize,
    count_max: usize,
}

impl Rows {
    pub(crate) fn new(layout: &Layout, settings: &FileSettings, rows_at_first: usize) -> Self {
        let rows = settings.batch_rows.min(rows_at_first);
        let column = |column: &crate::Selected| Column::new(column.kind, column.inferred, rows);
        Self {
            columns: layout.selected.iter().map(column).collect(),
            files: settings.file_column.as_ref().map(|_| Column::new(Kind::Utf8, false, 0)),
            rejects: Rejects::new(settings.quarantine),
            count: 0,
            bytes: 0,
            count_max: settings.batch_rows,
        }
    }

    /// Whether the batch is done.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.count >= self.count_max || self.bytes >= BATCH_BYTES_MAX
    }

    /// How many rows it still has room for.
    #[must_use]
    pub fn room(&self) -> usize {
        self.count_max.saturating_sub(self.count)
    }

    /// Adds the path of the file for `rows` rows, where it is a column.
    pub fn push_file(&mut self, path: &str, rows: usize) {
        if let Some(files) = &mut self.files {
            for _ in 0..rows {
                // Any text is text.
                let _ = files.push(path.as_bytes());
            }
        }
    }

    /// The batch; the rows begin anew.
    pub(crate) fn take(&mut self, schema: &Schema) -> Result<Batch, Fault> {
        let columns = self.columns.iter_mut().chain(&mut self.files).map(Column::take).collect();
        (self.count, self.bytes) = (0, 0);
        Batch::from_columns(schema.clone(), columns)
    }
}
