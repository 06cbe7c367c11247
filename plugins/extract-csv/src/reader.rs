//! From files to batches.

use crate::layout::{Layout, names_of};
use crate::lines::{Lines, Part};
use crate::options::Settings;
use crate::parse::{Bad, Reading, Scratch};
use crate::records::{Broken, Segment, segments};
use crate::reject;
use sluicebox_file_read::{Column, Queue, Rejects, Source};
use sluicebox_stage::{Batch, Fault, Page, Schema, count};

/// Bytes of records that are worked on column by column: they and their columns stay in the nearest cache.
const STRIP_BYTES: usize = 16 * 1024;
/// A batch that holds more bytes than this is done, whatever its rows.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// The file that is being read.
#[derive(Debug)]
struct Open {
    lines: Lines,
    /// the field number of each column
    order: Vec<usize>,
    segments: Vec<Segment>,
    /// the segment under way, and how many of its records are done
    segment: usize,
    passed: usize,
    /// records of a strip
    strip: usize,
}

/// Reads files into pages.
#[derive(Debug)]
pub(crate) struct Reader {
    settings: Settings,
    layout: Layout,
    schema: Schema,
    queue: Queue,
    open: Option<Open>,
    columns: Vec<Column>,
    /// the paths, where they are a column
    paths: Column,
    rejects: Rejects,
    bad: Vec<Bad>,
    scratch: Scratch,
}

impl Reader {
    pub(crate) fn new(settings: Settings, layout: Layout, sources: Vec<Source>) -> Self {
        let schema = layout.schema(&settings);
        let columns = layout
            .selected
            .iter()
            .map(|column| Column::new(column.kind, column.inferred, settings.batch_rows))
            .collect();
        Self {
            rejects: Rejects::new(settings.quarantine),
            paths: Column::new(sluicebox_file_read::Kind::Utf8, false, 0),
            settings,
            layout,
            schema,
            queue: Queue::new(sources),
            open: None,
            columns,
            bad: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::rows)
    }

    /// The next page; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Page>, Fault> {
        while self.rows() < self.settings.batch_rows
            && self.columns.iter().map(Column::bytes).sum::<usize>() < BATCH_BYTES_MAX
        {
            if self.open.is_none() && !self.open_next()? {
                break;
            }
            if !self.read_some()? {
                self.open = None;
                count("files", 1);
            }
        }
        self.rejects.flush();
        if self.rows() == 0 {
            return Ok(None);
        }
        let mut columns: Vec<sluicebox_stage::Column> = self.columns.iter_mut().map(Column::take).collect();
        if self.settings.file_column.is_some() {
            columns.push(self.paths.take());
        }
        let batch = Batch::from_columns(self.schema.clone(), columns)?;
        let progress = self.queue.progress(self.open.as_ref().map(|open| &open.lines.input));
        Ok(Some(Page::new(batch).with_progress(progress)))
    }

    /// False: there are no more files.
    fn open_next(&mut self) -> Result<bool, Fault> {
        while let Some(source) = self.queue.next_source() {
            let mut lines = Lines::open(&source, &self.settings)?;
            let Some(names) = names_of(&mut lines, &self.settings)? else {
                sluicebox_stage::log::info(format_args!("{} is empty", source.path));
                continue;
            };
            let order = self.layout.order(&names, &source.path)?;
            self.open = Some(Open { lines, order, segments: Vec::new(), segment: 0, passed: 0, strip: 1 });
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads a strip or a broken record, or goes to the next part of the file. False: the file is at its end.
    fn read_some(&mut self) -> Result<bool, Fault> {
        let Some(open) = &mut self.open else { return Ok(false) };
        let width = self.layout.names.len();
        match open.segments.get(open.segment).copied() {
            None => {
                match open.lines.advance()? {
                    Part::End => return Ok(false),
                    Part::Unclosed => {
                        let (line, content) = open.lines.first_line();
                        let reason = reject::broken_reason(Broken::Unclosed, width);
                        self.rejects.add(format!("{}:{line}", open.lines.path), content, reason)?;
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
                self.rejects.add(format!("{}:{line}", open.lines.path), content, reason)?;
                open.segment += 1;
            }
            Some(Segment::Good { first, records }) => {
                let room = self.settings.batch_rows - self.columns.first().map_or(0, Column::rows);
                let take = (records - open.passed).min(open.strip).min(room);
                let first = first + open.passed * width;
                open.passed += take;
                if open.passed == records {
                    (open.segment, open.passed) = (open.segment + 1, 0);
                }
                self.strip(first, take)?;
            }
        }
        Ok(true)
    }

    /// Reads `records` records from the one that starts at `first` on; sets those aside that hold a bad value.
    fn strip(&mut self, first: usize, records: usize) -> Result<(), Fault> {
        let before = self.rows();
        self.columns_of(first, records);
        if !self.bad.is_empty() {
            let mut bad = std::mem::take(&mut self.bad);
            bad.sort_by_key(|bad| (bad.record, bad.column));
            for column in &mut self.columns {
                column.truncate(before);
            }
            let width = self.layout.names.len();
            let mut next = 0;
            for of_record in bad.chunk_by(|a, b| a.record == b.record) {
                let Some(record) = of_record.first().map(|bad| bad.record) else { continue };
                self.columns_of(first + next * width, record - next);
                next = record + 1;
                self.reject(first + record * width, of_record)?;
            }
            self.columns_of(first + next * width, records - next);
            bad.clear();
            self.bad = bad;
        }
        if let (Some(_), Some(open)) = (&self.settings.file_column, &self.open) {
            for _ in before..self.rows() {
                // Any text is text.
                let _ = self.paths.push(open.lines.path.as_bytes());
            }
        }
        Ok(())
    }

    fn columns_of(&mut self, first: usize, records: usize) {
        let Some(open) = &self.open else { return };
        let fields = open.lines.fields(self.layout.names.len());
        for (number, (column, field)) in self.columns.iter_mut().zip(&open.order).enumerate() {
            let reading = Reading { fields, nulls: &self.settings.nulls, first, records, field: *field, number };
            reading.read(column, &mut self.bad, &mut self.scratch);
        }
    }

    /// Sets the record that starts at `first` aside.
    fn reject(&mut self, first: usize, bad: &[Bad]) -> Result<(), Fault> {
        let Some(open) = &self.open else { return Ok(()) };
        let width = self.layout.names.len();
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
                let text = fields.text(start, end, &mut self.scratch.text);
                Some(reject::value_reason(selected, text, bad.why, self.settings.quarantine, self.settings.sample_rows))
            })
            .collect();
        self.rejects.add(origin, content, reasons.join("; "))
    }
}
