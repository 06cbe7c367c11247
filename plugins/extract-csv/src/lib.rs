//! Extracts rows from CSV files: a plugin of sluicebox. Fields go from the file's bytes to typed columns in one pass of
//! finding where they end and one of reading them, column by column, without an allocation per field.

mod field;
mod layout;
mod lines;
mod options;
mod parse;
mod reader;
mod records;
mod reject;
mod scan;
mod simd;
#[cfg(test)]
mod tests;

pub use options::Options;

use layout::{Layout, Split};
use options::Settings;
use reader::Reader;
use sluicebox_file_read::{deal_out, find};
use sluicebox_stage::{Context, Extract, Fault, Page, Plan, Schema, SplitExtract};

/// The stage.
#[derive(Debug)]
pub struct ExtractCsv {
    reader: Reader,
}

impl ExtractCsv {
    fn start(settings: Settings) -> Result<(Self, Schema), Fault> {
        let sources = find(&settings.paths)?;
        let layout = Layout::find(&sources, &settings)?;
        let reader = Reader::new(settings, layout, sources);
        let schema = reader.schema().clone();
        Ok((Self { reader }, schema))
    }
}

impl Extract for ExtractCsv {
    type Options = Options;

    fn open(_context: &Context, options: Options, _bookmark: Option<&str>) -> Result<(Self, Schema), Fault> {
        Self::start(Settings::new(options)?)
    }

    fn next(&mut self) -> Result<Option<Page>, Fault> {
        self.reader.next()
    }
}

impl SplitExtract for ExtractCsv {
    fn split(_context: &Context, options: Options, _bookmark: Option<&str>, at_most: u32) -> Result<Plan, Fault> {
        let settings = Settings::new(options)?;
        let sources = find(&settings.paths)?;
        let layout = Layout::find(&sources, &settings)?;
        let schema = layout.schema(&settings);
        let splits = deal_out(sources, at_most as usize)
            .into_iter()
            .map(|files| Split::encode(files, &layout))
            .collect::<Result<_, _>>()?;
        Ok(Plan { schema, splits, bookmark: None })
    }

    fn open_split(_context: &Context, options: Options, split: &str) -> Result<(Self, Schema), Fault> {
        let (sources, layout) = Split::decode(split)?;
        let reader = Reader::new(Settings::new(options)?, layout, sources);
        let schema = reader.schema().clone();
        Ok((Self { reader }, schema))
    }
}

sluicebox_stage::export!(
    ExtractCsv,
    kind: split_extract,
    summary: "Reads CSV files into typed columns",
    capabilities: [ReadFiles],
);

sluicebox_stage::readme_test!();
