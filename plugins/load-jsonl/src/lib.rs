//! Loads rows into newline-delimited JSON.

mod options;
mod row;

use sluicebox_file_load::cells::{Cells, refuse_other};
use sluicebox_file_load::{BlockWriter, FileLoad, Progress};
use sluicebox_stage::{Batch, Context, Fault, Load, Schema, count, log};

pub use options::{Decimals, Nulls, Options};
use row::RowFormat;

/// Writes each row as a JSON object on a line of its own into a temporary file, which `commit` shows.
pub struct LoadJsonl {
    file: FileLoad,
    format: RowFormat,
    schema: Schema,
    progress: Progress<BlockWriter>,
    rows: u64,
    /// whether the log knows of floats that JSON does not have
    warned: bool,
}

impl Load for LoadJsonl {
    type Options = Options;

    fn open(_: &Context, options: Options, input: &Schema, load_id: &str, part: u32) -> Result<Self, Fault> {
        refuse_other(input, "load-jsonl")?;
        Ok(Self {
            file: FileLoad::new(&options.target()?, options.compression(), load_id, part)?,
            format: RowFormat::new(input, options.nulls, options.decimals),
            schema: input.clone(),
            progress: Progress::new(),
            rows: 0,
            warned: false,
        })
    }

    fn write(&mut self, batch: Batch) -> Result<(), Fault> {
        let Self { file, format, schema, progress, .. } = self;
        let columns = Cells::of(&batch, schema)?;
        let mut not_finite = 0;
        progress.write(
            || file.create(),
            |writer| {
                for row in 0..batch.rows() {
                    not_finite += format.push_row(writer.block(), &columns, row);
                    writer.flush_full().map_err(|error| file.fault("write to", &error))?;
                }
                Ok(())
            },
        )?;
        if not_finite > 0 {
            count("not-finite-as-null", not_finite);
            if !std::mem::replace(&mut self.warned, true) {
                log::warn("NaN or infinite values are written as null: JSON has no others");
            }
        }
        self.rows += batch.rows() as u64;
        Ok(())
    }

    fn prepare(&mut self) -> Result<String, Fault> {
        let Self { file, rows, progress, .. } = self;
        progress.prepare(|| file.create(), |writer| file.prepare(writer, *rows))
    }

    fn commit(options: Options, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        sluicebox_file_load::commit(&options.target()?, load_id, receipts)
    }

    fn abort(options: Options, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        sluicebox_file_load::abort(&options.target()?, load_id, receipts)
    }
}

sluicebox_stage::export!(LoadJsonl, kind: load, summary: "Loads rows into newline-delimited JSON", capabilities: [WriteFiles]);
sluicebox_stage::readme_test!();
