//! The call that failed a stage, made again on a fresh instance.

use crate::checkpoint::Checkpoint;
use crate::size::{GoodSize, Sizer};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::{FailedCall, SourceCall};
use sluicebox_model::plugin::Kind;
use sluicebox_model::stage::{
    Extractor, Input, Instance, Loader, LogLine, RuleOutcome, RunContext, Stage, Transformer, Validator,
};

/// What came of a call that was made again.
#[derive(Debug)]
pub struct Replayed {
    /// What it answered.
    pub answer: Result<Answer, Fault>,
    /// How the instance came to where it was in the run.
    pub before: Before,
    /// What the instance said in the call.
    pub log: Vec<LogLine>,
}

/// What a call answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is an instance.
    Made,
    /// It is open; these columns come out of it.
    Opened(Vec<String>),
    /// Rules were declared.
    Rules(usize),
    /// The work was split into so many parts.
    Splits(usize),
    /// So many rows come out of it.
    Rows(u64),
    /// Nothing follows.
    End,
    /// So many rows break each rule.
    Broken(Vec<(String, u64)>),
    /// What rules say of all the data: name, whether it holds, and what was seen.
    Judged(Vec<(String, bool, String)>),
    /// The rows were written, and taken back.
    Written,
    /// What was written was prepared, and taken back.
    Prepared,
}

/// How an instance comes to where it was as it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing was before the call that matters to it.
    Nothing,
    /// So many calls of the same name were made before it, from the start of the source.
    Calls(u64),
    /// So many batches were given to it before, from checkpoints.
    Batches(u64),
    /// So many batches were given to it in the run, and are not kept: it begins without them. The reason is for people.
    Lost {
        /// How many.
        batches: u64,
        /// Why.
        why: String,
    },
}

/// What the stages before a stage passed on, by its inputs: a checkpoint, or why there is none, for people.
type KeptInputs<'a> = &'a [Result<Checkpoint, String>];

/// Makes a call again. `context` is that of the run, `inputs` are the names of the stages that feed the stage. A load
/// writes under an id of its own, and what it wrote is taken back. A call that shows or takes back what a run prepared
/// is not made: it is answered with a fault that says so.
pub fn replay(
    stage: &dyn Stage,
    context: &RunContext,
    inputs: &[String],
    call: &FailedCall,
    kept: KeptInputs<'_>,
) -> Replayed {
    let context = &RunContext { attempt: call.attempt, ..context.clone() };
    let mut past = Past { call, kept, before: Before::Nothing, log: Vec::new() };
    let answer = match (stage.description().kind, call.call.as_str()) {
        (_, "commit" | "abort") => Err(not_again(call)),
        (Kind::Extract, _) => extract(stage, context, &mut past),
        (Kind::Transform, _) => transform(stage, context, inputs, &mut past),
        (Kind::Validate, _) => validate(stage, context, &mut past),
        (Kind::Load, _) => load(stage, context, &mut past),
    };
    Replayed { answer, before: past.before, log: past.log }
}

fn not_again(call: &FailedCall) -> Fault {
    let message = format!("`{}` changes what is at the target, so it is not made for a look", call.call);
    Fault::new(FaultKind::Contract, call.call.clone(), message).of_stage(&call.stage)
}

/// What was before the call, and what comes of it.
struct Past<'a> {
    call: &'a FailedCall,
    kept: KeptInputs<'a>,
    before: Before,
    log: Vec<LogLine>,
}

impl Past<'_> {
    fn is(&self, name: &str) -> bool {
        self.call.call == name
    }

    fn input(&self) -> SchemaRef {
        let of_batch = || self.call.batch.as_ref().map(RecordBatch::schema);
        let first = self.call.inputs.first().cloned();
        first.or_else(of_batch).unwrap_or_else(|| SchemaRef::new(arrow_schema::Schema::empty()))
    }

    fn batch(&self) -> Result<RecordBatch, Fault> {
        let missing = || Fault::new(FaultKind::Host, self.call.call.clone(), "its batch is not kept");
        self.call.batch.clone().ok_or_else(missing)
    }

    /// Makes the call itself; what was said before it is of no interest.
    fn make<I: Instance + ?Sized, R>(
        &mut self,
        instance: &mut I,
        make: impl FnOnce(&mut I) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let _ = instance.take_report();
        if self.call.turn > 0 {
            instance.next_turn(self.call.turn);
        }
        let answer = make(instance);
        self.log = instance.take_report().log;
        answer
    }

    /// Gives the instance what it was given before the call, as far as that is kept. `open` makes and opens an instance,
    /// `give` hands it a batch.
    fn rebuild<I: Instance + ?Sized>(
        &mut self,
        is_stateless: bool,
        open: impl Fn() -> Result<Box<I>, Fault>,
        give: impl Fn(&mut I, u32, RecordBatch) -> Result<(), Fault>,
    ) -> Result<Box<I>, Fault> {
        let batches = self.call.batches_before();
        let mut instance = open()?;
        if is_stateless || batches == 0 {
            return Ok(instance);
        }
        let rebuilt = Past::batches(self.kept).and_then(|mut given| {
            for turn in 1..=batches {
                let (input, batch) = match given.next() {
                    Some(batch) => batch?,
                    None => return Err("the rows that are kept are fewer than those of the run".to_owned()),
                };
                instance.next_turn(turn);
                give(&mut instance, input, batch)
                    .map_err(|fault| format!("the stage failed on batch {turn} of those before: {fault}"))?;
                let _ = instance.take_report();
            }
            Ok(())
        });
        match rebuilt {
            Ok(()) => {
                self.before = Before::Batches(batches);
                Ok(instance)
            }
            Err(why) => {
                self.before = Before::Lost { batches, why };
                // Half of them would be neither what it was nor nothing.
                open()
            }
        }
    }

    /// The batches of all inputs as the run gave them: those of all but the first, then those of the first.
    fn batches(kept: KeptInputs<'_>) -> Result<impl Iterator<Item = Result<(u32, RecordBatch), String>>, String> {
        let mut sources = Vec::new();
        for (slot, checkpoint) in (0u32..).zip(kept) {
            sources.push((slot, checkpoint.as_ref().map_err(Clone::clone)?));
        }
        if !sources.is_empty() {
            sources.rotate_left(1);
        }
        let mut open = Vec::new();
        for (slot, checkpoint) in sources {
            let batches = checkpoint.batches().map_err(|error| error.to_string())?;
            let sized =
                Resized { sizer: Sizer::new(checkpoint.schema().clone(), GoodSize::default()), batches, ended: false };
            open.push(sized.map(move |batch| batch.map(|batch| (slot, batch))));
        }
        Ok(open.into_iter().flatten())
    }
}

/// Batches, cut and joined as a stage is given them.
struct Resized<I> {
    sizer: Sizer,
    batches: I,
    ended: bool,
}

impl<I: Iterator<Item = Result<RecordBatch, arrow_schema::ArrowError>>> Iterator for Resized<I> {
    type Item = Result<RecordBatch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.sizer.take() {
                return Some(Ok(batch));
            }
            if self.ended {
                return None;
            }
            let put = match self.batches.next() {
                Some(batch) => batch.and_then(|batch| self.sizer.put(batch)),
                None => {
                    self.ended = true;
                    self.sizer.finish()
                }
            };
            if let Err(error) = put {
                self.ended = true;
                return Some(Err(format!("what is kept cannot be read: {error}")));
            }
        }
    }
}

fn columns(schema: &SchemaRef) -> Answer {
    Answer::Opened(schema.fields().iter().map(|field| field.name().clone()).collect())
}

fn rows(batches: &[RecordBatch]) -> u64 {
    batches.iter().map(|batch| batch.num_rows() as u64).sum()
}

fn extract(stage: &dyn Stage, context: &RunContext, past: &mut Past<'_>) -> Result<Answer, Fault> {
    let mut instance = stage.extractor(context, &Cancel::new())?;
    if past.is("instantiate") {
        return Ok(Answer::Made);
    }
    let source = past.call.source.clone().unwrap_or(SourceCall::Whole { bookmark: None });
    let open = |instance: &mut (dyn Extractor + 'static)| match &source {
        SourceCall::Whole { bookmark } => instance.open(bookmark.as_deref()).map(|schema| columns(&schema)),
        SourceCall::Split { split } => instance.open_split(split).map(|schema| columns(&schema)),
        SourceCall::Plan { bookmark, at_most } => {
            instance.split(bookmark.as_deref(), *at_most).map(|plan| Answer::Splits(plan.splits.len()))
        }
    };
    if !past.is("next") {
        return past.make(instance.as_mut(), open);
    }
    open(instance.as_mut())?;
    for page in 1..=past.call.before {
        past.before = Before::Calls(past.call.before);
        // A guest that says that something does not answer lives on, as it did in the run.
        let Err(fault) = instance.next() else { continue };
        if !crate::station::is_alive_after(&fault) {
            let why = format!("the stage failed on call {page} of those before: {}", fault.message);
            past.before = Before::Lost { batches: past.call.before, why };
            past.log = instance.take_report().log;
            return Err(fault);
        }
    }
    past.make(instance.as_mut(), |instance| instance.next()).map(|page| match page {
        Some(page) => Answer::Rows(page.batch.num_rows() as u64),
        None => Answer::End,
    })
}

fn transform(stage: &dyn Stage, context: &RunContext, inputs: &[String], past: &mut Past<'_>) -> Result<Answer, Fault> {
    let make = || stage.transformer(context, &Cancel::new());
    let inputs: Vec<Input> = inputs
        .iter()
        .zip(&past.call.inputs)
        .map(|(name, schema)| Input { name: name.clone(), schema: schema.clone() })
        .collect();
    match past.call.call.as_str() {
        "instantiate" => return make().map(|_| Answer::Made),
        "open" => {
            return past.make(make()?.as_mut(), |instance| instance.open(&inputs)).map(|schema| columns(&schema));
        }
        _ => {}
    }
    let open = || -> Result<Box<dyn Transformer>, Fault> {
        let mut instance = make()?;
        instance.open(&inputs)?;
        Ok(instance)
    };
    let give = |instance: &mut (dyn Transformer + 'static), input, batch| instance.process(input, batch).map(drop);
    let mut instance = past.rebuild(stage.description().stateless, open, give)?;
    if !past.is("finish") {
        let (input, batch) = (past.call.input, past.batch()?);
        let answer = past.make(instance.as_mut(), |instance| instance.process(input, batch));
        return answer.map(|batches| Answer::Rows(rows(&batches)));
    }
    let first = past.call.turn.saturating_sub(past.call.before);
    for turn in first..past.call.turn {
        instance.next_turn(turn);
        instance.finish()?;
    }
    past.make(instance.as_mut(), |instance| instance.finish()).map(|batch| match batch {
        Some(batch) => Answer::Rows(batch.num_rows() as u64),
        None => Answer::End,
    })
}

fn validate(stage: &dyn Stage, context: &RunContext, past: &mut Past<'_>) -> Result<Answer, Fault> {
    let make = || stage.validator(context, &Cancel::new());
    let input = past.input();
    match past.call.call.as_str() {
        "instantiate" => return make().map(|_| Answer::Made),
        "open" => {
            let rules = past.make(make()?.as_mut(), |instance| instance.open(&input))?;
            return Ok(Answer::Rules(rules.len()));
        }
        _ => {}
    }
    let rules = make()?.open(&input)?;
    let name = |rule: usize| rules.get(rule).map(|rule| rule.name.clone()).unwrap_or_default();
    let open = || -> Result<Box<dyn Validator>, Fault> {
        let mut instance = make()?;
        instance.open(&input)?;
        Ok(instance)
    };
    let give = |instance: &mut (dyn Validator + 'static), _, batch| instance.check(&batch).map(drop);
    let mut instance = past.rebuild(stage.description().stateless, open, give)?;
    if past.is("finish") {
        let outcomes = past.make(instance.as_mut(), |instance| instance.finish())?;
        let told = |outcome: RuleOutcome| (name(outcome.rule), outcome.holds, outcome.observed);
        return Ok(Answer::Judged(outcomes.into_iter().map(told).collect()));
    }
    let batch = past.batch()?;
    let findings = past.make(instance.as_mut(), |instance| instance.check(&batch))?;
    let broken = findings.iter().map(|finding| (name(finding.rule), finding.rows.true_count() as u64));
    Ok(Answer::Broken(broken.filter(|(_, rows)| *rows > 0).collect()))
}

fn load(stage: &dyn Stage, context: &RunContext, past: &mut Past<'_>) -> Result<Answer, Fault> {
    let make = || stage.loader(context, &Cancel::new());
    if past.is("instantiate") {
        return make().map(|_| Answer::Made);
    }
    let input = past.input();
    // An id of its own: what the run loaded is not touched.
    let load_id = format!("replay-{}-{}", context.run_id, context.stage);
    // What it writes is nobody's; an instance that failed cannot be asked.
    let take_back = || make().and_then(|mut fresh| fresh.abort(&load_id, &[]));
    let open = || -> Result<Box<dyn Loader>, Fault> {
        // Also what an instance wrote that could not be brought to where it was.
        let _ = take_back();
        let mut instance = make()?;
        instance.open(&input, &load_id, 0)?;
        Ok(instance)
    };
    let answer = if past.is("open") {
        make()
            .and_then(|mut instance| past.make(instance.as_mut(), |instance| instance.open(&input, &load_id, 0)))
            .map(|()| columns(&input))
    } else {
        let give = |instance: &mut (dyn Loader + 'static), _, batch| instance.write(batch);
        past.rebuild(false, open, give).and_then(|mut instance| {
            if past.is("prepare") {
                return past.make(instance.as_mut(), |instance| instance.prepare()).map(|_| Answer::Prepared);
            }
            let batch = past.batch()?;
            past.make(instance.as_mut(), |instance| instance.write(batch)).map(|()| Answer::Written)
        })
    };
    let _ = take_back();
    answer
}
