//! What was seen beside what is expected.

use crate::case::{Case, Expect, FaultExpected};
use crate::cells;
use crate::drive::Seen;
use crate::error::CaseError;
use crate::table::{Texts, declared_fields};
use crate::types;
use arrow_schema::{Schema, SchemaRef};
use similar::{Algorithm, DiffTag, capture_diff_slices};
use sluicebox_model::fault::Fault;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// So many rows are shown around those that differ.
const AROUND: usize = 2;

/// What of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is as expected.
    Same,
    /// It was expected and is not there.
    Missing,
    /// It is there and was not expected.
    Extra,
    /// Rows that are as expected are left out here.
    Skipped(usize),
}

/// A row of a difference of tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What of it.
    pub change: Change,
    /// Its cells, none for null; empty where rows are left out.
    pub cells: Vec<Option<String>>,
}

/// A way in which what was seen is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Told in words.
    Told(String),
    /// One text beside another: what of, expected, seen.
    Text(String, String, String),
    /// Tables: the columns' names, and the rows.
    Table(Vec<String>, Vec<Line>),
}

/// All differences; none: the case passes. `folder` is that of the case's file.
///
/// # Errors
/// What the case expects cannot be read.
pub fn compare(case: &Case, seen: &Seen, folder: &Path) -> Result<Vec<Difference>, CaseError> {
    let expect = &case.expect;
    let mut all = Vec::new();
    fault(expect.fault.as_ref(), seen, &mut all);
    if expect.fault.is_none() && seen.fault.is_some() {
        return Ok(all);
    }
    table(expect, seen, folder, &mut all)?;
    text("bookmark", expect.bookmark.as_ref(), seen.bookmark.as_ref(), &mut all);
    progress(expect.progress, seen.progress, &mut all);
    rules(expect, seen, &mut all);
    if let Some(files) = &expect.files {
        for name in files.keys().chain(seen.files.keys()).collect::<std::collections::BTreeSet<_>>() {
            match (files.get(name), seen.files.get(name)) {
                (Some(wanted), Some(found)) if wanted == found => {}
                (Some(wanted), Some(found)) => {
                    all.push(Difference::Text(format!("file {name}"), wanted.clone(), found.clone()));
                }
                (Some(_), None) => all.push(told(format!("there is no file {name}"))),
                (None, _) => all.push(told(format!("there is a file {name} that is not expected"))),
            }
        }
    }
    if let Some(gone) = &expect.gone {
        let kept = gone.iter().filter(|name| !seen.gone.contains(name));
        all.extend(kept.map(|name| told(format!("the file {name} is still there, or was never"))));
        let others = seen.gone.iter().filter(|name| !gone.contains(name));
        all.extend(others.map(|name| told(format!("the file {name} is not there any more"))));
    }
    quarantined(expect, seen, &mut all);
    log(expect, seen, &mut all);
    for (name, wanted) in expect.counters.iter().flatten() {
        let found = seen.counters.get(name).copied().unwrap_or_default();
        if found != *wanted {
            all.push(told(format!("the counter `{name}` is {found}, not {wanted}")));
        }
    }
    all.extend(seen.not_repeatable.iter().map(|what| told(what.clone())));
    Ok(all)
}

fn told(what: impl Into<String>) -> Difference {
    Difference::Told(what.into())
}

fn fault(expected: Option<&FaultExpected>, seen: &Seen, all: &mut Vec<Difference>) {
    match (expected, &seen.fault) {
        (None, None) => {}
        (None, Some(fault)) => all.push(told(format!("it ended with a fault: {}", shown(fault)))),
        (Some(expected), None) => {
            let kind = expected.kind.as_deref().unwrap_or("of some kind");
            all.push(told(format!("it ended well, and a fault {kind} was expected")));
        }
        (Some(expected), Some(fault)) => {
            let FaultExpected { kind, message, call, row } = expected;
            if let Some(kind) = kind.as_ref().filter(|kind| fault.kind.word() != kind.as_str()) {
                all.push(told(format!("the fault is {}, not {kind}: {}", fault.kind, fault.message)));
            }
            if let Some(message) = message.as_ref().filter(|message| !fault.message.contains(message.as_str())) {
                all.push(Difference::Text("the fault's message".into(), message.clone(), fault.message.clone()));
            }
            if let Some(call) = call.as_ref().filter(|call| **call != fault.call) {
                all.push(told(format!("the fault is one of `{}`, not of `{call}`", fault.call)));
            }
            if let Some(row) = row.filter(|row| Some(*row) != seen.fault_row) {
                let found = seen.fault_row.map_or("no row".to_owned(), |row| format!("row {row}"));
                all.push(told(format!("the fault names {found}, not row {row}")));
            }
        }
    }
}

fn shown(fault: &Fault) -> String {
    format!("{} in `{}`: {}", fault.kind, fault.call, fault.message)
}

fn text(what: &str, expected: Option<&String>, found: Option<&String>, all: &mut Vec<Difference>) {
    if let Some(expected) = expected.filter(|expected| Some(*expected) != found) {
        all.push(match found {
            Some(found) => Difference::Text(what.to_owned(), expected.clone(), found.clone()),
            None => told(format!("there is no {what}; `{expected}` was expected")),
        });
    }
}

/// Of three digits: how many batches it took is nobody's business.
fn progress(expected: Option<f32>, found: Option<f32>, all: &mut Vec<Difference>) {
    let Some(expected) = expected else { return };
    match found {
        Some(found) if (found - expected).abs() < 0.0005 => {}
        Some(found) => all.push(told(format!("the progress is {found}, not {expected}"))),
        None => all.push(told(format!("there is no progress; {expected} was expected"))),
    }
}

fn table(expect: &Expect, seen: &Seen, folder: &Path, all: &mut Vec<Difference>) -> Result<(), CaseError> {
    let side = expect.side();
    if side.is_empty() {
        return Ok(());
    }
    let Some(schema) = &seen.schema else {
        if seen.fault.is_some() {
            all.push(told("it gave no rows: it was not opened"));
            return Ok(());
        }
        return Err(CaseError::new("it expects rows, and this kind of stage gives none"));
    };
    if expect.columns.is_some() {
        let words = |schema: &Schema| -> Vec<String> {
            schema.fields().iter().map(|field| format!("{} {}", field.name(), types::word(field))).collect()
        };
        let wanted = words(&Schema::new(declared_fields(expect.columns.as_ref())?)).join(", ");
        let found = words(schema).join(", ");
        if wanted != found {
            all.push(Difference::Text("the columns".into(), wanted, found));
        }
    }
    let Some(wanted) = Texts::of(&side, folder).map_err(|error| error.at("expect"))? else { return Ok(()) };
    let found = Texts::of_batches(schema, &seen.batches);
    if !wanted.is_open && wanted.names != found.names {
        all.push(Difference::Text("the columns".into(), wanted.names.join(", "), found.names.join(", ")));
        return Ok(());
    }
    if let Some(name) = wanted.names.iter().find(|name| !found.names.contains(name)) {
        all.push(told(format!("there is no column `{name}`; there is {}", found.names.join(", "))));
        return Ok(());
    }
    let wanted = as_of(schema, &wanted);
    if wanted != found.rows {
        all.push(Difference::Table(found.names.clone(), lines(&wanted, &found.rows)));
    }
    Ok(())
}

/// Expected rows with the columns, and the spelling of values, of those that were seen.
fn as_of(schema: &SchemaRef, wanted: &Texts) -> Vec<Vec<Option<String>>> {
    let mut rows = vec![Vec::with_capacity(schema.fields().len()); wanted.rows.len()];
    for field in schema.fields() {
        let texts = wanted.column(field.name()).unwrap_or_else(|| vec![None; wanted.rows.len()]);
        // Cell by cell: one that does not fit stays as it is written, and differs.
        for (row, text) in rows.iter_mut().zip(texts) {
            let read = cells::column(field.data_type(), std::slice::from_ref(&text));
            let spelled = read.map(|array| cells::texts(Arc::as_ref(&array)).into_iter().next().flatten());
            row.push(spelled.unwrap_or(text));
        }
    }
    rows
}

type Cells = Vec<Option<String>>;

fn lines(wanted: &[Cells], found: &[Cells]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut add = |change: Change, rows: Option<&[Cells]>| {
        lines.extend(rows.into_iter().flatten().map(|cells| Line { change, cells: cells.clone() }));
    };
    for op in capture_diff_slices(Algorithm::Patience, wanted, found) {
        let (tag, old, new) = op.as_tag_tuple();
        match tag {
            DiffTag::Equal => add(Change::Same, wanted.get(old)),
            DiffTag::Delete => add(Change::Missing, wanted.get(old)),
            DiffTag::Insert => add(Change::Extra, found.get(new)),
            DiffTag::Replace => {
                add(Change::Missing, wanted.get(old));
                add(Change::Extra, found.get(new));
            }
        }
    }
    shortened(&lines)
}

/// Leaves out rows that are far from any that differs.
fn shortened(lines: &[Line]) -> Vec<Line> {
    let differs = |at: usize| lines.get(at).is_some_and(|line| line.change != Change::Same);
    let is_near = |at: usize| (at.saturating_sub(AROUND)..=at + AROUND).any(differs);
    let mut out: Vec<Line> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if is_near(at) {
            out.push(line.clone());
        } else if let Some(Line { change: Change::Skipped(rows), .. }) = out.last_mut() {
            *rows += 1;
        } else {
            out.push(Line { change: Change::Skipped(1), cells: Vec::new() });
        }
    }
    out
}

fn rules(expect: &Expect, seen: &Seen, all: &mut Vec<Difference>) {
    let rows = |rows: &[u64]| match rows {
        [] => "no row".to_owned(),
        rows => format!("rows {}", rows.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    };
    let known: Vec<&str> = seen.rules.iter().map(|rule| rule.name.as_str()).collect();
    let named = expect.broken.iter().flat_map(BTreeMap::keys).chain(expect.outcomes.iter().flat_map(BTreeMap::keys));
    for unknown in named.filter(|name| !known.contains(&name.as_str())) {
        let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        all.push(told(format!("there is no rule `{unknown}`; there is {list}")));
    }
    if let Some(wanted) = &expect.rules {
        let names: Vec<&str> = wanted.iter().map(|rule| rule.name.as_str()).collect();
        if names != known {
            all.push(Difference::Text("the list of rules".into(), names.join(", "), known.join(", ")));
        }
        for wanted in wanted {
            let Some(found) = seen.rules.iter().find(|rule| rule.name == wanted.name) else { continue };
            text(&format!("what rule `{}` says", wanted.name), wanted.summary.as_ref(), Some(&found.summary), all);
            if let Some(severity) = wanted.severity.filter(|severity| *severity != found.severity) {
                let told_of = format!("rule `{}`: the severity is {:?}, not {severity:?}", wanted.name, found.severity);
                all.push(told(told_of.to_lowercase()));
            }
            let at_most = found.at_most.map(|most| most.to_string());
            text(&format!("at-most of rule `{}`", wanted.name), wanted.at_most.as_ref(), at_most.as_ref(), all);
        }
    }
    if let Some(broken) = &expect.broken {
        for rule in &known {
            let wanted = broken.get(*rule).map(Vec::as_slice).unwrap_or_default();
            let found = seen.broken.get(*rule).map(Vec::as_slice).unwrap_or_default();
            if wanted != found {
                all.push(told(format!("rule `{rule}` is broken by {}, not by {}", rows(found), rows(wanted))));
            }
        }
    }
    for (rule, wanted) in expect.outcomes.iter().flatten() {
        let Some((holds, observed)) = seen.outcomes.get(rule) else {
            if known.contains(&rule.as_str()) {
                all.push(told(format!("rule `{rule}` says nothing of all the data")));
            }
            continue;
        };
        let word = |holds: bool| if holds { "holds" } else { "does not hold" };
        if *holds != wanted.holds {
            all.push(told(format!("rule `{rule}` {} ({observed})", word(*holds))));
        }
        text(&format!("what rule `{rule}` saw"), wanted.observed.as_ref(), Some(observed), all);
    }
}

fn quarantined(expect: &Expect, seen: &Seen, all: &mut Vec<Difference>) {
    let Some(wanted) = &expect.quarantined else { return };
    if wanted.len() != seen.quarantined.len() {
        let list: Vec<String> = seen
            .quarantined
            .iter()
            .map(|record| format!("\n  {}: {} ({})", record.origin, record.content, record.reason))
            .collect();
        let (found, wanted) = (seen.quarantined.len(), wanted.len());
        all.push(told(format!("{found} records are set aside, not {wanted}{}", list.concat())));
        return;
    }
    for (at, (wanted, found)) in wanted.iter().zip(&seen.quarantined).enumerate() {
        text(&format!("record {at}, origin"), wanted.origin.as_ref(), Some(&found.origin), all);
        text(&format!("record {at}, content"), wanted.content.as_ref(), Some(&found.content), all);
        text(&format!("record {at}, reason"), wanted.reason.as_ref(), Some(&found.reason), all);
    }
}

fn log(expect: &Expect, seen: &Seen, all: &mut Vec<Difference>) {
    let mut lines = seen.log.iter();
    for wanted in expect.log.iter().flatten() {
        if !lines.any(|line| line.message.contains(wanted.as_str())) {
            all.push(told(format!("the log has no line with `{wanted}` (after those before it)")));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn differences(expect: &str, seen: &Seen) -> Vec<String> {
        let case = Case::of_text(&format!("[[case]]\nname = \"a\"\n{expect}\n")).unwrap().remove(0);
        let told = |difference| match difference {
            Difference::Told(what) => what,
            other => panic!("{other:?}"),
        };
        compare(&case, seen, Path::new(".")).unwrap().into_iter().map(told).collect()
    }

    #[test]
    fn files_that_are_gone_are_compared_where_they_are_named() {
        let seen = Seen { gone: vec!["out/a".to_owned()], ..Seen::default() };
        assert!(differences("expect.counters = {}", &seen).is_empty());
        assert!(differences("expect.gone = ['out/a']", &seen).is_empty());
        assert_eq!(differences("expect.gone = []", &seen), ["the file out/a is not there any more"]);
        assert_eq!(
            differences("expect.gone = ['out/a', 'out/b']", &seen),
            ["the file out/b is still there, or was never"]
        );
    }

    #[test]
    fn progress_is_compared_to_three_digits() {
        let seen = Seen { progress: Some(2.0 / 3.0), ..Seen::default() };
        assert!(differences("expect.progress = 0.667", &seen).is_empty());
        assert_eq!(differences("expect.progress = 0.5", &seen), ["the progress is 0.6666667, not 0.5"]);
        assert_eq!(differences("expect.progress = 1.0", &Seen::default()), ["there is no progress; 1 was expected"]);
    }
}
