//! From files to batches.

use crate::json::{Slot, Sort, read_line, unescape};
use crate::layout::{Layout, Selected};
use crate::lines::{Line, Lines};
use crate::options::Settings;
use crate::path::Node;
use sluicebox_file_read::column::Store;
use sluicebox_file_read::number::short_int;
use sluicebox_file_read::{Column, Guess, Kind, Misfit, Queue, Rejects, Source, shown, toml_key};
use sluicebox_stage::{Batch, Fault, Page, Schema, count, log};
use std::collections::BTreeSet;

/// A batch of more bytes of lines than this is done, whatever its rows.
const BATCH_BYTES_MAX: usize = 1 << 20;
/// So many keys that the sample did not have are warned of.
const NEW_KEYS_MAX: usize = 20;

/// Reads files into pages.
#[derive(Debug)]
pub(crate) struct Reader {
    settings: Settings,
    layout: Layout,
    schema: Schema,
    paths: Node,
    queue: Queue,
    open: Option<Lines>,
    columns: Vec<Column>,
    /// the paths of the files, where they are a column
    files: Column,
    rejects: Rejects,
    slots: Vec<Slot>,
    scratch: Vec<u8>,
    /// keys that no column holds, already warned of
    new_keys: BTreeSet<Vec<u8>>,
}

impl Reader {
    pub(crate) fn new(settings: Settings, layout: Layout, sources: Vec<Source>) -> Result<Self, Fault> {
        let columns = layout
            .selected
            .iter()
            .map(|column| Column::new(column.kind, column.inferred, settings.batch_rows.min(8192)))
            .collect();
        Ok(Self {
            schema: layout.schema(&settings),
            paths: layout.paths(&settings)?,
            rejects: Rejects::new(settings.quarantine),
            files: Column::new(Kind::Utf8, false, 0),
            slots: vec![Slot::default(); layout.selected.len()],
            settings,
            layout,
            queue: Queue::new(sources),
            open: None,
            columns,
            scratch: Vec::new(),
            new_keys: BTreeSet::new(),
        })
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The next page; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Page>, Fault> {
        let mut rows = 0;
        let mut bytes = 0;
        while rows < self.settings.batch_rows && bytes < BATCH_BYTES_MAX {
            let Some(lines) = &mut self.open else {
                let Some(source) = self.queue.next_source() else { break };
                self.open = Some(Lines::open(&source, &self.settings)?);
                continue;
            };
            let Some(line) = lines.next_line()? else {
                self.open = None;
                count("files", 1);
                continue;
            };
            if self.row(line, rows)? {
                rows += 1;
                bytes += line.end - line.start;
            }
        }
        self.rejects.flush();
        if rows == 0 {
            return Ok(None);
        }
        let mut columns: Vec<sluicebox_stage::Column> = self.columns.iter_mut().map(Column::take).collect();
        if self.settings.file_column.is_some() {
            columns.push(self.files.take());
        }
        let batch = Batch::from_columns(self.schema.clone(), columns)?;
        let progress = self.queue.progress(self.open.as_ref().map(|lines| &lines.input));
        Ok(Some(Page::new(batch).with_progress(progress)))
    }

    /// Makes a row of a line, behind `rows` others; false: the line was set aside.
    fn row(&mut self, line: Line, rows: usize) -> Result<bool, Fault> {
        let Some(lines) = &self.open else { return Ok(false) };
        let bytes = lines.bytes();
        let reject = |rejects: &mut Rejects, reason: String| {
            rejects.add(format!("{}:{}", lines.path, line.number), lines.text(line), reason)?;
            Ok(false)
        };
        if !lines.is_utf8(line) {
            return reject(&mut self.rejects, "it is not UTF-8".into());
        }
        let all_keys = self.settings.columns.is_none();
        let new_keys = &mut self.new_keys;
        let read = read_line(bytes, line.start, line.end, &self.paths, &mut self.slots, &mut |key, _| {
            if all_keys && new_keys.len() < NEW_KEYS_MAX && !new_keys.contains(key) {
                new_keys.insert(key.to_vec());
                log::warn(format_args!(
                    "{}:{}: the key {} is not read: the first {} lines have no such key; give it a type in `types` to read it",
                    lines.path,
                    line.number,
                    shown(key),
                    self.settings.sample_rows
                ));
            }
        });
        if let Err(wrong) = read {
            let mut reason = format!("at byte {}: {}", wrong.at + 1, wrong.what);
            if line.number == 1 && lines.text(line).trim_ascii_start().starts_with(b"[") {
                reason.push_str("; is the file one JSON array? write its objects on lines of their own");
            }
            return reject(&mut self.rejects, reason);
        }
        let mut reasons: Vec<String> = Vec::new();
        for ((column, slot), selected) in self.columns.iter_mut().zip(&self.slots).zip(&self.layout.selected) {
            if let Err(misfit) = push(column, *slot, bytes, &mut self.scratch) {
                let value = bytes.get(slot.start..slot.end).unwrap_or_default();
                reasons.push(explain(selected, value, slot.sort, misfit, &self.settings));
            }
        }
        if reasons.is_empty() {
            if self.settings.file_column.is_some() {
                // Any text is text.
                let _ = self.files.push(lines.path.as_bytes());
            }
            return Ok(true);
        }
        for column in &mut self.columns {
            column.truncate(rows);
        }
        reject(&mut self.rejects, reasons.join("; "))
    }
}

/// Adds a value, or a null. A value that does not fit leaves some row behind, to be taken out.
#[inline]
fn push(column: &mut Column, slot: Slot, bytes: &[u8], scratch: &mut Vec<u8>) -> Result<(), Misfit> {
    let (start, end) = (slot.start, slot.end);
    let text = bytes.get(start..end).unwrap_or_default();
    let strict = column.strict;
    match (slot.sort, &mut column.store) {
        (Sort::Missing | Sort::Null, _) => column.push_null(),
        (Sort::Escaped, _) => {
            scratch.clear();
            // The line was checked: it can be unescaped.
            let _ = unescape(text, scratch);
            match &mut column.store {
                Store::Text(texts) => texts.push(scratch),
                _ => return misfit(column),
            }
        }
        (_, Store::Text(texts)) => texts.push_span(bytes, start, end),
        (Sort::Number, Store::Int(values)) if column.kind == Kind::Int64 => {
            match short_int(bytes, start, end, strict) {
                Some(value) => values.push(value),
                None => return column.push(text),
            }
        }
        (Sort::Boolean, Store::Boolean(_)) => return column.push(text),
        (Sort::Nested | Sort::Boolean, _) => return misfit(column),
        (Sort::Number, Store::Boolean(_)) if strict => return misfit(column),
        (Sort::Plain, store) if strict && !is_time(column.kind, store) => return misfit(column),
        _ => return column.push(text),
    }
    Ok(())
}

fn is_time(kind: Kind, store: &Store) -> bool {
    matches!(store, Store::Date(_)) || matches!(kind, Kind::Timestamp { .. })
}

fn misfit(column: &mut Column) -> Result<(), Misfit> {
    column.push_null();
    Err(Misfit::Form)
}

/// Why a value does not fit, and, where that ends the run, what to write.
fn explain(column: &Selected, value: &[u8], sort: Sort, misfit: Misfit, settings: &Settings) -> String {
    let name = shown(column.name.as_bytes());
    let sort_of = match sort {
        Sort::Plain | Sort::Escaped => "the text ",
        _ => "",
    };
    let what = format!("column {name}: {sort_of}{}", misfit.explain(value, column.kind));
    if settings.quarantine {
        return what;
    }
    let key = toml_key(&column.name);
    if column.inferred {
        let of_value = match sort {
            Sort::Number => Guess::of(value),
            _ => Guess::Text,
        };
        let instead = Guess::from_kind(column.kind).join(of_value).kind();
        format!(
            "{what}, which the first {} lines have; write types = {{ {key} = \"{instead}\" }}",
            settings.sample_rows
        )
    } else if misfit == Misfit::Zone {
        format!("{what}; write types = {{ {key} = \"timestamp(UTC)\" }}")
    } else {
        format!("{what}; write another type for {key} in `types`")
    }
}
