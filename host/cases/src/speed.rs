//! How fast a stage is with the rows of a case.

use crate::case::Case;
use crate::drive::{Given, LOAD_ID, context};
use crate::error::CaseError;
use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::plugin::Kind;
use sluicebox_model::stage::{Input, Instance, Stage};
use std::time::{Duration, Instant};

/// What was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Speed {
    /// Rows that a load, a transform or a validate was given, or that an extract gave.
    pub rows: u64,
    /// In this time, within its calls.
    pub time: Duration,
    /// The most memory of the instance.
    pub memory_peak_bytes: u64,
    /// To make an instance, the quickest of five.
    pub instance: Duration,
    /// From `open` to the answer to the first batch, on a fresh instance.
    pub first: Duration,
}

/// The rows of an input, repeated to one batch of about so many rows.
///
/// # Errors
/// They fit into no batch.
pub fn tiled(input: &Given, rows: usize) -> Result<Given, CaseError> {
    let told = |error| CaseError::new(format!("the rows of `{}` make no batch: {error}", input.name));
    let whole = concat_batches(&input.schema, &input.batches).map_err(told)?;
    if whole.num_rows() == 0 {
        return Ok(input.clone());
    }
    let parts: Vec<&RecordBatch> = std::iter::repeat_n(&whole, rows.div_ceil(whole.num_rows())).collect();
    let batch = concat_batches(&input.schema, parts).map_err(told)?;
    let batch = batch.slice(0, batch.num_rows().min(rows));
    Ok(Given { batches: vec![batch], ..input.clone() })
}

/// Gives an instance the batches over and over, for so long; all inputs but the first only once.
///
/// # Errors
/// A call ends with a fault.
pub fn speed(stage: &dyn Stage, case: &Case, inputs: &[Given], time: Duration) -> Result<Speed, Fault> {
    let mut speed = Speed { instance: instance(stage, case)?, ..Speed::default() };
    let cancel = Cancel::new();
    let context = context(case);
    let first = || inputs.iter().take(1).flat_map(|input| &input.batches);
    match stage.description().kind {
        Kind::Extract => {
            while speed.time < time {
                let mut extract = stage.extractor(&context, &cancel)?;
                let opened = Instant::now();
                extract.open(case.bookmark.as_deref())?;
                let mut rows = 0;
                loop {
                    let begin = Instant::now();
                    let page = extract.next()?;
                    speed.time += begin.elapsed();
                    speed.first_at(opened);
                    let Some(page) = page else { break };
                    rows += page.batch.num_rows() as u64;
                    if speed.time > time {
                        break;
                    }
                }
                speed.rows += rows;
                speed.note(extract.as_ref());
                if rows == 0 {
                    break;
                }
            }
        }
        Kind::Transform => {
            let mut transform = stage.transformer(&context, &cancel)?;
            let known: Vec<Input> =
                inputs.iter().map(|each| Input { name: each.name.clone(), schema: each.schema.clone() }).collect();
            let opened = Instant::now();
            transform.open(&known)?;
            for (number, input) in inputs.iter().enumerate().skip(1) {
                for batch in &input.batches {
                    transform.process(u32::try_from(number).unwrap_or(u32::MAX), batch.clone())?;
                }
            }
            while speed.time < time && first().next().is_some() {
                for batch in first() {
                    let begin = Instant::now();
                    transform.process(0, batch.clone())?;
                    speed.gave(batch, begin);
                    speed.first_at(opened);
                    transform.take_report();
                }
            }
            speed.note(transform.as_ref());
        }
        Kind::Validate => {
            let mut validate = stage.validator(&context, &cancel)?;
            let Some(input) = inputs.first() else { return Ok(speed) };
            let opened = Instant::now();
            validate.open(&input.schema)?;
            while speed.time < time && first().next().is_some() {
                for batch in first() {
                    let begin = Instant::now();
                    validate.check(batch)?;
                    speed.gave(batch, begin);
                    speed.first_at(opened);
                    validate.take_report();
                }
            }
            speed.note(validate.as_ref());
        }
        Kind::Load => {
            let mut load = stage.loader(&context, &cancel)?;
            let Some(input) = inputs.first() else { return Ok(speed) };
            let opened = Instant::now();
            load.open(&input.schema, LOAD_ID, 0)?;
            while speed.time < time && first().next().is_some() {
                for batch in first() {
                    let begin = Instant::now();
                    load.write(batch.clone())?;
                    speed.gave(batch, begin);
                    speed.first_at(opened);
                    load.take_report();
                }
            }
            speed.note(load.as_ref());
            let receipt = load.prepare()?;
            stage.loader(&context, &cancel)?.abort(LOAD_ID, &[receipt])?;
        }
    }
    Ok(speed)
}

impl Speed {
    fn gave(&mut self, batch: &RecordBatch, begin: Instant) {
        self.time += begin.elapsed();
        self.rows += batch.num_rows() as u64;
    }

    fn first_at(&mut self, opened: Instant) {
        if self.first.is_zero() {
            self.first = opened.elapsed();
        }
    }

    fn note<I: Instance + ?Sized>(&mut self, instance: &I) {
        self.memory_peak_bytes = self.memory_peak_bytes.max(instance.usage().memory_peak_bytes);
    }
}

fn instance(stage: &dyn Stage, case: &Case) -> Result<Duration, Fault> {
    let cancel = Cancel::new();
    let context = context(case);
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let begin = Instant::now();
        match stage.description().kind {
            Kind::Extract => drop(stage.extractor(&context, &cancel)?),
            Kind::Transform => drop(stage.transformer(&context, &cancel)?),
            Kind::Validate => drop(stage.validator(&context, &cancel)?),
            Kind::Load => drop(stage.loader(&context, &cancel)?),
        }
        quickest = quickest.min(begin.elapsed());
    }
    Ok(quickest)
}
