//! Loads rows into a Parquet file.

mod columns;
mod encode;
mod file;
mod options;

use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use sluicebox_file_load::{BlockWriter, Compression as FileCompression, FileLoad, Progress};
use sluicebox_stage::{Batch, Context, Fault, Load, Schema};

use columns::{data, file_schema, physical};
use encode::Physical;
use file::ParquetFile;
pub use options::{Compression, Options};

/// Batches are gathered to at least so many rows before they are encoded: small pages cost.
const ENOUGH_ROWS: usize = 16 * 1024;
/// A row group ends when its compressed pages are so large, however few its rows: memory stays flat.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// Writes rows into row groups of a temporary file, which `commit` shows.
pub struct LoadParquet {
    file: FileLoad,
    options: Options,
    schema: Schema,
    physical: Vec<Physical>,
    notes: Vec<KeyValue>,
    progress: Progress<ParquetFile<BlockWriter>>,
    /// small batches that wait for others
    waiting: Vec<Batch>,
    waiting_rows: usize,
    rows: u64,
}

impl LoadParquet {
    /// Makes the file, if it is not there.
    fn begin(&mut self) -> Result<(), Fault> {
        let Self { file, options, schema, physical, progress, .. } = self;
        progress.begin(|| begin(file, options, schema, physical)).map(|_| ())
    }

    /// Encodes what waits.
    fn encode_waiting(&mut self) -> Result<(), Fault> {
        let Self { file, options, schema, physical, progress, .. } = self;
        let columns = Columns { file, schema, physical };
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting_rows = 0;
        progress.write(
            || begin(file, options, schema, physical),
            |writer| match waiting.as_slice() {
                [] => Ok(()),
                [batch] => columns.encode(writer, batch, options.row_group_rows),
                parts => {
                    let batch = Batch::concat(&parts.iter().collect::<Vec<_>>())?;
                    columns.encode(writer, &batch, options.row_group_rows)
                }
            },
        )
    }
}

/// The file, with its first bytes.
fn begin(
    file: &FileLoad,
    options: &Options,
    schema: &Schema,
    physical: &[Physical],
) -> Result<ParquetFile<BlockWriter>, Fault> {
    let columns: Vec<_> = physical.iter().copied().zip(schema.iter().map(|field| field.nullable)).collect();
    ParquetFile::new(file.create()?, file_schema(schema)?, &columns, options.settings())
        .map_err(|error| parquet_fault(file, error))
}

/// The columns of the file, and how each is stored.
struct Columns<'a> {
    file: &'a FileLoad,
    schema: &'a Schema,
    physical: &'a [Physical],
}

impl Columns<'_> {
    /// Encodes a batch, cut where a row group ends.
    fn encode(&self, writer: &mut ParquetFile<BlockWriter>, batch: &Batch, row_group_rows: u32) -> Result<(), Fault> {
        let most = u64::from(row_group_rows);
        let mut from = 0;
        while from < batch.rows() {
            let room = usize::try_from(most.saturating_sub(writer.group_rows())).unwrap_or(usize::MAX);
            let rows = room.max(1).min(batch.rows() - from);
            if rows == batch.rows() {
                self.encode_part(writer, batch)?;
            } else {
                self.encode_part(writer, &batch.slice(from, rows)?)?;
            }
            from += rows;
            if writer.group_rows() >= most || writer.group_bytes() >= GROUP_BYTES {
                writer.end_group().map_err(|error| parquet_fault(self.file, error))?;
            }
        }
        Ok(())
    }

    fn encode_part(&self, writer: &mut ParquetFile<BlockWriter>, batch: &Batch) -> Result<(), Fault> {
        let rows = batch.rows();
        for (index, (field, physical)) in self.schema.iter().zip(self.physical).enumerate() {
            // One column at a time is in memory.
            let column = batch.column(index)?;
            let values = data(&column, field, *physical)?;
            writer
                .append(index, &values, column.validity.as_deref(), rows)
                .map_err(|error| parquet_fault(self.file, error).within(format!("column `{}`", field.name)))?;
        }
        writer.add_rows(rows);
        Ok(())
    }
}

fn parquet_fault(file: &FileLoad, error: ParquetError) -> Fault {
    match error {
        ParquetError::External(error) => match error.downcast::<std::io::Error>() {
            Ok(error) => file.fault("write to", &error),
            Err(error) => Fault::internal(format!("the Parquet file cannot be written: {error}")),
        },
        error => Fault::internal(format!("the Parquet file cannot be written: {error}")),
    }
}

impl Load for LoadParquet {
    type Options = Options;

    fn open(context: &Context, options: Options, input: &Schema, load_id: &str, part: u32) -> Result<Self, Fault> {
        if input.is_empty() {
            return Err(Fault::invalid_config("the input has no columns, and a Parquet file needs at least one"));
        }
        // Says now what is wrong with the columns.
        file_schema(input)?;
        let notes = [
            ("sluicebox.run-id", &context.run_id),
            ("sluicebox.pipeline", &context.pipeline),
            ("sluicebox.stage", &context.stage),
        ];
        Ok(Self {
            file: FileLoad::new(&options.target()?, FileCompression::None, load_id, part)?,
            options,
            schema: input.clone(),
            physical: input.iter().map(physical).collect::<Result<_, _>>()?,
            notes: notes.map(|(key, value)| KeyValue::new(key.to_owned(), value.clone())).to_vec(),
            progress: Progress::new(),
            waiting: Vec::new(),
            waiting_rows: 0,
            rows: 0,
        })
    }

    fn write(&mut self, batch: Batch) -> Result<(), Fault> {
        // What fails from here on takes the rows with it: the batch may come again only before it waits.
        self.begin()?;
        self.rows += batch.rows() as u64;
        self.waiting_rows += batch.rows();
        if batch.rows() > 0 {
            self.waiting.push(batch);
        }
        if self.waiting_rows >= ENOUGH_ROWS.min(self.options.row_group_rows as usize) {
            self.encode_waiting()?;
        }
        Ok(())
    }

    fn prepare(&mut self) -> Result<String, Fault> {
        if !self.waiting.is_empty() {
            self.encode_waiting()?;
        }
        let Self { file, options, schema, physical, notes, rows, progress, .. } = self;
        progress.prepare(
            || begin(file, options, schema, physical),
            |writer| {
                let created_by = concat!("sluicebox load-parquet version ", env!("CARGO_PKG_VERSION")).to_owned();
                let sink = writer.finish(created_by, notes.clone()).map_err(|error| parquet_fault(file, error))?;
                file.prepare(sink, *rows)
            },
        )
    }

    fn commit(options: Options, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        sluicebox_file_load::commit(&options.target()?, load_id, receipts)
    }

    fn abort(options: Options, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        sluicebox_file_load::abort(&options.target()?, load_id, receipts)
    }
}

sluicebox_stage::export!(LoadParquet, kind: load, summary: "Loads rows into a Parquet file", capabilities: [WriteFiles]);
sluicebox_stage::readme_test!();
