//! Extracts rows from newline-delimited JSON: a plugin of sluicebox. Each line is checked to its last byte in one pass, which
//! also finds where the wanted values stand; they go from there to typed columns.

mod json;
mod layout;
mod lines;
mod options;
mod path;
mod reader;
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
pub struct ExtractJsonl {
    reader: Reader,
}

impl ExtractJsonl {
    fn start(settings: Settings) -> Result<(Self, Schema), Fault> {
        let sources = find(&settings.paths)?;
        let layout = Layout::find(&sources, &settings)?;
        let reader = Reader::new(settings, layout, sources)?;
        let schema = reader.schema().clone();
        Ok((Self { reader }, schema))
    }
}

impl Extract for ExtractJsonl {
    type Options = Options;

    fn open(_context: &Context, options: Options, _bookmark: Option<&str>) -> Result<(Self, Schema), Fault> {
        Self::start(Settings::new(options)?)
    }

    fn next(&mut self) -> Result<Option<Page>, Fault> {
        self.reader.next()
    }
}

impl SplitExtract for ExtractJsonl {
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
        let reader = Reader::new(Settings::new(options)?, layout, sources)?;
        let schema = reader.schema().clone();
        Ok((Self { reader }, schema))
    }
}

sluicebox_stage::export!(
    ExtractJsonl,
    kind: split_extract,
    summary: "Reads newline-delimited JSON into typed columns",
    capabilities: [ReadFiles],
);

sluicebox_stage::readme_test!();
