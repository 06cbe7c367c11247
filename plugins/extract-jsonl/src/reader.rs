//! From lines to rows.

use crate::json::{Slot, Sort, read_line, unescape};
use crate::layout::{layout, paths};
use crate::lines::{Line, Lines};
use crate::options::{Options, Settings};
use crate::path::Node;
use sluicebox_file_read::column::Store;
use sluicebox_file_read::number::short_int;
use sluicebox_file_read::{
    Column, FileFormat, FileSettings, Guess, Kind, Layout, Misfit, Rows, Selected, Source, shown, toml_key,
};
use sluicebox_stage::{Context, Fault, log};
use std::collections::BTreeSet;

/// So many keys that the sample did not have are warned of.
const NEW_KEYS_MAX: usize = 20;

/// Reads newline-delimited JSON.
#[derive(Debug)]
pub struct Jsonl {
    settings: Settings,
    paths: Node,
    slots: Vec<Slot>,
    scratch: Vec<u8>,
    /// keys that no column holds, already warned of
    new_keys: BTreeSet<Vec<u8>>,
}

impl Jsonl {
    pub(crate) fn with(settings: Settings) -> Self {
        Self { settings, paths: Node::default(), slots: Vec::new(), scratch: Vec::new(), new_keys: BTreeSet::new() }
    }
}

impl FileFormat for Jsonl {
    const PLUGIN: &'static str = "extract-jsonl";
    const ROWS_AT_FIRST: usize = 8192;
    type Options = Options;
    type File = Lines;

    fn new(options: Options, context: &Context) -> Result<Self, Fault> {
        Ok(Self::with(Settings::new(options, context)?))
    }

    fn settings(&self) -> &FileSettings {
        &self.settings.files
    }

    fn layout(&self, sources: &[Source], known: Option<&Layout>) -> Result<Layout, Fault> {
        layout(sources, &self.settings, known)
    }

    fn begin(&mut self, layout: &Layout) -> Result<(), Fault> {
        self.paths = paths(&layout.selected, &self.settings)?;
        self.slots = vec![Slot::default(); layout.selected.len()];
        Ok(())
    }

    fn open(&mut self, _layout: &Layout, source: &Source) -> Result<Lines, Fault> {
        Lines::open(source, &self.settings.files)
    }

    fn read(&mut self, layout: &Layout, lines: &mut Lines, rows: &mut Rows) -> Result<bool, Fault> {
        while !rows.is_full() {
            let Some(line) = lines.next_line()? else { return Ok(false) };
            if self.row(layout, lines, line, rows)? {
                rows.count += 1;
                rows.bytes += line.end - line.start;
            }
        }
        Ok(true)
    }

    fn pass_over(&mut self, lines: &mut Lines) -> Result<(), Fault> {
        while lines.next_line()?.is_some() {}
        Ok(())
    }
}

impl Jsonl {
    /// Makes a row of a line; false: the line was set aside.
    fn row(&mut self, layout: &Layout, lines: &Lines, line: Line, rows: &mut Rows) -> Result<bool, Fault> {
        let bytes = lines.bytes();
        let reject = |rejects: &mut sluicebox_file_read::Rejects, reason: String| {
            rejects.add(format!("{}:{}", lines.path, line.number), lines.text(line), reason)?;
            Ok(false)
        };
        if !lines.is_utf8(line) {
            return reject(&mut rows.rejects, "it is not UTF-8".into());
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
                    self.settings.files.sample_rows
                ));
            }
        });
        if let Err(wrong) = read {
            let mut reason = format!("at byte {}: {}", wrong.at + 1, wrong.what);
            if line.number == 1 && lines.text(line).trim_ascii_start().starts_with(b"[") {
                reason.push_str("; is the file one JSON array? write its objects on lines of their own");
            }
            return reject(&mut rows.rejects, reason);
        }
        let mut reasons: Vec<String> = Vec::new();
        for ((column, slot), selected) in rows.columns.iter_mut().zip(&self.slots).zip(&layout.selected) {
            if let Err(misfit) = push(column, *slot, bytes, &mut self.scratch) {
                let value = bytes.get(slot.start..slot.end).unwrap_or_default();
                reasons.push(explain(selected, value, slot.sort, misfit, &self.settings.files));
            }
        }
        if reasons.is_empty() {
            rows.push_file(&lines.path, 1);
            return Ok(true);
        }
        for column in &mut rows.columns {
            column.truncate(rows.count);
        }
        reject(&mut rows.rejects, reasons.join("; "))
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
fn explain(column: &Selected, value: &[u8], sort: Sort, misfit: Misfit, settings: &FileSettings) -> String {
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
