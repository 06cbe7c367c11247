//! One file, as scanned parts that hold whole records.

use crate::field::{Fields, Text};
use crate::options::Settings;
use crate::scan::{Dialect, Scan, scan};
use sluicebox_file_read::{Block, Input, Mark, Source, block_for, open_input};
use sluicebox_stage::{Fault, log};

/// What `advance` came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// whole records
    Records,
    /// the rest of the file is one record whose quote is never closed
    Unclosed,
    /// the end of the file
    End,
}

#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) path: String,
    pub(crate) input: Input,
    block: Block,
    ends: Vec<u32>,
    scan: Scan,
    dialect: Dialect,
    /// of the line at the start of the block, counted from 1
    line: u64,
    /// the content up to here is done with
    done: usize,
    /// a last line without line end is not whole yet
    growing: bool,
}

const NOTHING: Scan = Scan { rows_end: 0, records: 0, quotes: false, ascii: true };

impl Lines {
    /// Opens a file and passes over its byte order mark and `skip-rows`.
    pub(crate) fn open(source: &Source, settings: &Settings) -> Result<Self, Fault> {
        let input = open_input(source, &settings.files)?;
        let block = block_for(source, &settings.files);
        let mut lines = Self {
            path: source.path.clone(),
            input,
            done: block.start(),
            block,
            ends: Vec::new(),
            scan: NOTHING,
            dialect: settings.dialect,
            line: 1,
            growing: source.growing,
        };
        lines.block.skip_mark(&mut lines.input)?;
        for _ in 0..settings.skip_rows {
            lines.skip_line()?;
        }
        lines.done = lines.block.start();
        Ok(lines)
    }

    /// Goes on behind a mark.
    pub(crate) fn jump(&mut self, mark: &Mark) -> Result<(), Fault> {
        self.block.jump(&mut self.input, mark)?;
        self.done = self.block.start();
        self.scan = NOTHING;
        self.line = mark.line.saturating_add(1);
        Ok(())
    }

    /// The content is worked on in here.
    pub(crate) fn block(&self) -> &Block {
        &self.block
    }

    /// Where what is not done with starts.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    /// Passes over the content up to the next line end, quotes or not.
    pub(crate) fn skip_line(&mut self) -> Result<(), Fault> {
        loop {
            let start = self.block.start();
            if let Some(at) = self.block.content().iter().position(|byte| *byte == b'\n') {
                self.line += 1;
                self.block.consume_to(start + at + 1);
                break;
            }
            self.block.consume_to(self.block.end());
            if !self.block.fill(&mut self.input)? {
                break;
            }
        }
        self.done = self.block.start();
        self.scan = NOTHING;
        Ok(())
    }

    /// Goes to the next part.
    pub(crate) fn advance(&mut self) -> Result<Part, Fault> {
        self.line += self.lines_up_to(self.done);
        self.block.consume_to(self.done);
        loop {
            let filled = self.block.fill(&mut self.input);
            // Also where reading failed: it may be tried again.
            self.done = self.block.start();
            self.scan = NOTHING;
            filled?;
            if !self.growing {
                self.block.close_last_line();
            }
            let (start, end) = (self.block.start(), self.block.end());
            if start == end {
                return Ok(Part::End);
            }
            self.scan = scan(self.block.bytes(), start, end, &self.dialect, &mut self.ends);
            if self.scan.rows_end > start {
                self.done = self.scan.rows_end;
                return Ok(Part::Records);
            }
            if self.block.at_end() && self.growing {
                self.tell_of_rest();
                return Ok(Part::End);
            }
            if self.block.at_end() {
                return Ok(Part::Unclosed);
            }
            if self.block.is_full() {
                return Err(self.too_long());
            }
        }
    }

    /// Tells of lines at the end that may become a record yet.
    fn tell_of_rest(&self) {
        if let Some(line) = self.open_quote().filter(|_| self.block.content().contains(&b'\n')) {
            log::warn(format_args!(
                "{}:{}: the rest of the file is not read yet: a quote opened in line {line} is not closed",
                self.path, self.line
            ));
        }
    }

    fn too_long(&self) -> Fault {
        let why = match self.open_quote() {
            Some(line) => format!(
                "; a quote opened in line {line} is still open: is it to be closed, or is `quote = \"none\"` meant?"
            ),
            None => "; raise `max-record-bytes` if it is meant to be so long".into(),
        };
        Fault::invalid_data(format!(
            "{}:{}: the record is longer than {} bytes{why}",
            self.path,
            self.line,
            self.block.content().len()
        ))
    }

    /// The line in which the last quote of a record without end was opened, if one was.
    fn open_quote(&self) -> Option<u64> {
        let quote = self.dialect.quote?;
        let content = self.block.content();
        let count = content.iter().filter(|byte| **byte == quote).count();
        let last = content.iter().rposition(|byte| *byte == quote)?;
        (count % 2 == 1).then(|| self.line_of(self.block.start() + last))
    }

    /// The fields of the part; records have `width` of them.
    pub(crate) fn fields(&self, width: usize) -> Fields<'_> {
        Fields { bytes: self.block.bytes(), ends: &self.ends, width, dialect: self.dialect }
    }

    pub(crate) fn scan(&self) -> Scan {
        self.scan
    }

    /// The number of the line that a position stands in, counted from 1.
    pub(crate) fn line_of(&self, position: usize) -> u64 {
        self.line + count_line_ends(self.block.bytes().get(self.block.start()..position).unwrap_or_default())
    }

    fn lines_up_to(&self, position: usize) -> u64 {
        if position == self.scan.rows_end && !self.scan.quotes {
            return self.scan.records as u64;
        }
        count_line_ends(self.block.bytes().get(self.block.start()..position).unwrap_or_default())
    }

    /// The line that the content begins with, without its end; for records that have none.
    pub(crate) fn first_line(&self) -> (u64, &[u8]) {
        let line = self.block.content().split(|byte| *byte == b'\n').next().unwrap_or_default();
        (self.line, line)
    }

    /// The next record as text, and the line that it stands in; none at the end. With `take` it is passed over, else it will
    /// be read again. Blank lines and comments are passed over.
    pub(crate) fn one_record(&mut self, take: bool) -> Result<Option<(u64, Vec<String>)>, Fault> {
        loop {
            match self.advance()? {
                Part::End => return Ok(None),
                Part::Unclosed => {
                    let (line, _) = self.first_line();
                    return Err(Fault::invalid_data(format!(
                        "{}:{line}: a quote is opened here and never closed",
                        self.path
                    )));
                }
                Part::Records => {}
            }
            let mut first = 0;
            let mut start = self.block.start();
            let fields = self.fields(0);
            for (k, end) in self.ends.iter().enumerate().skip(1) {
                let end = *end as usize;
                if fields.bytes.get(end - 1) != Some(&b'\n') {
                    continue;
                }
                let record = fields.bytes.get(start..end).unwrap_or_default();
                if !fields.is_no_record(record, k - first) {
                    let line = self.line_of(start);
                    let texts = self.texts(first, k, line)?;
                    self.done = if take { end } else { start };
                    return Ok(Some((line, texts)));
                }
                first = k;
                start = end;
            }
        }
    }

    fn texts(&self, first: usize, behind: usize, line: u64) -> Result<Vec<String>, Fault> {
        let fields = self.fields(behind - first);
        let mut scratch = Vec::new();
        (first..behind)
            .map(|k| {
                let (start, end) = fields.span(k, k + 1 == behind);
                let broken =
                    |what: &str| Fault::invalid_data(format!("{}:{line}: field {} {what}", self.path, k - first + 1));
                match fields.text(start, end, &mut scratch) {
                    Text::Malformed => Err(broken("has something behind its closing quote")),
                    Text::Plain(text) | Text::Quoted(text) => {
                        String::from_utf8(text.to_vec()).map_err(|_| broken("is not UTF-8; convert the file first"))
                    }
                }
            })
            .collect()
    }
}

fn count_line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
