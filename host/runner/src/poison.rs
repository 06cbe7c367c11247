//! A batch that a stateless stage fails on: it is split until the rows at fault are alone. They are quarantined, the
//! others go on in their order.

use crate::attempts::{Failed, with_attempts};
use crate::feed::Job;
use crate::station::grouped;
use crate::stop::lock;
use crate::transform::{Instance, Work};
use arrow_array::RecordBatch;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::Quarantined;
use sluicebox_model::limits::Bound;
use std::time::{Duration, Instant};

/// Calls that fail on parts of a batch, none having passed, before rows from all over it are tried...
pub(crate) const DOUBT_AFTER: u32 = 64;
/// ... so many of them, if the batch has more rows than this: a small one is just split.
pub(crate) const PROBES: usize = 16;
const PROBED_ROWS: usize = 1024;

/// What a stage has spent on finding rows at fault.
#[derive(Default)]
pub(crate) struct Poison {
    calls: u64,
    /// Time within those calls, with the making of the instances that they took.
    spent: Duration,
    /// Batches in a row of which no row passed.
    lost_batches: u32,
}

impl Poison {
    /// A batch went through.
    pub(crate) fn is_well(&mut self) {
        self.lost_batches = 0;
    }
}

/// Finds the rows of the batch that the stage fails on. `fault` is how it failed on the whole. For one row at fault this
/// takes at most two calls for each halving. A stage that fails whatever it is given is told from one that fails on rows.
pub(crate) fn isolate<'a>(
    work: &Work<'a>,
    slot: &mut Option<Instance<'a>>,
    job: &Job,
    fault: Fault,
) -> Result<Vec<RecordBatch>, Fault> {
    let station = work.station;
    let mut passed = Vec::new();
    let mut passed_rows = 0;
    let mut at_fault: Vec<(usize, usize, Fault)> = Vec::new();
    let mut failed_calls = 0;
    // Parts still to look at, the first on top: where, how many rows, and how the stage failed on them if it did.
    let mut parts = vec![(0, job.batch.num_rows(), Some(fault))];
    while let Some((from, rows, fault)) = parts.pop() {
        let fault = match fault {
            Some(fault) => fault,
            None => match try_part(work, slot, job, from, rows)? {
                Ok(batches) => {
                    passed_rows += rows;
                    passed.extend(batches);
                    continue;
                }
                Err(fault) => fault,
            },
        };
        failed_calls += 1;
        if failed_calls == DOUBT_AFTER && passed_rows == 0 {
            doubt(work, slot, job)?;
        }
        let named = fault.rows.and_then(|(row, _)| usize::try_from(row).ok()).filter(|row| *row < rows);
        match named {
            _ if rows <= 1 => at_fault.push((from, rows, fault)),
            Some(row) => {
                // The stage says which row it is. What it did with those before is lost with the call.
                at_fault.push((from + row, 1, fault));
                push_part(&mut parts, from + row + 1, rows - row - 1);
                push_part(&mut parts, from, row);
            }
            None => {
                let half = rows / 2;
                push_part(&mut parts, from + half, rows - half);
                push_part(&mut parts, from, half);
            }
        }
    }
    set_aside(work, job, at_fault)?;
    let mut poison = lock(&station.poison);
    if passed_rows > 0 || job.batch.num_rows() < 2 {
        poison.is_well();
        return Ok(passed);
    }
    poison.lost_batches += 1;
    if poison.lost_batches < 2 {
        return Ok(passed);
    }
    let message = "the stage failed on every row of two batches one after another; the rows are hardly the cause";
    Err(hardly_the_rows(work, job, message.to_owned()))
}

/// Fails if the stage fails on single rows from all over the batch, too.
fn doubt<'a>(work: &Work<'a>, slot: &mut Option<Instance<'a>>, job: &Job) -> Result<(), Fault> {
    let rows = job.batch.num_rows();
    if rows <= PROBED_ROWS {
        return Ok(());
    }
    for probe in 0..PROBES {
        if try_part(work, slot, job, rows * probe / PROBES, 1)?.is_ok() {
            return Ok(());
        }
    }
    let message = format!(
        "the stage failed on {DOUBT_AFTER} parts of the batch and on {PROBES} single rows from all over it; the rows are \
         hardly the cause"
    );
    Err(hardly_the_rows(work, job, message))
}

fn hardly_the_rows(work: &Work<'_>, job: &Job, message: String) -> Fault {
    let fault = Fault::new(FaultKind::Threshold, "process", message).of_stage(work.station.name()).with_help(
        "`sluicebox logs` and `sluicebox quarantine show` tell how it failed; mend the stage or its options",
    );
    job.locate(fault, 0, job.batch.num_rows())
}

fn push_part(parts: &mut Vec<(usize, usize, Option<Fault>)>, from: usize, rows: usize) {
    if rows > 0 {
        parts.push((from, rows, None));
    }
}

/// One call with a part of the batch; the inner fault is one that the rows may have caused.
fn try_part<'a>(
    work: &Work<'a>,
    slot: &mut Option<Instance<'a>>,
    job: &Job,
    from: usize,
    rows: usize,
) -> Result<Result<Vec<RecordBatch>, Fault>, Fault> {
    let station = work.station;
    let limits = &station.spec.limits;
    let (calls_max, time_max) = (u64::from(limits.poison_calls_max), limits.poison_time_max);
    let passed = {
        let mut poison = lock(&station.poison);
        poison.calls += 1;
        if poison.calls > calls_max {
            Some((format!("{} calls", grouped(calls_max)), "limits.poison-calls"))
        } else if poison.spent > time_max {
            Some((Bound::Time(time_max).to_string(), "limits.poison-time"))
        } else {
            None
        }
    };
    if let Some((passed, key)) = passed {
        let message = format!("finding the rows at fault took more than {passed}");
        let fault = Fault::new(FaultKind::Threshold, "process", message).of_stage(station.name()).with_help(format!(
            "too many rows are at fault, or each takes too long, to look for them one by one: let a validate reject them \
             before this stage, lower its `limits.call`, or raise `{key}`, now {passed}"
        ));
        return Err(job.locate(fault, from, rows));
    }
    let start = Instant::now();
    let tried = with_attempts(station, |attempt| {
        work.try_batch(slot, attempt, job, job.batch.slice(from, rows)).map_err(|failed| Failed {
            // What the rows may have caused is found by splitting, not by trying again.
            is_final: failed.at_work && failed.fault.kind.may_be_the_rows(),
            ..failed
        })
    });
    lock(&station.poison).spent += start.elapsed();
    match tried {
        Ok(batches) => Ok(Ok(batches)),
        Err(failed) if failed.is_final => Ok(Err(failed.fault)),
        Err(failed) => {
            let batch = job.batch.slice(from, rows);
            Err(station.failed_on(&Job { batch, first_row: job.first_row + from as u64, ..*job }, "process", failed))
        }
    }
}

/// Quarantines rows; neighbours that failed in the same way together.
fn set_aside(work: &Work<'_>, job: &Job, at_fault: Vec<(usize, usize, Fault)>) -> Result<(), Fault> {
    let station = work.station;
    let mut at_fault = at_fault;
    at_fault.sort_by_key(|(from, _, _)| *from);
    let mut groups: Vec<(usize, usize, Fault)> = Vec::new();
    for (from, rows, fault) in at_fault {
        match groups.last_mut() {
            Some((first, count, other))
                if *first + *count == from && other.kind == fault.kind && other.message == fault.message =>
            {
                *count += rows;
            }
            _ => groups.push((from, rows, fault)),
        }
    }
    for (from, rows, mut fault) in groups {
        fault.rows = None;
        let fault = job.locate(fault, from, rows);
        station.set_aside(&Quarantined::Poison { batch: job.batch.slice(from, rows), fault })?;
        let quarantined = {
            let outcome = &mut lock(&station.doing).outcome;
            outcome.rows_quarantined += rows as u64;
            outcome.rows_quarantined
        };
        station.judge_rejected(quarantined, None, "rows were at fault")?;
    }
    Ok(())
}
