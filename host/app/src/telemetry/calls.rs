//! The calls of a run: a stage that notes when each call of its instances began and ended.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use jiff::Timestamp;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::plugin::{Description, Digest};
use sluicebox_model::stage::{
    Extractor, Finding, Input, Instance, Loader, Page, Plan, Report, Rule, RuleOutcome, RunContext, Stage, Transformer,
    Usage, Validator,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What was seen of the calls of a run.
pub(super) struct Calls {
    most: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    calls: Vec<Call>,
    /// Calls that were not kept.
    left_out: u64,
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) stage: Arc<str>,
    pub(super) function: &'static str,
    pub(super) attempt: u32,
    /// What the call is counted as over all instances of the stage; 0: it is not of a batch.
    pub(super) turn: u64,
    /// Rows given to it, or by it.
    pub(super) rows: Option<u64>,
    pub(super) began: Timestamp,
    pub(super) took: std::time::Duration,
    pub(super) fault: Option<String>,
}

impl Calls {
    /// Keeps at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self { most, seen: Mutex::default() }
    }

    fn note(&self, call: impl FnOnce() -> Call) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.calls.len() < self.most {
            seen.calls.push(call());
        } else {
            seen.left_out += 1;
        }
    }

    /// What was kept, and how many calls were not.
    pub(super) fn taken(&self) -> (Vec<Call>, u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut seen.calls), seen.left_out)
    }
}

/// The stage, its calls noted.
pub(super) fn watched(stage: Arc<dyn Stage>, calls: &Arc<Calls>) -> Arc<dyn Stage> {
    Arc::new(Watched { stage, calls: Arc::clone(calls) })
}

struct Watched {
    stage: Arc<dyn Stage>,
    calls: Arc<Calls>,
}

/// An instance, its calls noted.
struct Live<T: ?Sized> {
    calls: Arc<Calls>,
    stage: Arc<str>,
    attempt: u32,
    turn: u64,
    instance: Box<T>,
}

impl Watched {
    fn live<T: ?Sized>(
        &self,
        context: &RunContext,
        make: impl FnOnce() -> Result<Box<T>, Fault>,
    ) -> Result<Box<Live<T>>, Fault> {
        let (began, clock) = (Timestamp::now(), Instant::now());
        let stage: Arc<str> = context.stage.as_str().into();
        let attempt = context.attempt;
        let made = make();
        self.calls.note(|| Call {
            stage: Arc::clone(&stage),
            function: "instantiate",
            attempt,
            turn: 0,
            rows: None,
            began,
            took: clock.elapsed(),
            fault: made.as_ref().err().map(|fault| fault.kind.to_string()),
        });
        Ok(Box::new(Live { calls: Arc::clone(&self.calls), stage, attempt, turn: 0, instance: made? }))
    }
}

impl<T: ?Sized> Live<T> {
    fn call<R>(
        &mut self,
        function: &'static str,
        given: Option<usize>,
        rows: impl FnOnce(&R) -> Option<usize>,
        call: impl FnOnce(&mut T) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let (began, clock) = (Timestamp::now(), Instant::now());
        let answer = call(&mut self.instance);
        let took = clock.elapsed();
        let turn = std::mem::take(&mut self.turn);
        self.calls.note(|| Call {
            stage: Arc::clone(&self.stage),
            function,
            attempt: self.attempt,
            turn,
            rows: given.or_else(|| answer.as_ref().ok().and_then(rows)).map(|rows| rows as u64),
            began,
            took,
            // The message stands in the run's own fault, without its secrets.
            fault: answer.as_ref().err().map(|fault| fault.kind.to_string()),
        });
        answer
    }
}

fn none<R>(_: &R) -> Option<usize> {
    None
}

impl Stage for Watched {
    fn description(&self) -> &Description {
        self.stage.description()
    }
    fn digest(&self) -> &Digest {
        self.stage.digest()
    }
    fn extractor(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Extractor>, Fault> {
        Ok(self.live(context, || self.stage.extractor(context, cancel))?)
    }
    fn transformer(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Transformer>, Fault> {
        Ok(self.live(context, || self.stage.transformer(context, cancel))?)
    }
    fn validator(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Validator>, Fault> {
        Ok(self.live(context, || self.stage.validator(context, cancel))?)
    }
    fn loader(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Loader>, Fault> {
        Ok(self.live(context, || self.stage.loader(context, cancel))?)
    }
}

impl<T: Instance + ?Sized> Instance for Live<T> {
    fn take_report(&mut self) -> Report {
        self.instance.take_report()
    }
    fn usage(&self) -> Usage {
        self.instance.usage()
    }
    fn next_turn(&mut self, turn: u64) {
        self.turn = turn;
        self.instance.next_turn(turn);
    }
}

impl Extractor for Live<dyn Extractor> {
    fn open(&mut self, bookmark: Option<&str>) -> Result<SchemaRef, Fault> {
        self.call("open", None, none, |it| it.open(bookmark))
    }
    fn split(&mut self, bookmark: Option<&str>, at_most: u32) -> Result<Plan, Fault> {
        self.call("split", None, none, |it| it.split(bookmark, at_most))
    }
    fn open_split(&mut self, split: &str) -> Result<SchemaRef, Fault> {
        self.call("open-split", None, none, |it| it.open_split(split))
    }
    fn next(&mut self) -> Result<Option<Page>, Fault> {
        let rows = |page: &Option<Page>| page.as_ref().map(|page| page.batch.num_rows());
        self.call("next", None, rows, |it| it.next())
    }
}

impl Transformer for Live<dyn Transformer> {
    fn open(&mut self, inputs: &[Input]) -> Result<SchemaRef, Fault> {
        self.call("open", None, none, |it| it.open(inputs))
    }
    fn process(&mut self, input: u32, batch: RecordBatch) -> Result<Vec<RecordBatch>, Fault> {
        self.call("process", Some(batch.num_rows()), none, |it| it.process(input, batch))
    }
    fn finish(&mut self) -> Result<Option<RecordBatch>, Fault> {
        let rows = |batch: &Option<RecordBatch>| batch.as_ref().map(RecordBatch::num_rows);
        self.call("finish", None, rows, |it| it.finish())
    }
}

impl Validator for Live<dyn Validator> {
    fn open(&mut self, input: &SchemaRef) -> Result<Vec<Rule>, Fault> {
        self.call("open", None, none, |it| it.open(input))
    }
    fn check(&mut self, batch: &RecordBatch) -> Result<Vec<Finding>, Fault> {
        self.call("check", Some(batch.num_rows()), none, |it| it.check(batch))
    }
    fn finish(&mut self) -> Result<Vec<RuleOutcome>, Fault> {
        self.call("finish", None, none, |it| it.finish())
    }
}

impl Loader for Live<dyn Loader> {
    fn open(&mut self, input: &SchemaRef, load_id: &str, part: u32) -> Result<(), Fault> {
        self.call("open", None, none, |it| it.open(input, load_id, part))
    }
    fn write(&mut self, batch: RecordBatch) -> Result<(), Fault> {
        self.call("write", Some(batch.num_rows()), none, |it| it.write(batch))
    }
    fn prepare(&mut self) -> Result<String, Fault> {
        self.call("prepare", None, none, |it| it.prepare())
    }
    fn commit(&mut self, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        self.call("commit", None, none, |it| it.commit(load_id, receipts))
    }
    fn abort(&mut self, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        self.call("abort", None, none, |it| it.abort(load_id, receipts))
    }
}
