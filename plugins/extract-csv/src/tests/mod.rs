//! The stage as a whole, natively.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod appended;
mod forms;
mod new_files;
mod random;
mod runs;
mod types;

use crate::options::Settings;
use crate::{Csv, ExtractCsv, Options};
use sluicebox_file_read::FileExtract;
use sluicebox_stage::testing::{context, options, report};
use sluicebox_stage::{BadRecord, Batch, Extract, Fault, SplitExtract, Values};
use std::path::Path;

/// Cells as text, none for null.
type Rows = Vec<Vec<Option<String>>>;

/// What a run of the stage came to.
pub(super) struct Read {
    /// `name: type, ...`
    pub(super) schema: String,
    pub(super) rows: Rows,
    pub(super) quarantined: Vec<BadRecord>,
}

impl Read {
    /// Rows as `a|b|-`, the dash for null.
    pub(super) fn lines(&self) -> Vec<String> {
        let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".into());
        self.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|")).collect()
    }
}

/// Files in a folder of their own; `path` in options is relative to it: write `DIR/x.csv`.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, content) in files {
            let path = folder.0.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn json(&self, json: &str) -> String {
        json.replace("DIR", self.root().to_str().unwrap())
    }

    pub(super) fn message(&self, fault: &Fault) -> String {
        fault.message.replace(self.root().to_str().unwrap(), "DIR")
    }

    /// With blocks of `block` bytes; the fault as text.
    pub(super) fn read_in_blocks(&self, json: &str, block: usize) -> Result<Read, String> {
        let _ = report();
        let run = || {
            let mut settings = Settings::new(options::<Options>(&self.json(json))?, &context())?;
            settings.files.block_bytes = block;
            let (stage, schema) = FileExtract::begin(Csv::with(settings), None)?;
            Ok((schema.to_string(), rows_of(stage.into())?))
        };
        let (schema, rows) = run().map_err(|fault: Fault| self.message(&fault))?;
        let mut quarantined = report().quarantined;
        for record in &mut quarantined {
            record.origin = record.origin.replace(self.root().to_str().unwrap(), "DIR");
        }
        Ok(Read { schema, rows, quarantined })
    }

    pub(super) fn read(&self, json: &str) -> Result<Read, String> {
        self.read_in_blocks(json, 1 << 18)
    }

    /// Through `split` and `open_split`, all rows in order; and how many splits there were.
    pub(super) fn read_split(&self, json: &str, at_most: u32) -> Result<(usize, Rows), String> {
        let run = || {
            let parse = || options::<Options>(&self.json(json));
            let plan = ExtractCsv::split(&context(), parse()?, None, at_most)?;
            let mut rows = Vec::new();
            for split in &plan.splits {
                let (stage, schema) = ExtractCsv::open_split(&context(), parse()?, split)?;
                assert_eq!(schema, plan.schema);
                rows.extend(rows_of(stage)?);
            }
            Ok((plan.splits.len(), rows))
        };
        run().map_err(|fault: Fault| self.message(&fault))
    }
}

/// One file, `DIR/x.csv`.
pub(super) fn read(content: impl AsRef<[u8]>, json: &str) -> Result<Read, String> {
    let folder = Folder::with(&[("x.csv", content.as_ref())]);
    let json = json.trim_start_matches('{');
    let comma = if json.trim_start().starts_with('}') { "" } else { "," };
    let json = format!(r#"{{"path":"DIR/x.csv"{comma}{json}"#);
    let whole = folder.read(&json);
    // Where blocks end must not matter.
    for block in [1, 2, 3, 7, 16, 33, 64, 100] {
        match (&whole, folder.read_in_blocks(&json, block)) {
            (Ok(whole), Ok(read)) => {
                assert_eq!((&whole.schema, whole.lines()), (&read.schema, read.lines()), "blocks of {block}");
                assert_eq!(whole.quarantined, read.quarantined, "blocks of {block}");
            }
            (Err(whole), Err(read)) => assert_eq!(*whole, read, "blocks of {block}"),
            (_, read) => panic!("blocks of {block}: {:?}", read.map(|read| read.lines())),
        }
    }
    whole
}

fn rows_of(mut stage: ExtractCsv) -> Result<Vec<Vec<Option<String>>>, Fault> {
    let mut rows = Vec::new();
    let mut before = 0.0;
    while let Some(page) = stage.next()? {
        let progress = page.progress.unwrap();
        assert!((before..=1.0).contains(&progress), "{progress} after {before}");
        before = progress;
        assert!(page.batch.rows() > 0);
        rows.extend(cells(&page.batch));
    }
    assert!(stage.next()?.is_none());
    Ok(rows)
}

pub(super) fn cells(batch: &Batch) -> Vec<Vec<Option<String>>> {
    let columns: Vec<_> = (0..batch.schema().len()).map(|i| batch.column(i).unwrap()).collect();
    let cell = |column: &sluicebox_stage::Column, row: usize| match &column.values {
        Values::Bits(_) => column.bits().unwrap().get(row).unwrap().to_string(),
        Values::Int8(v) => v[row].to_string(),
        Values::Int32(v) => v[row].to_string(),
        Values::Int64(v) => v[row].to_string(),
        Values::Uint16(v) => v[row].to_string(),
        Values::Uint64(v) => v[row].to_string(),
        Values::Float32(v) => v[row].to_string(),
        Values::Float64(v) => v[row].to_string(),
        Values::FixedBytes(v) => i128::from_le_bytes(v[16 * row..16 * row + 16].try_into().unwrap()).to_string(),
        Values::Variable { .. } => column.strs().unwrap().get(row).unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    (0..batch.rows())
        .map(|row| columns.iter().map(|column| column.is_valid(row).then(|| cell(column, row))).collect())
        .collect()
}
