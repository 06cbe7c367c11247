//! Loads rows into a CSV file.

mod options;
mod row;

use sluicebox_file_load::cells::{Cells, refuse_other};
use sluicebox_file_load::{BlockWriter, FileLoad, Progress};
use sluicebox_stage::{Batch, Context, Fault, Load, Schema};

pub use options::{LineEnding, Options, Quote};
use row::RowFormat;

/// Writes rows as lines of text into a temporary file, which `commit` shows.
pub struct LoadCsv {
    file: FileLoad,
    format: RowFormat,
    header: bool,
    schema: Schema,
    progress: Progress<BlockWriter>,
    rows: u64,
}

/// The file, with its header.
fn begin(file: &FileLoad, format: &RowFormat, schema: &Schema, header: bool) -> Result<BlockWriter, Fault> {
    let mut writer = file.create()?;
    if header {
        format.push_header(writer.block(), schema.names());
    }
    Ok(writer)
}

impl Load for LoadCsv {
    type Options = Options;

    fn open(_: &Context, options: Options, input: &Schema, load_id: &str, part: u32) -> Result<Self, Fault> {
        refuse_other(input, "CSV")?;
        let delimiter = options.delimiter_byte()?;
        let null = options.null_bytes(delimiter)?;
        Ok(Self {
            file: FileLoad::new(&options.target()?, options.compression(), load_id, part)?,
            format: RowFormat::new(delimiter, options.quote, null, options.line_ending),
            header: options.header,
            schema: input.clone(),
            progress: Progress::new(),
            rows: 0,
        })
    }

    fn write(&mut self, batch: Batch) -> Result<(), Fault> {
        let Self { file, format, schema, header, progress, .. } = self;
        let columns = Cells::of(&batch, schema)?;
        progress.write(
            || begin(file, format, schema, *header),
            |writer| {
                for row in 0..batch.rows() {
                    format.push_row(writer.block(), &columns, row);
                    writer.flush_full().map_err(|error| file.fault("write to", &error))?;
                }
                Ok(())
            },
        )?;
        self.rows += batch.rows() as u64;
        Ok(())
    }

    fn prepare(&mut self) -> Result<String, Fault> {
        let Self { file, format, schema, header, rows, progress, .. } = self;
        progress.prepare(|| begin(file, format, schema, *header), |writer| file.prepare(writer, *rows))
    }

    fn commit(options: Options, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        sluicebox_file_load::commit(&options.target()?, load_id, receipts)
    }

    fn abort(options: Options, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        sluicebox_file_load::abort(&options.target()?, load_id, receipts)
    }
}

sluicebox_stage::export!(LoadCsv, kind: load, summary: "Loads rows into a CSV file", capabilities: [WriteFiles]);
sluicebox_stage::readme_test!();
