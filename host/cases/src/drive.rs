//! Gives a stage what a case says, and notes what it answers.

use crate::case::{BatchRows, Case, Side};
use crate::error::CaseError;
use crate::files::gather;
use crate::table::Texts;
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::SchemaRef;
use jiff::Timestamp;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::plugin::Kind;
use sluicebox_model::stage::{BadRecord, Input, Instance, Loader, LogLine, Rule, RunContext, Stage, Usage};
use std::collections::BTreeMap;
use std::path::Path;

/// More pages, or batches of one `finish`, than this are taken for an endless loop.
pub(crate) const ANSWERS_MAX: usize = 100_000;

/// More rows than this are no case.
pub(crate) const ROWS_MAX: usize = 1_000_000;

/// The interval of a case that names none: the first day of 2026.
const INTERVAL: (i64, i64) = (1_767_225_600, 1_767_312_000);

/// The load-id of a case.
pub(crate) const LOAD_ID: &str = "case-load";

/// An input of a case: its name, and its batches.
#[derive(Clone, Debug)]
pub struct Given {
    /// The stage that it comes from.
    pub name: String,
    /// Of every batch.
    pub schema: SchemaRef,
    /// At least one.
    pub batches: Vec<RecordBatch>,
}

/// The inputs of a case. `folder` is that of its file.
///
/// # Errors
/// Its rows cannot be read, or do not fit their types.
pub fn given(case: &Case, kind: Kind, folder: &Path) -> Result<Vec<Given>, CaseError> {
    let sides: Vec<&Side> = case.input.iter().chain(&case.inputs).collect();
    match (kind, sides.len()) {
        (Kind::Extract, 0) => return Ok(Vec::new()),
        (Kind::Extract, _) => {
            return Err(CaseError::new("it has an input, and an extract has none")
                .help("give it files: `files = { \"in/sample.txt\" = \"...\" }`"));
        }
        (_, 0) => return Err(CaseError::new("it has no input").help("give it rows: `input.csv = \"...\"`")),
        (Kind::Validate | Kind::Load, 2..) => {
            return Err(CaseError::new(format!("it has {} inputs, and a {kind} has one", sides.len()))
                .help("keep one of them, as `input`"));
        }
        _ => {}
    }
    let mut inputs = Vec::with_capacity(sides.len());
    for (at, side) in sides.into_iter().enumerate() {
        let name = side.name.clone().unwrap_or_else(|| format!("input-{}", at + 1));
        let texts = match Texts::of(side, folder)? {
            Some(texts) => texts,
            None if side.columns.is_some() => Texts::default(),
            None => {
                return Err(CaseError::new(format!("`{name}` has neither rows nor columns"))
                    .help("give it rows: `input.csv = \"...\"`"));
            }
        };
        let batch = texts.batch(side.columns.as_ref()).map_err(|error| error.at(&name))?;
        let batches = batches(&batch, case.batch_rows.as_ref()).map_err(|error| error.at(&name))?;
        inputs.push(Given { name, schema: batch.schema(), batches });
    }
    Ok(inputs)
}

/// Cuts the rows of an input; without rows there is one batch, of none.
fn batches(rows: &RecordBatch, sizes: Option<&BatchRows>) -> Result<Vec<RecordBatch>, CaseError> {
    let all = rows.num_rows();
    match sizes {
        Some(BatchRows::Each(sizes)) => {
            let asked = sizes.iter().fold(0, |asked: usize, size| asked.saturating_add(*size));
            if asked != all || sizes.is_empty() {
                return Err(CaseError::new(format!("batch-rows asks for {asked} rows, and there are {all}"))
                    .help("name the rows of each batch, e.g. `batch-rows = [2, 0, 1]` for three rows"));
            }
            let mut from = 0;
            let cut = |size: &usize| {
                from += size;
                rows.slice(from - size, *size)
            };
            Ok(sizes.iter().map(cut).collect())
        }
        sizes => {
            let most = match sizes {
                Some(BatchRows::Most(most)) => (*most).clamp(1, all.max(1)),
                _ => all.max(1),
            };
            let starts = (0..all.max(1)).step_by(most);
            Ok(starts.map(|from| rows.slice(from, most.min(all - from))).collect())
        }
    }
}

/// What a stage answered.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What ended it.
    pub fault: Option<Fault>,
    /// The first row at fault, counted over all batches of the input.
    pub fault_row: Option<u64>,
    /// Of what an extract or a transform gives.
    pub schema: Option<SchemaRef>,
    /// What it gave.
    pub batches: Vec<RecordBatch>,
    /// Of the last page that had one.
    pub bookmark: Option<String>,
    /// Of the last page that said it.
    pub progress: Option<f32>,
    /// The rules of a validate.
    pub rules: Vec<Rule>,
    /// By rule: the rows that break it, over all batches. No entry: none.
    pub broken: BTreeMap<String, Vec<u64>>,
    /// By rule: whether it holds for all the data, and what was seen.
    pub outcomes: BTreeMap<String, (bool, String)>,
    /// What was set aside.
    pub quarantined: Vec<BadRecord>,
    /// What was logged.
    pub log: Vec<LogLine>,
    /// Counters.
    pub counters: BTreeMap<String, u64>,
    /// The files that are new or changed.
    pub files: BTreeMap<String, String>,
    /// The files that are not there any more, in order.
    pub gone: Vec<String>,
    /// What a second `commit` or `abort` on a fresh instance did that it may not.
    pub not_repeatable: Option<String>,
    /// What the busiest instance used.
    pub usage: Usage,
}

/// A stage and the folder that it sees.
pub struct Opened<'a> {
    /// Bound to the options and grants of the case.
    pub stage: &'a dyn Stage,
    /// Its folder.
    pub folder: &'a Path,
}

/// Gives the stage what the case says. A fault is an answer as any other.
///
/// # Errors
/// The stage's folder cannot be read.
pub fn drive(opened: &Opened<'_>, case: &Case, inputs: &[Given]) -> Result<Seen, CaseError> {
    let before = gather(opened.folder)?;
    let kind = opened.stage.description().kind;
    let mut run = Run { opened, context: context(case), seen: Seen::default(), rows: 0 };
    let ended = match kind {
        Kind::Extract => run.extract(case),
        Kind::Transform => run.transform(inputs),
        Kind::Validate => run.validate(inputs),
        Kind::Load => run.load(inputs, case.abort)?,
    };
    let mut seen = run.seen;
    seen.fault = ended.err();
    let after = gather(opened.folder)?;
    seen.gone = before.keys().filter(|name| !after.contains_key(*name)).cloned().collect();
    seen.files = after.into_iter().filter(|(name, text)| before.get(name) != Some(text)).collect();
    Ok(seen)
}

pub(crate) fn context(case: &Case) -> RunContext {
    let at = |second| Timestamp::from_second(second).unwrap_or_default();
    let (start, end) = case.interval.unwrap_or((at(INTERVAL.0), at(INTERVAL.1)));
    RunContext {
        run_id: "01900000-0000-7000-8000-000000000000".to_owned(),
        randomness: "case".to_owned(),
        pipeline: "case".to_owned(),
        stage: "case".to_owned(),
        attempt: 1,
        interval_start: start,
        interval_end: end,
    }
}

/// One case under way.
struct Run<'a> {
    opened: &'a Opened<'a>,
    context: RunContext,
    seen: Seen,
    /// Rows of all batches that it gave.
    rows: usize,
}

impl Run<'_> {
    /// Notes what an instance told, whatever a call answered.
    fn note<I: Instance + ?Sized, T>(&mut self, instance: &mut I, answer: Result<T, Fault>) -> Result<T, Fault> {
        let report = instance.take_report();
        self.seen.log.extend(report.log);
        self.seen.quarantined.extend(report.bad_records);
        for (name, by) in report.counts {
            let counter = self.seen.counters.entry(name).or_default();
            *counter = counter.saturating_add(by);
        }
        let usage = instance.usage();
        self.seen.usage.calls += usage.calls;
        self.seen.usage.memory_peak_bytes = self.seen.usage.memory_peak_bytes.max(usage.memory_peak_bytes);
        answer
    }

    fn gave(&mut self, batch: RecordBatch) -> Result<(), Fault> {
        self.rows += batch.num_rows();
        self.seen.batches.push(batch);
        if self.rows > ROWS_MAX || self.seen.batches.len() > ANSWERS_MAX {
            let message = format!("it gave more than {ROWS_MAX} rows, or {ANSWERS_MAX} batches");
            return Err(Fault::new(FaultKind::Limit, "", message));
        }
        Ok(())
    }

    fn at_batch(&mut self, fault: Fault, rows_before: usize) -> Fault {
        self.seen.fault_row = fault.rows.map(|(first, _)| first + rows_before as u64);
        fault
    }

    fn extract(&mut self, case: &Case) -> Result<(), Fault> {
        let mut extract = self.opened.stage.extractor(&self.context, &Cancel::new())?;
        let schema = extract.open(case.bookmark.as_deref());
        self.seen.schema = Some(self.note(extract.as_mut(), schema)?);
        loop {
            let page = extract.next();
            let Some(page) = self.note(extract.as_mut(), page)? else { return Ok(()) };
            if page.bookmark.is_some() {
                self.seen.bookmark = page.bookmark;
            }
            self.seen.progress = page.progress.or(self.seen.progress);
            self.gave(page.batch)?;
        }
    }

    fn transform(&mut self, inputs: &[Given]) -> Result<(), Fault> {
        let mut transform = self.opened.stage.transformer(&self.context, &Cancel::new())?;
        let known: Vec<Input> =
            inputs.iter().map(|each| Input { name: each.name.clone(), schema: each.schema.clone() }).collect();
        let schema = transform.open(&known);
        self.seen.schema = Some(self.note(transform.as_mut(), schema)?);
        // All of the inputs but the first come before the first.
        let order = inputs.iter().enumerate().skip(1).chain(inputs.iter().enumerate().take(1));
        for (number, input) in order {
            let mut rows_before = 0;
            for batch in &input.batches {
                let answer = transform.process(u32::try_from(number).unwrap_or(u32::MAX), batch.clone());
                let answer = self.note(transform.as_mut(), answer);
                for batch in answer.map_err(|fault| self.at_batch(fault, rows_before))? {
                    self.gave(batch)?;
                }
                rows_before += batch.num_rows();
            }
        }
        loop {
            let batch = transform.finish();
            let Some(batch) = self.note(transform.as_mut(), batch)? else { return Ok(()) };
            self.gave(batch)?;
        }
    }

    fn validate(&mut self, inputs: &[Given]) -> Result<(), Fault> {
        let Some(input) = inputs.first() else { return Ok(()) };
        let mut validate = self.opened.stage.validator(&self.context, &Cancel::new())?;
        let rules = validate.open(&input.schema);
        self.seen.rules = self.note(validate.as_mut(), rules)?;
        let name = |rules: &[Rule], at: usize| rules.get(at).map(|rule| rule.name.clone()).unwrap_or_default();
        let mut rows_before = 0;
        for batch in &input.batches {
            let findings = validate.check(batch);
            let findings = self.note(validate.as_mut(), findings);
            for finding in findings.map_err(|fault| self.at_batch(fault, rows_before))? {
                let rows = broken(&finding.rows).map(|row| (row + rows_before) as u64);
                let of_rule = self.seen.broken.entry(name(&self.seen.rules, finding.rule)).or_default();
                of_rule.extend(rows);
            }
            rows_before += batch.num_rows();
        }
        self.seen.broken.retain(|_, rows| !rows.is_empty());
        let outcomes = validate.finish();
        for outcome in self.note(validate.as_mut(), outcomes)? {
            let rule = name(&self.seen.rules, outcome.rule);
            self.seen.outcomes.insert(rule, (outcome.holds, outcome.observed));
        }
        Ok(())
    }

    /// Writes and prepares; then commits, or aborts, twice, each time on a fresh instance.
    fn load(&mut self, inputs: &[Given], abort: bool) -> Result<Result<(), Fault>, CaseError> {
        let prepared = self.prepare(inputs);
        let receipts: Vec<String> = prepared.iter().cloned().collect();
        let aborts = abort || prepared.is_err();
        let end = |load: &mut dyn Loader| match aborts {
            true => load.abort(LOAD_ID, &receipts),
            false => load.commit(LOAD_ID, &receipts),
        };
        let first = self.on_fresh(&end);
        let once = gather(self.opened.folder)?;
        if first.is_ok() {
            let again = self.on_fresh(&end);
            let what = if aborts { "abort" } else { "commit" };
            self.seen.not_repeatable = match again {
                Err(fault) => {
                    Some(format!("a second `{what}` on a fresh instance ends with a fault: {}", fault.message))
                }
                Ok(()) if gather(self.opened.folder)? != once => {
                    Some(format!("a second `{what}` on a fresh instance changes what the first one left"))
                }
                Ok(()) => None,
            };
        }
        // The first fault is the one that counts: that of an abort only tells that there was something to take back.
        Ok(prepared.map(drop).and(first))
    }

    fn on_fresh(&mut self, end: &dyn Fn(&mut dyn Loader) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut load = self.opened.stage.loader(&self.context, &Cancel::new())?;
        let ended = end(load.as_mut());
        self.note(load.as_mut(), ended)
    }

    fn prepare(&mut self, inputs: &[Given]) -> Result<String, Fault> {
        let mut load = self.opened.stage.loader(&self.context, &Cancel::new())?;
        let mut rows_before = 0;
        for (at, input) in inputs.iter().enumerate() {
            if at == 0 {
                let opened = load.open(&input.schema, LOAD_ID, 0);
                self.note(load.as_mut(), opened)?;
            }
            for batch in &input.batches {
                let written = load.write(batch.clone());
                let written = self.note(load.as_mut(), written);
                written.map_err(|fault| self.at_batch(fault, rows_before))?;
                rows_before += batch.num_rows();
            }
        }
        let receipt = load.prepare();
        self.note(load.as_mut(), receipt)
    }
}

/// The positions of the rows that break a rule.
fn broken(rows: &BooleanArray) -> impl Iterator<Item = usize> {
    (0..rows.len()).filter(|row| rows.is_valid(*row) && rows.value(*row))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn cut(rows: usize, more: &str) -> Result<Vec<usize>, String> {
        let rows: Vec<String> = (0..rows).map(|n| format!("{{ n = {n} }}")).collect();
        let text = format!(
            "[[case]]\nname = \"a\"\ninput = {{ columns = {{ n = \"int64\" }}, rows = [{}] }}\n{more}",
            rows.join(", ")
        );
        let case = Case::of_text(&text).unwrap().remove(0);
        let given = given(&case, Kind::Transform, Path::new(".")).map_err(|error| error.to_string())?;
        Ok(given[0].batches.iter().map(RecordBatch::num_rows).collect())
    }

    #[test]
    fn rows_are_cut_into_batches() {
        assert_eq!(cut(3, "").unwrap(), [3]);
        assert_eq!(cut(3, "batch-rows = 2").unwrap(), [2, 1]);
        assert_eq!(cut(3, "batch-rows = 7").unwrap(), [3]);
        assert_eq!(cut(0, "batch-rows = 2").unwrap(), [0]);
        assert_eq!(cut(3, "batch-rows = [0, 2, 0, 1, 0]").unwrap(), [0, 2, 0, 1, 0]);
        assert_eq!(cut(0, "batch-rows = [0, 0]").unwrap(), [0, 0]);
        for wrong in ["batch-rows = [2]", "batch-rows = [4]", "batch-rows = []"] {
            let told = cut(3, wrong).unwrap_err();
            assert!(told.contains("batch-rows asks for") && told.contains("there are 3"), "{told}");
        }
    }
}
