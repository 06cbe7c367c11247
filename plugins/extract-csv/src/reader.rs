//! From files to rows.

use crate::layout::{find, names_of, order, reuse};
use crate::lines::{Lines, Part};
use crate::options::{Options, Settings};
use crate::parse::{Bad, Reading, Scratch};
use crate::records::{Broken, Segment, segments};
use crate::reject;
use sluicebox_file_read::{Block, Column, FileFormat, FileSettings, FormatFile, Input, Layout, Rows, Source};
use sluicebox_stage::{Context, Fault, log};

/// Bytes of records that are worked on column by column: they and their columns stay in the nearest cache.
const STRIP_BYTES: usize = 16 * 1024;

/// Reads CSV.
#[derive(Debug)]
pub struct Csv {
    settings: Settings,
    bad: Vec<Bad>,
    scratch: Scratch,
    /// columns that are not known and were told of
    warned: Vec<String>,
}

impl Csv {
    pub(crate) fn with(settings: Settings) -> Self {
        Self { settings, bad: Vec::new(), scratch: Scratch::default(), warned: Vec::new() }
    }
}

/// The file that is being read.
#[derive(Debug)]
pub struct CsvFile {
    lines: Lines,
    /// fields of a record; 0: the file is empty
    width: usize,
    /// the field number of each column
    order: Vec<usize>,
    segments: Vec<Segment>,
    /// the segment under way, and how many of its records are done
    segment: usize,
    passed: usize,
    /// records of a strip
    strip: usize,
}

impl FormatFile for CsvFile {
    fn input(&self) -> &Input {
        &self.lines.input
    }

    fn block(&self) -> &Block {
        self.lines.block()
    }

    fn position(&self) -> (usize, u64) {
        let fields = self.lines.fields(self.width);
        let position = match self.segments.get(self.segment) {
            None => self.lines.done(),
            Some(Segment::Broken { start, .. }) => *start,
            Some(Segment::Good { first, .. }) => {
                fields.ends.get(first + self.passed * self.width).map_or(self.lines.done(), |start| *start as usize)
            }
        };
        (position, self.lines.line_of(position) - 1)
    }

    fn is_empty(&self) -> bool {
        self.width == 0
    }
}

impl FileFormat for Csv {
    const PLUGIN: &'static str = "extract-csv";
    const ROWS_AT_FIRST: usize = usize::MAX;
    type Options = Options;
    type File = CsvFile;

    fn new(options: Options, context: &Context) -> Result<Self, Fault> {
        Ok(Self::with(Settings::new(options, context)?))
    }

    fn settings(&self) -> &FileSettings {
        &self.settings.files
    }

    fn layout(&self, sources: &[Source], known: Option<&Layout>) -> Result<Layout, Fault> {
        let Some(known) = known else { return find(sources, &self.settings) };
        if let Some(layout) = reuse(known, &self.settings) {
            layout.check_file_column(&self.settings.files)?;
            return Ok(layout);
        }
        let mut layout = find(sources, &self.settings)?;
        layout.keep_kinds(known);
        Ok(layout)
    }

    fn begin(&mut self, _layout: &Layout) -> Result<(), Fault> {
        Ok(())
    }

    fn open(&mut self, layout: &Layout, source: &Source) -> Result<CsvFile, Fault> {
        let mut lines = Lines::open(source, &self.settings)?;
        let (width, order) = match names_of(&mut lines, &self.settings)? {
            Some(names) => (names.len(), order(layout, &names, &source.path, &self.settings, Some(&mut self.warned))?),
            None => {
                log::info(format_args!("{} is empty", source.path));
                (0, Vec::new())
            }
        };
        if let Some(mark) = source.from() {
            lines.jump(mark)?;
        }
        Ok(CsvFile { lines, width, order, segments: Vec::new(), segment: 0, passed: 0, strip: 1 })
    }

    fn read(&mut self, layout: &Layout, file: &mut CsvFile, rows: &mut Rows) -> Result<bool, Fault> {
        let mut work = Work { csv: self, layout, file, rows };
        while !work.rows.is_full() {
            if !work.read_some()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn pass_over(&mut self, file: &mut CsvFile) -> Result<(), Fault> {
        loop {
            match file.lines.advance()? {
                Part::End => return Ok(()),
                Part::Unclosed => file.lines.skip_line()?,
                Part::Records => {}
            }
        }
    }
}

/// A file on its way into rows.
struct Work<'a> {
    csv: &'a mut Csv,
    layout: &'a Layout,
    file: &'a mut CsvFile,
    rows: &'a mut Rows,
}

impl Work<'_> {
    /// Reads a strip or a broken record, or goes to the next part of the file. False: the file is at its end.
    fn read_some(&mut self) -> Result<bool, Fault> {
        let open = &mut *self.file;
        let width = open.width;
        match open.segments.get(open.segment).copied() {
            None => {
                match open.lines.advance()? {
                    Part::End => return Ok(false),
                    Part::Unclosed => {
                        let (line, content) = open.lines.first_line();
                        let reason = reject::broken_reason(Broken::Unclosed, width);
                        self.rows.rejects.add(format!("{}:{line}", open.lines.path), content, reason)?;
                        open.segments.clear();
                        open.lines.skip_line()?;
                    }
                    Part::Records => {
                        let scan = open.lines.scan();
                        let fields = open.lines.fields(width);
                        segments(&fields, scan.records, scan.ascii, &mut open.segments);
                        let bytes = fields.ends.first().map_or(0, |start| scan.rows_end - *start as usize);
                        open.strip = (STRIP_BYTES * scan.records / bytes.max(1)).max(1);
                    }
                }
                (open.segment, open.passed) = (0, 0);
            }
            Some(Segment::Broken { start, end, why }) => {
                let line = open.lines.line_of(start);
                let content = open.lines.fields(width).bytes.get(start..end).unwrap_or_default();
                let reason = reject::broken_reason(why, width);
                self.rows.rejects.add(format!("{}:{line}", open.lines.path), content, reason)?;
                open.segment += 1;
            }
            Some(Segment::Good { first, records }) => {
                let take = (records - open.passed).min(open.strip).min(self.rows.room());
                let first = first + open.passed * width;
                open.passed += take;
                if open.passed == records {
                    (open.segment, open.passed) = (open.segment + 1, 0);
                }
                self.strip(first, take)?;
                self.rows.count = self.count();
                self.rows.bytes = self.rows.columns.iter().map(Column::bytes).sum();
            }
        }
        Ok(true)
    }

    fn count(&self) -> usize {
        self.rows.columns.first().map_or(0, Column::rows)
    }

    /// Reads `records` records from the one that starts at `first` on; sets those aside that hold a bad value.
    fn strip(&mut self, first: usize, records: usize) -> Result<(), Fault> {
        let before = self.count();
        self.columns_of(first, records);
        if !self.csv.bad.is_empty() {
            let mut bad = std::mem::take(&mut self.csv.bad);
            bad.sort_by_key(|bad| (bad.record, bad.column));
            for column in &mut self.rows.columns {
                column.truncate(before);
            }
            let width = self.file.width;
            let mut next = 0;
            for of_record in bad.chunk_by(|a, b| a.record == b.record) {
                let Some(record) = of_record.first().map(|bad| bad.record) else { continue };
                self.columns_of(first + next * width, record - next);
                next = record + 1;
                self.reject(first + record * width, of_record)?;
            }
            self.columns_of(first + next * width, records - next);
            bad.clear();
            self.csv.bad = bad;
        }
        let added = self.count() - before;
        self.rows.push_file(&self.file.lines.path, added);
        Ok(())
    }

    fn columns_of(&mut self, first: usize, records: usize) {
        let Csv { settings, bad, scratch, .. } = &mut *self.csv;
        let open = &*self.file;
        let fields = open.lines.fields(open.width);
        for (number, (column, field)) in self.rows.columns.iter_mut().zip(&open.order).enumerate() {
            let reading = Reading { fields, nulls: &settings.nulls, first, records, field: *field, number };
            reading.read(column, bad, scratch);
        }
    }

    /// Sets the record that starts at `first` aside.
    fn reject(&mut self, first: usize, bad: &[Bad]) -> Result<(), Fault> {
        let open = &*self.file;
        let files = &self.csv.settings.files;
        let text_scratch = &mut self.csv.scratch.text;
        let width = self.file.width;
        let fields = open.lines.fields(width);
        let place = |k: usize| fields.ends.get(k).map_or(0, |end| *end as usize);
        let (start, end) = (place(first), place(first + width));
        let origin = format!("{}:{}", open.lines.path, open.lines.line_of(start));
        let content = fields.bytes.get(start..end).unwrap_or_default();
        let reasons: Vec<String> = bad
            .iter()
            .filter_map(|bad| {
                let (selected, field) = (self.layout.selected.get(bad.column)?, open.order.get(bad.column)?);
                let (start, end) = fields.span(first + field, field + 1 == width);
                let text = fields.text(start, end, text_scratch);
                Some(reject::value_reason(selected, text, bad.why, files.quarantine, files.sample_rows))
            })
            .collect();
        self.rows.rejects.add(origin, content, reasons.join("; "))
    }
}
