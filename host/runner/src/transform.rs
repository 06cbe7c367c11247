//! A transform at work: many instances where it keeps no state, one where it does. Order is kept either way.

use crate::attempts::{Failed, call_stateful, guarded, with_attempts};
use crate::feed::{Feed, Job};
use crate::poison::isolate;
use crate::run::{host_fault, stopped};
use crate::station::{Asked, Live, Station, is_alive_after, same_columns};
use crate::stop::{Stop, Wake, lock};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::pipeline::OnFault;
use sluicebox_model::stage::{Input, Transformer};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Empty answers of `finish` in a row before the stage is taken to be going round in circles.
pub(crate) const EMPTY_MAX: u32 = 1_000;

/// Works until the inputs end.
pub(crate) fn transform(station: &Station<'_>) -> Result<(), Fault> {
    let schemas = station.input_schemas()?;
    station.started()?;
    let inputs = station
        .spec
        .inputs
        .iter()
        .zip(&schemas)
        .map(|(name, schema)| Input { name: name.clone(), schema: schema.clone() })
        .collect();
    let mut work = Work { station, inputs, schema: None };
    let mut first = None;
    let schema = with_attempts(station, |attempt| {
        let (live, schema) = work.open(attempt)?;
        first = Some(live);
        Ok(schema)
    })
    .map_err(|failed| station.failed_at(Asked { call: "open", ..Asked::default() }, failed))?;
    station.announce(&schema);
    work.schema = Some(schema);
    let feed = Feed::new(station, &schemas);
    if station.stage.description().stateless {
        stateless(&work, feed, first)?;
    } else {
        stateful(&work, feed, first)?;
    }
    let (quarantined, seen) = {
        let doing = lock(&station.doing);
        (doing.outcome.rows_quarantined, doing.outcome.rows_in)
    };
    station.judge_rejected(quarantined, Some(seen), "rows were at fault")
}

/// What all instances of a transform have in common.
pub(crate) struct Work<'a> {
    pub(crate) station: &'a Station<'a>,
    inputs: Vec<Input>,
    /// What the first instance answered; the others have to answer the same.
    schema: Option<SchemaRef>,
}

pub(crate) type Instance<'a> = Live<'a, dyn Transformer>;

impl<'a> Work<'a> {
    fn open(&self, attempt: u32) -> Result<(Instance<'a>, SchemaRef), Fault> {
        let station = self.station;
        let context = station.run.context(station.name(), attempt);
        let instance = station
            .stage
            .transformer(&context, station.run.stop.cancel())
            .map_err(|fault| fault.of_stage(station.name()))?;
        let mut live = station.live(instance, attempt);
        let schema = live.call(|instance| instance.open(&self.inputs))?;
        if let Some(first) = &self.schema
            && !same_columns(first, &schema)
        {
            return Err(Fault::new(FaultKind::Contract, "open", "the stage answered with another schema than before")
                .of_stage(station.name()));
        }
        Ok((live, schema))
    }

    fn conform(&self, call: &str, batch: RecordBatch) -> Result<RecordBatch, Fault> {
        match &self.schema {
            Some(schema) => self.station.conform(call, schema, batch),
            None => Ok(batch),
        }
    }

    /// One try at a batch, on the instance in `slot` or a fresh one. Afterwards a dead instance is gone from the slot.
    pub(crate) fn try_batch(
        &self,
        slot: &mut Option<Instance<'a>>,
        attempt: u32,
        job: &Job,
        batch: RecordBatch,
    ) -> Result<Vec<RecordBatch>, Failed> {
        let instance = match slot.as_mut() {
            Some(instance) => instance,
            None => slot.insert(self.open(attempt)?.0),
        };
        instance.next_turn(job.turn());
        let answer = instance.call(|instance| instance.process(job.input, batch)).and_then(|batches| {
            batches.into_iter().map(|batch| self.conform("process", batch)).collect::<Result<Vec<_>, _>>()
        });
        let attempt = instance.attempt;
        answer.map_err(|fault| {
            if !is_alive_after(&fault) {
                *slot = None;
            }
            Failed { fault, is_final: false, at_work: true, attempt }
        })
    }

    /// Calls `finish` until it answers none. `given`: the batches that the stage was given before; `call` makes the call,
    /// which is counted as it is told.
    fn finish(
        &self,
        given: u64,
        mut call: impl FnMut(u64) -> Result<Option<RecordBatch>, Failed>,
    ) -> Result<(), Fault> {
        let mut empty = 0;
        for before in 0.. {
            let turn = given + 1 + before;
            let failed =
                |failed| self.station.failed_at(Asked { call: "finish", turn, before, ..Asked::default() }, failed);
            let Some(batch) = call(turn).map_err(failed)? else { break };
            let batch = self.conform("finish", batch).map_err(|fault| failed(fault.into()))?;
            empty = if batch.num_rows() == 0 { empty + 1 } else { 0 };
            if empty > EMPTY_MAX {
                let message = format!("`finish` answered with {EMPTY_MAX} batches without rows, one after another");
                return Err(Fault::new(FaultKind::Contract, "finish", message)
                    .of_stage(self.station.name())
                    .with_help("`finish` has to answer none at the end"));
            }
            self.station.emit(&batch)?;
            self.station.show_progress();
        }
        Ok(())
    }
}

fn stateful<'a>(work: &Work<'a>, mut feed: Feed<'a>, mut live: Option<Instance<'a>>) -> Result<(), Fault> {
    let station = work.station;
    let open = |attempt| work.open(attempt).map(|(live, _)| live);
    let mut may_restart = true;
    while let Some(job) = feed.next()? {
        let batches = call_stateful(station, &mut live, may_restart, open, |instance| {
            instance.next_turn(job.turn());
            instance.process(job.input, job.batch.clone())
        })
        .map_err(|failed| station.failed_on(&job, "process", failed))?;
        may_restart = false;
        for batch in batches {
            let batch =
                work.conform("process", batch).map_err(|fault| station.failed_on(&job, "process", fault.into()))?;
            station.emit(&batch)?;
        }
        station.show_progress();
    }
    work.finish(feed.given(), |turn| {
        let answer = call_stateful(station, &mut live, may_restart, open, |instance| {
            instance.next_turn(turn);
            instance.finish()
        });
        may_restart = false;
        answer
    })
}

fn stateless<'a>(work: &Work<'a>, feed: Feed<'a>, first: Option<Instance<'a>>) -> Result<(), Fault> {
    let station = work.station;
    let feed = Mutex::new(feed);
    let turns = Turns::new(&station.run.stop);
    let mut first = first;
    let others = station.parallel() - 1;
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 0..others {
            let (feed, turns) = (&feed, &turns);
            let thread = std::thread::Builder::new()
                .name(format!("{} {}", station.name(), number + 2))
                .spawn_scoped(scope, move || one_of_many(work, feed, turns, &mut None));
            match thread {
                Ok(thread) => threads.push(thread),
                // Fewer instances do the same work.
                Err(_) => break,
            }
        }
        let mut result = one_of_many(work, &feed, &turns, &mut first);
        for thread in threads {
            let other = thread.join().unwrap_or_else(|_| Err(host_fault("run", "a thread was lost")));
            result = match (result, other) {
                (Err(fault), _) if fault.kind != FaultKind::Cancelled => Err(fault),
                (_, Err(fault)) => Err(fault),
                (result, Ok(())) => result,
            };
        }
        result
    })?;
    let mut live = first;
    let open = |attempt| work.open(attempt).map(|(live, _)| live);
    let given = lock(&feed).given();
    work.finish(given, |turn| {
        call_stateful(station, &mut live, true, open, |instance| {
            instance.next_turn(turn);
            instance.finish()
        })
    })
}

/// One thread with one instance. Its first fault ends the run at once, so that the others do not wait for its turn.
fn one_of_many<'a>(
    work: &Work<'a>,
    feed: &Mutex<Feed<'a>>,
    turns: &Turns,
    slot: &mut Option<Instance<'a>>,
) -> Result<(), Fault> {
    let station = work.station;
    let result = guarded(station.name(), || {
        loop {
            let Some(job) = lock(feed).next()? else { return Ok(()) };
            let batches = process(work, slot, &job)?;
            turns.wait_for(job.sequence).map_err(|fault| fault.of_stage(station.name()))?;
            for batch in &batches {
                station.emit(batch)?;
            }
            turns.done();
            station.show_progress();
        }
    });
    if let Err(fault) = &result
        && !station.run.stop.is_stopped()
    {
        station.run.fail(fault);
    }
    result
}

fn process<'a>(work: &Work<'a>, slot: &mut Option<Instance<'a>>, job: &Job) -> Result<Vec<RecordBatch>, Fault> {
    let station = work.station;
    let tried = with_attempts(station, |attempt| {
        if attempt > 1 {
            *slot = None;
        }
        work.try_batch(slot, attempt, job, job.batch.clone())
    });
    match tried {
        Ok(batches) => {
            lock(&station.poison).is_well();
            Ok(batches)
        }
        Err(failed) if !failed.at_work => Err(station.failed_on(job, "process", failed)),
        Err(failed) if station.spec.on_fault == OnFault::Quarantine && failed.fault.kind.may_be_the_rows() => {
            isolate(work, slot, job, failed.fault)
        }
        Err(failed) => Err(station.failed_on(job, "process", failed)),
    }
}

/// Whose turn it is to pass its batches on.
struct Turns {
    next: Mutex<u64>,
    bell: Condvar,
    stop: Arc<Stop>,
}

impl Turns {
    fn new(stop: &Arc<Stop>) -> Arc<Self> {
        let turns = Arc::new(Self { next: Mutex::new(0), bell: Condvar::new(), stop: stop.clone() });
        stop.register(&turns);
        turns
    }

    fn wait_for(&self, sequence: u64) -> Result<(), Fault> {
        let mut next = lock(&self.next);
        while *next != sequence {
            if self.stop.is_stopped() {
                return Err(stopped());
            }
            next = self.bell.wait(next).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    fn done(&self) {
        *lock(&self.next) += 1;
        self.bell.notify_all();
    }
}

impl Wake for Turns {
    fn wake(&self) {
        drop(lock(&self.next));
        self.bell.notify_all();
    }
}
