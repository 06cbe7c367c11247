//! Loads rows into a Parquet file.

mod columns;
mod encode;
mod file;
mod options;

use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use sluicebox_file_load::{BlockWriter, Compression as FileCompression, FileLoad};
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
    writer: Option<ParquetFile<BlockWriter>>,
    /// small batches that wait for others
    waiting: Vec<Batch>,
    waiting_rows: usize,
    rows: u64,
}

impl LoadParquet {
    /// The file, made when it is first needed.
    fn writer(&mut self) -> Result<ParquetFile<BlockWriter>, Fault> {
        if let Some(writer) = self.writer.take() {
            return Ok(writer);
        }
        let columns: Vec<_> =
            self.physical.iter().copied().zip(self.schema.iter().map(|field| field.nullable)).collect();
        let schema = file_schema(&self.schema)?;
        ParquetFile::new(self.file.create()?, schema, &columns, self.options.settings())
            .map_err(|error| self.fault(error))
    }

    /// Encodes what waits.
    fn encode_waiting(&mut self) -> Result<(), Fault> {
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting_rows = 0;
        match waiting.as_slice() {
            [] => Ok(()),
            [batch] => self.encode(batch),
            parts => self.encode(&Batch::concat(&parts.iter().collect::<Vec<_>>())?),
        }
    }

    /// Encodes a batch, cut where a row group ends.
    fn encode(&mut self, batch: &Batch) -> Result<(), Fault> {
        let mut writer = self.writer()?;
        let most = u64::from(self.options.row_group_rows);
        let mut from = 0;
        while from < batch.rows() {
            let room = usize::try_from(most.saturating_sub(writer.group_rows())).unwrap_or(usize::MAX);
            let rows = room.max(1).min(batch.rows() - from);
            if rows == batch.rows() {
                self.encode_part(&mut writer, batch)?;
            } else {
                self.encode_part(&mut writer, &batch.slice(from, rows)?)?;
            }
            from += rows;
            if writer.group_rows() >= most || writer.group_bytes() >= GROUP_BYTES {
                writer.end_group().map_err(|error| self.fault(error))?;
            }
        }
        self.writer = Some(writer);
        Ok(())
    }

    fn encode_part(&self, writer: &mut ParquetFile<BlockWriter>, batch: &Batch) -> Result<(), Fault> {
        let rows = batch.rows();
        for (index, (field, physical)) in self.schema.iter().zip(&self.physical).enumerate() {
            // One column at a time is in memory.
            let column = batch.column(index)?;
            let values = data(&column, field, *physical)?;
            writer
                .append(index, &values, column.validity.as_deref(), rows)
                .map_err(|error| self.fault(error).within(format!("column `{}`", field.name)))?;
        }
        writer.add_rows(rows);
        Ok(())
    }

    fn fault(&self, error: ParquetError) -> Fault {
        match error {
            ParquetError::External(error) => match error.downcast::<std::io::Error>() {
                Ok(error) => self.file.fault("write to", &error),
                Err(error) => Fault::internal(format!("the Parquet file cannot be written: {error}")),
            },
            error => Fault::internal(format!("the Parquet file cannot be written: {error}")),
        }
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
            writer: None,
            waiting: Vec::new(),
            waiting_rows: 0,
            rows: 0,
        })
    }

    fn write(&mut self, batch: Batch) -> Result<(), Fault> {
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
        self.encode_waiting()?;
        let created_by = concat!("sluicebox load-parquet version ", env!("CARGO_PKG_VERSION")).to_owned();
        let writer = self.writer()?;
        let sink = writer.finish(created_by, std::mem::take(&mut self.notes)).map_err(|error| self.fault(error))?;
        self.file.prepare(sink, self.rows)
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
