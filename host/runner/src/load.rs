//! A load at work, and the two ways it ends: committed or taken back.

use crate::attempts::{Failed, call_stateful, guarded, with_attempts};
use crate::feed::Feed;
use crate::plan::load_id;
use crate::run::Run;
use crate::station::{Asked, Live, Station};
use crate::stop::lock;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::stage::{Level, Loader};

/// Writes what its input gives, and prepares.
pub(crate) fn load(station: &Station<'_>) -> Result<(), Fault> {
    let schemas = station.input_schemas()?;
    station.started()?;
    let Some(schema) = schemas.first() else { return Ok(()) };
    let run = station.run;
    let id = load_id(&run.plan.load_key, station.name());
    let open = |attempt| {
        let context = run.context(station.name(), attempt);
        let instance =
            station.stage.loader(&context, run.stop.cancel()).map_err(|fault| fault.of_stage(station.name()))?;
        let mut live: Live<'_, dyn Loader> = station.live(instance, attempt);
        live.call(|load| load.open(schema, &id, 0))?;
        Ok(live)
    };
    // From here on there may be something to take back.
    lock(&run.state).loads.insert(station.name().to_owned(), Vec::new());
    let first = with_attempts(station, |attempt| open(attempt).map_err(Failed::from));
    let not_open = |failed| station.failed_at(Asked { call: "open", ..Asked::default() }, failed);
    let mut live = Some(first.map_err(not_open)?);
    let mut may_restart = true;
    let mut feed = Feed::new(station, &schemas);
    while let Some(job) = feed.next()? {
        call_stateful(station, &mut live, may_restart, open, |load| {
            load.next_turn(job.turn());
            load.write(job.batch.clone())
        })
        .map_err(|failed| station.failed_on(&job, "write", failed))?;
        may_restart = false;
        station.count_out(&job.batch);
        station.show_progress();
    }
    let turn = feed.given() + 1;
    let receipt = call_stateful(station, &mut live, may_restart, open, |load| {
        load.next_turn(turn);
        load.prepare()
    })
    .map_err(|failed| station.failed_at(Asked { call: "prepare", turn, ..Asked::default() }, failed))?;
    lock(&run.state).loads.insert(station.name().to_owned(), vec![receipt]);
    Ok(())
}

/// Shows what a load prepared, on a fresh instance for each attempt. Nobody can cancel it.
pub(crate) fn commit(station: &Station<'_>, receipts: &[String]) -> Result<(), Fault> {
    let retry = station.spec.retry;
    let mut attempt = 1;
    loop {
        let tried = finally(station, attempt, |load, id| load.commit(id, receipts));
        match tried {
            Err(fault) if attempt < retry.attempts && fault.kind.worth_retrying() => {
                attempt += 1;
                station.run.tell(
                    station.name(),
                    Level::Warn,
                    format!("attempt {attempt} at the commit follows: {fault}"),
                );
                station.pause_before(attempt);
            }
            ended => return ended,
        }
    }
}

/// Takes back what a load wrote; what goes wrong is logged too.
pub(crate) fn abort(station: &Station<'_>, receipts: &[String]) -> Result<(), Fault> {
    finally(station, 1, |load, id| load.abort(id, receipts)).inspect_err(|fault| {
        let message = format!("what the load had written could not be taken back: {fault}");
        station.run.tell(station.name(), Level::Error, message);
    })
}

/// A call on a fresh instance, whatever has become of the run.
fn finally(
    station: &Station<'_>,
    attempt: u32,
    call: impl FnOnce(&mut dyn Loader, &str) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let run: &Run<'_> = station.run;
    let id = load_id(&run.plan.load_key, station.name());
    guarded(station.name(), || {
        let context = run.context(station.name(), attempt);
        let instance =
            station.stage.loader(&context, &Cancel::new()).map_err(|fault| fault.of_stage(station.name()))?;
        let mut live: Live<'_, dyn Loader> = station.live(instance, attempt);
        live.call(|load| call(load, &id))
    })
}
