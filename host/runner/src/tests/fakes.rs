//! Stages made of closures, and a journal that keeps what it is given.

use arrow_array::{Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use jiff::Timestamp;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::{FailedCall, Journal, JournalError, Quarantined};
use sluicebox_model::plugin::{Description, Digest, Kind};
use sluicebox_model::run::{Event, RunId, RunRecord};
use sluicebox_model::stage::{
    Extractor, Finding, Input, Instance, Loader, LogLine, Page, Plan, Report, Rule, RuleOutcome, RunContext, Stage,
    Transformer, Usage, Validator,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// One column `n`.
pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
}

pub(crate) fn batch(numbers: impl IntoIterator<Item = i64>) -> RecordBatch {
    let column: Int64Array = numbers.into_iter().collect::<Vec<_>>().into();
    RecordBatch::try_new(schema(), vec![Arc::new(column)]).unwrap()
}

pub(crate) fn numbers(batch: &RecordBatch) -> Vec<i64> {
    batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec()
}

pub(crate) fn fault(kind: FaultKind, message: &str) -> Fault {
    Fault::new(kind, "call", message)
}

type Make<T> = Box<dyn Fn(&RunContext, &Cancel) -> Result<Box<T>, Fault> + Send + Sync>;

/// A stage of one kind; `made` counts its instances.
pub(crate) struct Fake {
    pub(crate) description: Description,
    digest: Digest,
    pub(crate) made: Arc<AtomicU64>,
    extract: Option<Make<dyn Extractor>>,
    transform: Option<Make<dyn Transformer>>,
    validate: Option<Make<dyn Validator>>,
    load: Option<Make<dyn Loader>>,
}

impl Fake {
    fn new(kind: Kind) -> Self {
        Self {
            description: Description {
                name: format!("fake-{kind}"),
                version: "0.1.0".into(),
                kind,
                summary: String::new(),
                config_schema: serde_json::Value::Null,
                capabilities: Vec::new(),
                stateless: false,
                splittable: false,
            },
            digest: Digest("00".into()),
            made: Arc::default(),
            extract: None,
            transform: None,
            validate: None,
            load: None,
        }
    }

    pub(crate) fn stateless(mut self) -> Self {
        self.description.stateless = true;
        self
    }

    pub(crate) fn splittable(mut self) -> Self {
        self.description.splittable = true;
        self
    }

    fn make<T: ?Sized>(&self, make: Option<&Make<T>>, context: &RunContext, cancel: &Cancel) -> Result<Box<T>, Fault> {
        self.made.fetch_add(1, Ordering::SeqCst);
        make.map_or_else(|| Err(fault(FaultKind::Contract, "another kind")), |make| make(context, cancel))
    }
}

impl Stage for Fake {
    fn description(&self) -> &Description {
        &self.description
    }
    fn digest(&self) -> &Digest {
        &self.digest
    }
    fn extractor(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Extractor>, Fault> {
        self.make(self.extract.as_ref(), context, cancel)
    }
    fn transformer(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Transformer>, Fault> {
        self.make(self.transform.as_ref(), context, cancel)
    }
    fn validator(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Validator>, Fault> {
        self.make(self.validate.as_ref(), context, cancel)
    }
    fn loader(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Loader>, Fault> {
        self.make(self.load.as_ref(), context, cancel)
    }
}

/// An instance made of a closure that answers to every call.
struct Closure<F> {
    call: F,
    report: Report,
    calls: u64,
}

impl<F: Send> Instance for Closure<F> {
    fn take_report(&mut self) -> Report {
        std::mem::take(&mut self.report)
    }
    fn usage(&self) -> Usage {
        Usage { calls: self.calls, memory_peak_bytes: 1_000, ..Usage::default() }
    }
}

/// What an extract is asked.
pub(crate) enum Ask<'a> {
    Open(Option<&'a str>),
    OpenSplit(&'a str),
    /// Counted from 0 on this instance.
    Next(u64),
}

/// What an extract answers; `open` answers `None`.
pub(crate) type PageAnswer = Result<Option<Page>, Fault>;

type Splits = Arc<dyn Fn(u32) -> Vec<String> + Send + Sync>;

struct ExtractOf<F> {
    of: Closure<F>,
    splits: Splits,
    nexts: u64,
}

impl<F: Send> Instance for ExtractOf<F> {
    fn take_report(&mut self) -> Report {
        self.of.take_report()
    }
    fn usage(&self) -> Usage {
        self.of.usage()
    }
}

impl<F: FnMut(Ask<'_>, &mut Report) -> PageAnswer + Send> Extractor for ExtractOf<F> {
    fn open(&mut self, bookmark: Option<&str>) -> Result<SchemaRef, Fault> {
        (self.of.call)(Ask::Open(bookmark), &mut self.of.report)?;
        Ok(schema())
    }
    fn split(&mut self, _bookmark: Option<&str>, at_most: u32) -> Result<Plan, Fault> {
        Ok(Plan { schema: schema(), splits: (self.splits)(at_most), bookmark: Some("planned".into()) })
    }
    fn open_split(&mut self, split: &str) -> Result<SchemaRef, Fault> {
        (self.of.call)(Ask::OpenSplit(split), &mut self.of.report)?;
        Ok(schema())
    }
    fn next(&mut self) -> Result<Option<Page>, Fault> {
        self.of.calls += 1;
        let number = self.nexts;
        self.nexts += 1;
        (self.of.call)(Ask::Next(number), &mut self.of.report)
    }
}

/// An extract; `make` makes the closure of an instance.
pub(crate) fn extract<F>(make: impl Fn(&RunContext) -> F + Send + Sync + 'static) -> Fake
where
    F: FnMut(Ask<'_>, &mut Report) -> PageAnswer + Send + 'static,
{
    split_extract(|_| Vec::new(), make)
}

pub(crate) fn split_extract<F>(
    splits: impl Fn(u32) -> Vec<String> + Send + Sync + 'static,
    make: impl Fn(&RunContext) -> F + Send + Sync + 'static,
) -> Fake
where
    F: FnMut(Ask<'_>, &mut Report) -> PageAnswer + Send + 'static,
{
    let splits: Splits = Arc::new(splits);
    let mut fake = Fake::new(Kind::Extract);
    fake.extract = Some(Box::new(move |context, _| {
        let of = Closure { call: make(context), report: Report::default(), calls: 0 };
        Ok(Box::new(ExtractOf { of, splits: splits.clone(), nexts: 0 }))
    }));
    fake
}

pub(crate) fn page(batch: RecordBatch) -> PageAnswer {
    Ok(Some(Page { batch, bookmark: None, progress: None }))
}

/// An extract of the numbers from 0 on, in batches of so many.
pub(crate) fn counting(batches: u64, rows: i64) -> Fake {
    extract(move |_| {
        move |ask, _: &mut Report| match ask {
            Ask::Next(number) if number < batches => {
                let first = number as i64 * rows;
                page(batch(first..first + rows))
            }
            _ => Ok(None),
        }
    })
}

impl<F, G> Transformer for Closure<(F, G)>
where
    F: FnMut(u32, RecordBatch) -> Result<Vec<RecordBatch>, Fault> + Send,
    G: FnMut() -> Result<Option<RecordBatch>, Fault> + Send,
{
    fn open(&mut self, _inputs: &[Input]) -> Result<SchemaRef, Fault> {
        Ok(schema())
    }
    fn process(&mut self, input: u32, batch: RecordBatch) -> Result<Vec<RecordBatch>, Fault> {
        self.calls += 1;
        (self.call.0)(input, batch)
    }
    fn finish(&mut self) -> Result<Option<RecordBatch>, Fault> {
        (self.call.1)()
    }
}

/// A transform; `make` makes the closures of an instance: `process` and `finish`.
pub(crate) fn transform_with<F, G>(make: impl Fn(&RunContext, &Cancel) -> (F, G) + Send + Sync + 'static) -> Fake
where
    F: FnMut(u32, RecordBatch) -> Result<Vec<RecordBatch>, Fault> + Send + 'static,
    G: FnMut() -> Result<Option<RecordBatch>, Fault> + Send + 'static,
{
    let mut fake = Fake::new(Kind::Transform);
    fake.transform = Some(Box::new(move |context, cancel| {
        Ok(Box::new(Closure { call: make(context, cancel), report: Report::default(), calls: 0 }))
    }));
    fake
}

/// A transform that answers to each batch by itself.
pub(crate) fn transform(
    process: impl Fn(u32, RecordBatch) -> Result<Vec<RecordBatch>, Fault> + Send + Sync + 'static,
) -> Fake {
    let process = Arc::new(process);
    transform_with(move |_, _| {
        let process = process.clone();
        (move |input, batch| process(input, batch), || Ok(None))
    })
}

struct ValidateOf<F> {
    of: Closure<F>,
    rules: Vec<Rule>,
    outcomes: Vec<RuleOutcome>,
}

impl<F: Send> Instance for ValidateOf<F> {
    fn take_report(&mut self) -> Report {
        self.of.take_report()
    }
    fn usage(&self) -> Usage {
        self.of.usage()
    }
}

impl<F: FnMut(&RecordBatch) -> Result<Vec<Finding>, Fault> + Send> Validator for ValidateOf<F> {
    fn open(&mut self, _input: &SchemaRef) -> Result<Vec<Rule>, Fault> {
        Ok(self.rules.clone())
    }
    fn check(&mut self, batch: &RecordBatch) -> Result<Vec<Finding>, Fault> {
        (self.of.call)(batch)
    }
    fn finish(&mut self) -> Result<Vec<RuleOutcome>, Fault> {
        Ok(self.outcomes.clone())
    }
}

pub(crate) type Breaks = fn(i64) -> bool;

/// A validate whose rules are broken by numbers.
pub(crate) fn validate(rules: Vec<(Rule, Breaks)>, outcomes: Vec<RuleOutcome>) -> Fake {
    let mut fake = Fake::new(Kind::Validate);
    fake.validate = Some(Box::new(move |_, _| {
        let breaks: Vec<Breaks> = rules.iter().map(|(_, breaks)| *breaks).collect();
        let call = move |batch: &RecordBatch| {
            let find = |breaks: &Breaks| numbers(batch).into_iter().map(breaks).collect::<Vec<_>>().into();
            Ok(breaks.iter().enumerate().map(|(rule, breaks)| Finding { rule, rows: find(breaks) }).collect())
        };
        let of = Closure { call, report: Report::default(), calls: 0 };
        let rules = rules.iter().map(|(rule, _)| rule.clone()).collect();
        Ok(Box::new(ValidateOf { of, rules, outcomes: outcomes.clone() }))
    }));
    fake
}

/// Where loads of a test go.
#[derive(Default)]
pub(crate) struct Target {
    pub(crate) written: Mutex<Vec<i64>>,
    pub(crate) sizes: Mutex<Vec<usize>>,
    pub(crate) calls: Mutex<Vec<String>>,
    /// Faults to answer with, by call, the last first.
    pub(crate) faults: Mutex<BTreeMap<String, Vec<Fault>>>,
}

impl Target {
    fn call(&self, call: &str, told: String) -> Result<(), Fault> {
        if call != "write" {
            self.calls.lock().unwrap().push(told);
        }
        match self.faults.lock().unwrap().get_mut(call).and_then(Vec::pop) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }
    pub(crate) fn fails(&self, call: &str, faults: Vec<Fault>) {
        self.faults.lock().unwrap().insert(call.into(), faults);
    }
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
    pub(crate) fn written(&self) -> Vec<i64> {
        self.written.lock().unwrap().clone()
    }
}

impl Loader for Closure<Arc<Target>> {
    fn open(&mut self, _input: &SchemaRef, load_id: &str, part: u32) -> Result<(), Fault> {
        let stage = load_id.rsplit('-').next().unwrap_or_default().to_owned();
        self.call.call("open", format!("open {stage} {part}"))
    }
    fn write(&mut self, batch: RecordBatch) -> Result<(), Fault> {
        self.call.call("write", String::new())?;
        self.call.sizes.lock().unwrap().push(batch.num_rows());
        self.call.written.lock().unwrap().extend(numbers(&batch));
        Ok(())
    }
    fn prepare(&mut self) -> Result<String, Fault> {
        self.call.call("prepare", "prepare".into())?;
        Ok(format!("{} rows", self.call.written().len()))
    }
    fn commit(&mut self, _load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        self.call.call("commit", format!("commit {receipts:?}"))
    }
    fn abort(&mut self, _load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        self.call.call("abort", format!("abort {receipts:?}"))
    }
}

/// A load into the target.
pub(crate) fn load(target: &Arc<Target>) -> Fake {
    let target = target.clone();
    let mut fake = Fake::new(Kind::Load);
    fake.load =
        Some(Box::new(move |_, _| Ok(Box::new(Closure { call: target.clone(), report: Report::default(), calls: 0 }))));
    fake
}

/// Keeps everything, and refuses what is illegal.
#[derive(Default)]
pub(crate) struct Notebook {
    pub(crate) events: Mutex<Vec<(Timestamp, Event)>>,
    pub(crate) lines: Mutex<Vec<String>>,
    pub(crate) quarantined: Mutex<Vec<(String, Quarantined)>>,
    pub(crate) bookmark: Option<String>,
    /// The calls that failed stages.
    pub(crate) calls: Mutex<Vec<FailedCall>>,
    /// The event at which the journal fails.
    pub(crate) fails_at: Option<&'static str>,
}

impl Notebook {
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.events.lock().unwrap().iter().map(|(_, event)| event.name()).collect()
    }
    /// The rows set aside, with why.
    pub(crate) fn set_aside(&self) -> Vec<(i64, String)> {
        let mut rows = Vec::new();
        for (_, one) in self.quarantined.lock().unwrap().iter() {
            match one {
                Quarantined::Rejected { batch, reasons } => {
                    rows.extend(numbers(batch).into_iter().zip(reasons.iter().cloned()));
                }
                Quarantined::Poison { batch, fault } => {
                    rows.extend(numbers(batch).into_iter().map(|row| (row, fault.to_string())));
                }
                Quarantined::Records(records) => {
                    rows.extend(records.iter().map(|record| (-1, record.reason.clone())));
                }
            }
        }
        rows
    }
}

impl Journal for Notebook {
    fn append(&self, run: RunId, at: Timestamp, events: &[Event]) -> Result<(), JournalError> {
        let mut all = self.events.lock().unwrap();
        if events.iter().any(|event| Some(event.name()) == self.fails_at) {
            return Err(JournalError("the disk is full".into()));
        }
        let mut with = all.clone();
        with.extend(events.iter().map(|event| (at, event.clone())));
        RunRecord::fold(run, &with).map_err(|error| JournalError(error.to_string()))?;
        *all = with;
        Ok(())
    }
    fn log(&self, _: RunId, stage: &str, _: Timestamp, lines: &[LogLine]) -> Result<(), JournalError> {
        self.lines.lock().unwrap().extend(lines.iter().map(|line| format!("{stage}: {}", line.message)));
        Ok(())
    }
    fn quarantine(&self, _: RunId, stage: &str, _: Timestamp, rows: &Quarantined) -> Result<(), JournalError> {
        self.quarantined.lock().unwrap().push((stage.to_owned(), rows.clone()));
        Ok(())
    }
    fn keep_call(&self, _: RunId, call: &FailedCall) -> Result<(), JournalError> {
        self.calls.lock().unwrap().push(call.clone());
        Ok(())
    }
    fn bookmark(&self, _: &str, _: &str) -> Result<Option<String>, JournalError> {
        Ok(self.bookmark.clone())
    }
}

/// A transform that passes on only after the target has had the call.
pub(crate) fn waits_for(target: &Arc<Target>, call: &'static str) -> Fake {
    let target = target.clone();
    transform_with(move |_, cancel| {
        let (target, cancel) = (target.clone(), cancel.clone());
        let mut told = false;
        (
            |_, rows| Ok(vec![rows]),
            move || {
                while !told && !cancel.is_cancelled() && !target.calls().iter().any(|had| had == call) {
                    std::thread::yield_now();
                }
                told = true;
                Ok(None)
            },
        )
    })
}
