//! One file, line by line, where the lines stand in the block.

use crate::options::Settings;
use sluicebox_file_read::{Block, Input, Source};
use sluicebox_stage::Fault;

/// Where a line stands in `bytes()`, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// counted from 1
    pub(crate) number: u64,
}

#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) path: String,
    pub(crate) input: Input,
    block: Block,
    /// where the next line starts
    next: usize,
    /// behind the last line that is whole
    whole_end: usize,
    /// of the lines passed over
    passed: u64,
    /// whether all whole lines of the block are UTF-8
    utf8: bool,
}

impl Lines {
    pub(crate) fn open(source: &Source, settings: &Settings) -> Result<Self, Fault> {
        let mut input = Input::open(source, settings.compression)?;
        let mut block = Block::new(settings.block_bytes, settings.max_record_bytes);
        block.skip_mark(&mut input)?;
        let mut lines = Self { path: source.path.clone(), input, next: 0, whole_end: 0, block, passed: 0, utf8: true };
        lines.look();
        Ok(lines)
    }

    /// Finds the lines that are whole.
    fn look(&mut self) {
        self.block.close_last_line();
        let content = self.block.content();
        let whole = memchr::memrchr(b'\n', content).map_or(0, |at| at + 1);
        self.utf8 = simdutf8::basic::from_utf8(content.get(..whole).unwrap_or_default()).is_ok();
        self.next = self.block.start();
        self.whole_end = self.next + whole;
    }

    /// All bytes; lines tell where they stand in them.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.block.bytes()
    }

    /// The text of a line.
    pub(crate) fn text(&self, line: Line) -> &[u8] {
        self.block.bytes().get(line.start..line.end).unwrap_or_default()
    }

    /// Whether a line is UTF-8.
    pub(crate) fn is_utf8(&self, line: Line) -> bool {
        self.utf8 || std::str::from_utf8(self.text(line)).is_ok()
    }

    /// The next line that is not blank; none at the end.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line>, Fault> {
        loop {
            let rest = self.block.bytes().get(self.next..self.whole_end).unwrap_or_default();
            if let Some(length) = memchr::memchr(b'\n', rest) {
                let line = Line { start: self.next, end: self.next + length, number: self.passed + 1 };
                self.next += length + 1;
                self.passed += 1;
                if !self.text(line).iter().all(u8::is_ascii_whitespace) {
                    return Ok(Some(line));
                }
                continue;
            }
            self.block.consume_to(self.next);
            if self.block.is_full() {
                return Err(Fault::invalid_data(format!(
                    "{}:{}: the line is longer than {} bytes; raise `max-record-bytes` if it is meant to be so long",
                    self.path,
                    self.passed + 1,
                    self.block.content().len()
                )));
            }
            self.block.fill(&mut self.input)?;
            self.look();
            if self.block.content().is_empty() {
                return Ok(None);
            }
        }
    }
}
