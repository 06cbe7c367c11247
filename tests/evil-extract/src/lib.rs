//! A hostile extract: it makes pages of numbers and names, and does the one bad thing that its options name.
#![allow(clippy::panic)]

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{BadRecord, Batch, Column, Context, DataType, Extract, Fault, Field, Page, Schema, quarantine};

/// What to do, and when.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The bad thing.
    pub mode: Mode,
    /// The page on which it is done, counted from 0.
    #[serde(default)]
    pub on: u64,
    /// If more than 0, it is done only in attempts before this one (they count from 1).
    #[serde(default)]
    pub until_attempt: u32,
    /// How many pages there are.
    #[serde(default = "pages")]
    pub pages: u64,
    /// slow: how long a page takes.
    #[serde(default)]
    pub seconds: f64,
    /// Rows of a page.
    #[serde(default = "rows")]
    pub rows: u64,
}

fn pages() -> u64 {
    10
}

fn rows() -> u64 {
    1000
}

/// The bad things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// nothing
    Pass,
    /// panics in `open`
    PanicInOpen,
    /// loops for ever in `open`
    LoopInOpen,
    /// panics in `next`
    Panic,
    /// loops for ever in `next`
    Loop,
    /// answers `next` with a fault of kind unavailable
    Unavailable,
    /// makes pages for ever
    NeverEnds,
    /// makes empty pages for ever
    EmptyForEver,
    /// the page has a column less than promised
    FewerColumns,
    /// the page has a column more than promised
    MoreColumns,
    /// the page's columns have other types
    OtherTypes,
    /// the page's columns have other names
    OtherNames,
    /// the page has nulls where none were promised
    Nulls,
    /// `progress` is 7, then not a number, then below 0
    OddProgress,
    /// the bookmark has 64 MiB
    LongBookmark,
    /// takes `seconds` for every page, for ever
    Slow,
    /// the bookmark would steer a terminal
    Escapes,
    /// quarantines as many records as the page has rows, and then panics
    QuarantineThenPanic,
}

/// The hostile stage.
pub struct EvilExtract {
    options: Options,
    attempt: u32,
    made: u64,
}

fn promised() -> Schema {
    Schema::new([Field::new("number", DataType::Int64).not_null(), Field::new("name", DataType::Utf8)])
}

impl Extract for EvilExtract {
    type Options = Options;

    fn open(context: &Context, options: Options, _: Option<&str>) -> Result<(Self, Schema), Fault> {
        match options.mode {
            Mode::PanicInOpen => panic!("evil: a panic in open, as asked for"),
            Mode::LoopInOpen => spin(),
            _ => {}
        }
        Ok((Self { options, attempt: context.attempt, made: 0 }, promised()))
    }

    fn next(&mut self) -> Result<Option<Page>, Fault> {
        let Options { mode, on, until_attempt, pages, rows, seconds } = self.options;
        let number = self.made;
        self.made += 1;
        if number >= pages && !matches!(mode, Mode::NeverEnds | Mode::EmptyForEver | Mode::Slow) {
            return Ok(None);
        }
        let now = number == on && (until_attempt == 0 || self.attempt < until_attempt);
        if mode == Mode::Slow {
            std::thread::sleep(std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default());
        }
        let first = (number * rows) as i64;
        let rows = if mode == Mode::EmptyForEver { 0 } else { rows as i64 };
        let numbers = Column::from_i64((first..first + rows).collect());
        let names = Column::from_strs((first..first + rows).map(|number| format!("name {number}")));
        let progress = (number + 1) as f32 / pages as f32;
        let page = |schema: Schema, columns: Vec<Column>| -> Result<Option<Page>, Fault> {
            let batch = Batch::from_columns(schema, columns)?;
            Ok(Some(Page::new(batch).with_bookmark(number.to_string()).with_progress(progress)))
        };
        if !now && mode != Mode::OddProgress {
            return page(promised(), vec![numbers, names]);
        }
        let of = |fields: Vec<Field>| Schema::from(fields);
        match mode {
            Mode::Panic => panic!("evil: a panic in next, as asked for"),
            Mode::Loop => spin(),
            Mode::Unavailable => Err(Fault::unavailable("evil: not now, as asked for")),
            Mode::FewerColumns => page(of(vec![Field::new("number", DataType::Int64).not_null()]), vec![numbers]),
            Mode::MoreColumns => {
                let mut schema = promised();
                schema.push(Field::new("more", DataType::Int64));
                page(schema, vec![numbers.clone(), names, numbers])
            }
            Mode::OtherTypes => {
                let fields = vec![Field::new("number", DataType::Utf8), Field::new("name", DataType::Int64)];
                page(of(fields), vec![names, numbers])
            }
            Mode::OtherNames => {
                let fields = vec![Field::new("numbre", DataType::Int64).not_null(), Field::new("nom", DataType::Utf8)];
                page(of(fields), vec![numbers, names])
            }
            Mode::Nulls => {
                let fields = vec![Field::new("number", DataType::Int64), Field::new("name", DataType::Utf8)];
                let nulls = Column::from_options((0..rows).map(|_| None::<i64>));
                page(of(fields), vec![nulls, names])
            }
            Mode::OddProgress => {
                let odd = match number {
                    0 => 7.0,
                    1 => f32::NAN,
                    2 => -1.0,
                    _ => f32::INFINITY,
                };
                Ok(page(promised(), vec![numbers, names])?.map(|page| page.with_progress(odd)))
            }
            Mode::LongBookmark => {
                Ok(page(promised(), vec![numbers, names])?.map(|page| page.with_bookmark("x".repeat(64 << 20))))
            }
            Mode::Escapes => {
                let steers = "evil\u{1b}[2J\u{1b}]0;pwned\u{7}\u{9b}31m\u{202e}txet\u{61c}\u{200e}\u{200f}\u{2028}\u{2066}\u{feff}";
                Ok(page(promised(), vec![numbers, names])?.map(|page| page.with_bookmark(steers)))
            }
            Mode::QuarantineThenPanic => {
                let record = |row: i64| BadRecord {
                    origin: format!("evil:{row}"),
                    content: "a record".into(),
                    reason: "quarantined in a call that fails, so it does not count".into(),
                };
                quarantine((0..rows).map(record).collect());
                panic!("evil: a panic after quarantine, as asked for")
            }
            Mode::Pass | Mode::PanicInOpen | Mode::LoopInOpen | Mode::NeverEnds | Mode::EmptyForEver | Mode::Slow => {
                page(promised(), vec![numbers, names])
            }
        }
    }
}

fn spin() -> ! {
    let mut turns = 0u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

sluicebox_stage::export!(
    EvilExtract,
    kind: extract,
    summary: "Makes pages, and does the one bad thing that its options name"
);
