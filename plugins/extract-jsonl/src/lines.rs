//! One file, line by line, where the lines stand in the block.

use sluicebox_file_read::{Block, FileSettings, FormatFile, Input, Mark, Source, block_for, open_input};
use sluicebox_stage::Fault;

/// Where a line stands in `bytes()`, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// counted from 1
    pub(crate) number: u64,
}

/// The lines of a file.
#[derive(Debug)]
pub struct Lines {
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
    /// a last line without line end is not whole yet
    growing: bool,
}

impl FormatFile for Lines {
    fn input(&self) -> &Input {
        &self.input
    }

    fn block(&self) -> &Block {
        &self.block
    }

    fn position(&self) -> (usize, u64) {
        (self.next, self.passed)
    }
}

impl Lines {
    pub(crate) fn open(source: &Source, settings: &FileSettings) -> Result<Self, Fault> {
        let input = open_input(source, settings)?;
        let mut lines = Self {
            path: source.path.clone(),
            input,
            block: block_for(source, settings),
            next: 0,
            whole_end: 0,
            passed: 0,
            utf8: true,
            growing: source.growing,
        };
        match source.from() {
            Some(mark) => lines.jump(mark)?,
            None => lines.block.skip_mark(&mut lines.input)?,
        }
        lines.look();
        Ok(lines)
    }

    /// Goes on behind a mark.
    fn jump(&mut self, mark: &Mark) -> Result<(), Fault> {
        self.block.jump(&mut self.input, mark)?;
        self.passed = mark.line;
        Ok(())
    }

    /// Finds the lines that are whole.
    fn look(&mut self) {
        if !self.growing {
            self.block.close_last_line();
        }
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
                let line = Line { start: self.next, end: self.next + length, number: self.passed.saturating_add(1) };
                self.next += length + 1;
                self.passed = self.passed.saturating_add(1);
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
                    self.passed.saturating_add(1),
                    self.block.content().len()
                )));
            }
            let filled = self.block.fill(&mut self.input);
            // Also where reading failed: it may be tried again.
            self.look();
            filled?;
            if self.block.content().is_empty() || (self.block.at_end() && self.whole_end == self.next) {
                return Ok(None);
            }
        }
    }
}
