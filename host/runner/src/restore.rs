//! A stage that does not run, since what it passed on in an earlier run is kept.

use crate::checkpoint::Checkpoint;
use crate::run::host_fault;
use crate::size::Sizer;
use crate::station::Station;
use sluicebox_model::fault::Fault;

/// Passes on what was kept.
pub(crate) fn restore(station: &Station<'_>, checkpoint: &Checkpoint) -> Result<(), Fault> {
    let told = |error: &dyn std::fmt::Display| {
        host_fault("restore", &error.to_string()).of_stage(station.name()).with_help("run the pipeline anew")
    };
    station.announce(checkpoint.schema());
    let mut sizer = Sizer::new(checkpoint.schema().clone(), station.run.tuning.size);
    for batch in checkpoint.batches().map_err(|error| told(&error))? {
        let batch = batch.map_err(|error| told(&error))?;
        sizer.put(batch).map_err(|error| told(&error))?;
        while let Some(batch) = sizer.take() {
            station.emit(&batch)?;
            station.show_progress();
        }
    }
    sizer.finish().map_err(|error| told(&error))?;
    while let Some(batch) = sizer.take() {
        station.emit(&batch)?;
    }
    station.show_progress();
    Ok(())
}
