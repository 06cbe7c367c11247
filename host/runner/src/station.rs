//! Where one stage works: its edges, its outcome so far, and what every call to one of its instances has in common.

use crate::attempts::Failed;
use crate::checkpoint::CheckpointWriter;
use crate::edge::{Edge, EdgeError};
use crate::feed::Job;
use crate::plan::StageProgress;
use crate::poison::Poison;
use crate::repeat::Part;
use crate::retry::{seed_of, wait_before};
use crate::run::{Run, host_fault, stopped};
use crate::stop::lock;
use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use jiff::Timestamp;
use sluicebox_model::batch::batch_bytes;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::{FailedCall, Quarantined, SourceCall};
use sluicebox_model::limits::{Bound, COUNTERS_MAX};
use sluicebox_model::pipeline::StageSpec;
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Event, StageOutcome};
use sluicebox_model::stage::{Instance, Stage, Threshold};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// One stage of a run under way; shared by its threads.
pub(crate) struct Station<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) index: usize,
    pub(crate) spec: &'a StageSpec,
    pub(crate) stage: &'a dyn Stage,
    /// By slot.
    pub(crate) inputs: Vec<Arc<Edge>>,
    pub(crate) outputs: Vec<Arc<Edge>>,
    /// What it passes on is written there, too.
    pub(crate) checkpoint: Mutex<Option<CheckpointWriter>>,
    /// Of the inputs, once they are known.
    pub(crate) schemas: Mutex<Vec<SchemaRef>>,
    pub(crate) doing: Mutex<Doing>,
    pub(crate) poison: Mutex<Poison>,
}

/// What a stage has done so far.
#[derive(Default)]
pub(crate) struct Doing {
    pub(crate) outcome: StageOutcome,
    pub(crate) share: Option<f32>,
    pub(crate) started_at: Option<Timestamp>,
    /// The same, for its deadline.
    pub(crate) working_since: Option<Instant>,
    /// The journal says that the stage is retrying.
    retrying: bool,
    /// Retries that are in the journal.
    retries_told: u64,
    /// Bytes of all that was set aside.
    pub(crate) set_aside_bytes: u64,
}

/// A call as it has to be known to be made again, see [`FailedCall`].
#[derive(Default)]
pub(crate) struct Asked<'a> {
    pub(crate) call: &'static str,
    pub(crate) turn: u64,
    pub(crate) before: u64,
    pub(crate) job: Option<&'a Job>,
    pub(crate) source: Option<SourceCall>,
}

impl Asked<'_> {
    /// Whether the fault is one of this very call, not of making an instance for it.
    fn is_of(&self, fault: &Fault) -> bool {
        !matches!(fault.call.as_str(), "instantiate" | "open" | "open-split") || fault.call == self.call
    }
}

/// Larger batches are not kept for a replay.
pub(crate) const KEPT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Retries beyond so many are counted and logged, but are no events of their own.
pub(crate) const RETRIES_TOLD_MAX: u64 = 100;

impl<'a> Station<'a> {
    pub(crate) fn name(&self) -> &'a str {
        &self.spec.name
    }

    /// Instances that may work at once.
    pub(crate) fn parallel(&self) -> usize {
        let wanted = self.spec.parallel.map_or(self.run.plan.cores, |parallel| parallel as usize);
        wanted.clamp(1, 64)
    }

    pub(crate) fn started(&self) -> Result<(), Fault> {
        {
            let mut doing = lock(&self.doing);
            doing.outcome.attempts = 1;
            doing.started_at = Some(self.run.clock.now());
            doing.working_since = Some(Instant::now());
        }
        let event = Event::StageStarted { stage: self.name().to_owned(), attempt: 1 };
        if self.stage.description().kind == Kind::Load {
            // From here on something may have to be taken back.
            return self.run.append_for(self.name(), event);
        }
        self.run.append_soon(event);
        Ok(())
    }

    /// Waits for the schemas of all inputs.
    pub(crate) fn input_schemas(&self) -> Result<Vec<SchemaRef>, Fault> {
        let schemas: Vec<SchemaRef> = self
            .inputs
            .iter()
            .map(|edge| edge.schema().map_err(|error| self.edge_fault(error)))
            .collect::<Result<_, _>>()?;
        *lock(&self.schemas) = schemas.clone();
        Ok(schemas)
    }

    pub(crate) fn edge_fault(&self, error: EdgeError) -> Fault {
        match error {
            EdgeError::Stopped => stopped(),
            EdgeError::Scratch(message) => host_fault("spill", &message),
            EdgeError::Full(max) => {
                let most = Bound::Bytes(max);
                let message =
                    format!("more than {most} of its rows wait on the disk, since a stage behind reads others first");
                let help =
                    format!("raise `limits.spill`, now {most}, or let the larger input be the first of that stage");
                Fault::new(FaultKind::Limit, "spill", message).with_help(help)
            }
        }
        .of_stage(self.name())
    }

    /// Tells the stages behind what the batches look like.
    pub(crate) fn announce(&self, schema: &SchemaRef) {
        let run = self.run.plan;
        let keeps = self.spec.checkpoint.unwrap_or(self.stage.description().kind == Kind::Extract);
        if let Some(folder) = run.checkpoints.as_ref().filter(|_| keeps && run.part(self.index) == Part::Runs) {
            match CheckpointWriter::create(folder, self.name(), schema) {
                Ok(writer) => *lock(&self.checkpoint) = Some(writer),
                Err(error) => self.no_checkpoint(&error),
            }
        }
        for edge in &self.outputs {
            edge.announce(schema);
        }
    }

    /// Passes a batch on to every stage behind; waits while they are busy.
    pub(crate) fn emit(&self, batch: &RecordBatch) -> Result<(), Fault> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.keep(batch);
        for edge in &self.outputs {
            edge.push(batch.clone()).map_err(|error| self.edge_fault(error))?;
        }
        self.count_out(batch);
        Ok(())
    }

    /// The fault of a call with a batch, told with its rows; the call is kept so that it can be made again.
    pub(crate) fn failed_on(&self, job: &Job, call: &'static str, failed: Failed) -> Fault {
        let Failed { fault, attempt, .. } = failed;
        let asked = Asked { call, turn: job.turn(), job: Some(job), ..Asked::default() };
        if !asked.is_of(&fault) {
            return self.failed_at(asked, Failed { attempt, ..fault.into() });
        }
        let fault = job.locate(fault, 0, job.batch.num_rows());
        self.keep_call(asked, attempt, &fault);
        fault
    }

    /// The fault of a call; the call is kept so that it can be made again.
    pub(crate) fn failed_at(&self, asked: Asked<'_>, failed: Failed) -> Fault {
        self.keep_call(asked, failed.attempt, &failed.fault);
        failed.fault
    }

    fn keep_call(&self, asked: Asked<'_>, attempt: u32, fault: &Fault) {
        // These are no answers of the call: the host judged, or stopped it.
        if matches!(fault.kind, FaultKind::Cancelled | FaultKind::Deadline | FaultKind::Threshold | FaultKind::Host) {
            return;
        }
        // A fresh instance may have been made for the call, and not come so far.
        let (call, asked) = if asked.is_of(fault) {
            (asked.call.to_owned(), asked)
        } else {
            (fault.call.clone(), Asked { turn: 0, before: 0, job: None, ..asked })
        };
        let batch = asked.job.map(|job| &job.batch);
        let bytes = batch.map_or(0, batch_bytes);
        let kept = if bytes > KEPT_BYTES_MAX {
            Err(format!("it has {} bytes, and at most {} are kept", grouped(bytes), grouped(KEPT_BYTES_MAX)))
        } else {
            let failed = FailedCall {
                stage: self.name().to_owned(),
                call,
                turn: asked.turn,
                attempt: attempt.max(1),
                before: asked.before,
                input: asked.job.map_or(0, |job| job.input),
                inputs: lock(&self.schemas).clone(),
                batch: batch.cloned(),
                source: asked.source,
                fault: fault.clone(),
            };
            self.run.journal.keep_call(self.run.plan.id, &failed).map_err(|error| error.to_string())
        };
        if let Err(why) = kept {
            let message = format!("the input of the call that failed cannot be kept: {why}");
            self.run.tell(self.name(), sluicebox_model::stage::Level::Warn, message);
        }
    }

    pub(crate) fn count_out(&self, batch: &RecordBatch) {
        let bytes = batch_bytes(batch);
        let outcome = &mut lock(&self.doing).outcome;
        outcome.rows_out += batch.num_rows() as u64;
        outcome.bytes_out += bytes;
        outcome.batches_out += 1;
    }

    pub(crate) fn count_in(&self, batch: &RecordBatch) {
        let bytes = batch_bytes(batch);
        let outcome = &mut lock(&self.doing).outcome;
        outcome.rows_in += batch.num_rows() as u64;
        outcome.bytes_in += bytes;
        outcome.batches_in += 1;
    }

    /// Shows whoever looks on how far the stage is.
    pub(crate) fn show_progress(&self) {
        let progress = {
            let doing = lock(&self.doing);
            StageProgress {
                rows_in: doing.outcome.rows_in,
                rows_out: doing.outcome.rows_out,
                rows_rejected: doing.outcome.rows_rejected + doing.outcome.rows_quarantined,
                bytes_out: doing.outcome.bytes_out,
                share: doing.share,
            }
        };
        self.run.observer.progress(self.name(), &progress);
    }

    /// Takes an instance under the station's care.
    pub(crate) fn live<T: Instance + ?Sized>(&'a self, instance: Box<T>, attempt: u32) -> Live<'a, T> {
        Live { station: self, instance, attempt }
    }

    /// Keeps what a guest told; call after each call.
    pub(crate) fn keep_report<T: Instance + ?Sized>(&self, instance: &mut T) -> Result<(), Fault> {
        let report = instance.take_report();
        self.run.log(self.name(), &report.log)?;
        if !report.counts.is_empty() {
            let counts = &mut lock(&self.doing).outcome.counts;
            for (name, by) in report.counts {
                // Each instance counts no more than so many; a stage has many, one after another.
                if counts.len() >= COUNTERS_MAX && !counts.contains_key(&name) {
                    continue;
                }
                let sum = counts.entry(name).or_default();
                *sum = sum.saturating_add(by);
            }
        }
        if !report.bad_records.is_empty() {
            let rejected = {
                let outcome = &mut lock(&self.doing).outcome;
                outcome.rows_rejected += report.bad_records.len() as u64;
                outcome.rows_rejected
            };
            self.set_aside(&Quarantined::Records(report.bad_records))?;
            self.judge_rejected(rejected, None, "records could not be made rows")?;
        }
        Ok(())
    }

    /// Fails when more rows were set aside than the pipeline allows. A number of rows is judged as soon as it is passed, a
    /// share when all rows are `seen`.
    pub(crate) fn judge_rejected(&self, rejected: u64, seen: Option<u64>, what: &str) -> Result<(), Fault> {
        let Some(most) = self.spec.reject else { return Ok(()) };
        let passed = match (most, seen) {
            (Threshold::Rows(_), _) => most.is_passed(rejected, u64::MAX),
            (Threshold::PerCent(_), Some(seen)) => most.is_passed(rejected, seen),
            (Threshold::PerCent(_), None) => false,
        };
        if !passed {
            return Ok(());
        }
        let message = match seen {
            Some(seen) => format!("{} of {} {what}, and at most {most} may", grouped(rejected), grouped(seen)),
            None => format!("{} {what}, and at most {most} may", grouped(rejected)),
        };
        Err(Fault::new(FaultKind::Threshold, "reject", message).of_stage(self.name()).with_help(format!(
            "`sluicebox quarantine show` lists them; mend the source, or raise `reject.at-most` of stage `{}`",
            self.name()
        )))
    }

    /// A batch as the schema that `open` answered with has it, or a fault: names and types must be the same, and where
    /// the schema says no nulls there are none.
    pub(crate) fn conform(&self, call: &str, schema: &SchemaRef, batch: RecordBatch) -> Result<RecordBatch, Fault> {
        if Arc::ptr_eq(schema, batch.schema_ref()) || schema == batch.schema_ref() {
            return Ok(batch);
        }
        let contract = |message| Fault::new(FaultKind::Contract, call, message).of_stage(self.name());
        if !same_columns(schema, batch.schema_ref()) {
            return Err(contract(format!(
                "the stage gave a batch of ({}), but its `open` said ({})",
                columns_of(batch.schema_ref()),
                columns_of(schema)
            )));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(schema.clone(), batch.columns().to_vec(), &options)
            .map_err(|error| contract(format!("the stage gave a batch that breaks its schema: {error}")))
    }

    /// Gets ready for another attempt at a call: writes it down, counts it, waits. An error: the run stopped meanwhile.
    pub(crate) fn before_retry(&self, attempt: u32, fault: &Fault) -> Result<(), Fault> {
        let told = {
            let mut doing = lock(&self.doing);
            doing.outcome.retries += 1;
            doing.outcome.attempts = doing.outcome.attempts.max(attempt);
            let told = doing.retries_told < RETRIES_TOLD_MAX;
            doing.retries_told += u64::from(told);
            if told {
                let event = Event::StageRetrying { stage: self.name().to_owned(), attempt, fault: fault.clone() };
                self.run.append_for(self.name(), event)?;
                doing.retrying = true;
            }
            told
        };
        if !told {
            self.run.tell(
                self.name(),
                sluicebox_model::stage::Level::Warn,
                format!("attempt {attempt} follows after: {fault}"),
            );
        }
        if self.pause_before(attempt) {
            return Err(stopped().of_stage(self.name()));
        }
        let mut doing = lock(&self.doing);
        if std::mem::take(&mut doing.retrying) {
            self.run.append_for(self.name(), Event::StageStarted { stage: self.name().to_owned(), attempt })?;
        }
        Ok(())
    }

    /// Waits as long as is due before an attempt; true: the run stopped meanwhile.
    pub(crate) fn pause_before(&self, attempt: u32) -> bool {
        let seed = seed_of(&format!("{}/{}", self.run.plan.id, self.name()));
        self.run.stop.pause(wait_before(self.spec.retry, attempt, seed))
    }

    /// Whether a call that ended with this fault is to be tried again.
    pub(crate) fn tries_again(&self, attempt: u32, fault: &Fault) -> bool {
        attempt < self.spec.retry.attempts && fault.kind.worth_retrying() && !self.run.stop.is_stopped()
    }
}

/// An instance whose use is added to its stage's outcome when it goes.
pub(crate) struct Live<'a, T: Instance + ?Sized> {
    station: &'a Station<'a>,
    instance: Box<T>,
    /// What it was made for.
    pub(crate) attempt: u32,
}

impl<T: Instance + ?Sized> Live<'_, T> {
    /// Calls the instance, and keeps what it told; the call's own fault goes first.
    pub(crate) fn call<R>(&mut self, call: impl FnOnce(&mut T) -> Result<R, Fault>) -> Result<R, Fault> {
        let answer = call(&mut self.instance).map_err(|fault| fault.of_stage(self.station.name()));
        let kept = self.station.keep_report(self.instance.as_mut());
        let answer = answer?;
        kept?;
        Ok(answer)
    }
}

impl<T: Instance + ?Sized> Deref for Live<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.instance
    }
}

impl<T: Instance + ?Sized> DerefMut for Live<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.instance
    }
}

impl<T: Instance + ?Sized> Drop for Live<'_, T> {
    fn drop(&mut self) {
        let usage = self.instance.usage();
        let outcome = &mut lock(&self.station.doing).outcome;
        outcome.calls += usage.calls;
        outcome.call_time += usage.call_time;
        outcome.memory_peak_bytes = outcome.memory_peak_bytes.max(usage.memory_peak_bytes);
    }
}

/// Whether the guest itself answered with this fault, so that its instance lives on.
pub(crate) fn is_alive_after(fault: &Fault) -> bool {
    matches!(
        fault.kind,
        FaultKind::InvalidConfig
            | FaultKind::InvalidData
            | FaultKind::Denied
            | FaultKind::Unavailable
            | FaultKind::Internal
    )
}

/// Whether two schemas have the same columns: names and types, in order.
pub(crate) fn same_columns(one: &Schema, other: &Schema) -> bool {
    one.fields().len() == other.fields().len()
        && one
            .fields()
            .iter()
            .zip(other.fields())
            .all(|(one, other)| one.name() == other.name() && one.data_type() == other.data_type())
}

fn columns_of(schema: &Schema) -> String {
    let columns: Vec<String> =
        schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    columns.join(", ")
}

/// A count with commas: 8255 is `8,255`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
