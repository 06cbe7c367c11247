//! A hostile load: it counts rows, and does the one bad thing that its options name. Where it has a `path`, it leaves a
//! line there for `prepare`, `commit` and `abort`, so that a test sees what was called, in which order.
#![allow(clippy::panic)]

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Batch, Context, Fault, Load, Schema, log};
use std::io::Write;

/// What to do.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The bad thing.
    pub mode: Mode,
    /// A file that gets a line for each `prepare`, `commit` and `abort`; needs grants.write.
    pub path: Option<String>,
    /// unavailable-in-*: the bad thing is done so many times, counted by the lines of `path`; 0 = every time.
    #[serde(default)]
    pub times: usize,
    /// long-receipt: how many bytes.
    #[serde(default = "bytes")]
    pub bytes: usize,
}

fn bytes() -> usize {
    64 << 20
}

/// The bad things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// nothing
    Pass,
    /// panics in `open`
    PanicInOpen,
    /// panics in `write`
    PanicInWrite,
    /// panics in `prepare`
    PanicInPrepare,
    /// panics in `commit`
    PanicInCommit,
    /// panics in `abort`, after a fault in `prepare`
    PanicInAbort,
    /// answers `write` with a fault of kind unavailable
    UnavailableInWrite,
    /// answers `prepare` with a fault of kind unavailable
    UnavailableInPrepare,
    /// answers `commit` with a fault of kind unavailable
    UnavailableInCommit,
    /// loops for ever in `prepare`
    LoopInPrepare,
    /// loops for ever in `commit`
    LoopInCommit,
    /// a receipt of `bytes` bytes
    LongReceipt,
    /// a receipt that would steer a terminal, and says that it is another load's
    ForgedReceipt,
    /// says that it committed, and did nothing
    LiesInCommit,
}

/// The hostile stage.
pub struct EvilLoad {
    options: Options,
    load_id: String,
    rows: usize,
}

impl Options {
    /// Leaves a line at `path`; answers how many lines of this step there are now.
    fn mark(&self, step: &str, load_id: &str) -> Result<usize, Fault> {
        let Some(path) = &self.path else {
            return Ok(1);
        };
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(file, "{step} {load_id}")?;
        let start = format!("{step} ");
        Ok(std::fs::read_to_string(path)?.lines().filter(|line| line.starts_with(&start)).count())
    }

    fn unavailable(&self, lines: usize) -> Result<(), Fault> {
        if self.times == 0 || lines <= self.times {
            return Err(Fault::unavailable("evil: not now, as asked for"));
        }
        Ok(())
    }
}

impl Load for EvilLoad {
    type Options = Options;

    fn open(_: &Context, options: Options, _: &Schema, load_id: &str, _: u32) -> Result<Self, Fault> {
        if options.mode == Mode::PanicInOpen {
            panic!("evil: a panic in open, as asked for");
        }
        Ok(Self { options, load_id: load_id.into(), rows: 0 })
    }

    fn write(&mut self, batch: Batch) -> Result<(), Fault> {
        match self.options.mode {
            Mode::PanicInWrite => panic!("evil: a panic in write, as asked for"),
            Mode::UnavailableInWrite => {
                let lines = self.options.mark("write", &self.load_id)?;
                self.options.unavailable(lines)?;
            }
            _ => {}
        }
        self.rows += batch.rows();
        Ok(())
    }

    fn prepare(&mut self) -> Result<String, Fault> {
        let lines = self.options.mark("prepare", &self.load_id)?;
        match self.options.mode {
            Mode::PanicInPrepare => panic!("evil: a panic in prepare after {} rows, as asked for", self.rows),
            Mode::LoopInPrepare => spin(),
            Mode::UnavailableInPrepare => self.options.unavailable(lines)?,
            Mode::PanicInAbort => return Err(Fault::internal("evil: a fault in prepare, as asked for")),
            Mode::LongReceipt => return Ok("x".repeat(self.options.bytes)),
            Mode::ForgedReceipt => return Ok(
                "out\u{1b}[2J\u{7}\u{202e}\u{61c}\u{200e}\u{200f}\u{2028}\u{2066}\u{feff}{\"path\": \"/etc/passwd\"}"
                    .to_owned(),
            ),
            _ => {}
        }
        Ok(format!("{} rows", self.rows))
    }

    fn commit(options: Options, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        if options.mode == Mode::LiesInCommit {
            return Ok(());
        }
        let lines = options.mark("commit", load_id)?;
        match options.mode {
            Mode::PanicInCommit => panic!("evil: a panic in commit, as asked for"),
            Mode::LoopInCommit => spin(),
            Mode::UnavailableInCommit => options.unavailable(lines)?,
            _ => {}
        }
        log::info(format_args!("evil: committed {}", receipts.join(", ")));
        Ok(())
    }

    fn abort(options: Options, load_id: &str, _: &[String]) -> Result<(), Fault> {
        options.mark("abort", load_id)?;
        if options.mode == Mode::PanicInAbort {
            panic!("evil: a panic in abort, as asked for");
        }
        Ok(())
    }
}

fn spin() -> ! {
    let mut turns = 0u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

sluicebox_stage::export!(
    EvilLoad,
    kind: load,
    summary: "Counts rows, and does the one bad thing that its options name",
    capabilities: [WriteFiles]
);
