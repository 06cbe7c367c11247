//! Rows that a run would load a second time: a replay of what an earlier run for the same interval set aside has added them to
//! the target.

use crate::check::targets;
use crate::house::House;
use crate::trouble::Trouble;
use crate::wiring::Asked;
use sluicebox_model::pipeline::Pipeline;
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::Trigger;

/// Refuses a run that gives a stage the rows again which it once set aside and a replay has loaded since, where a load behind it
/// adds to its target. A load that replaces its target loads nothing twice.
///
/// # Errors
/// It is such a run; the store cannot be read.
pub(crate) fn refuse(house: &House, asked: &Asked<'_>, pipeline: &Pipeline) -> Result<(), Trouble> {
    if asked.trigger == Trigger::Replay {
        return Ok(());
    }
    let loaded = house.store.loaded_by_replays(&pipeline.name, &asked.load_key)?;
    if loaded.is_empty() {
        return Ok(());
    }
    let skipped = asked.skipped();
    let running: Vec<_> = pipeline.stages.iter().filter(|spec| !skipped.contains_key(&spec.name)).collect();
    let adds = running.iter().any(|spec| {
        let is_load = asked.plugins.of(spec).is_some_and(|plugin| plugin.description.kind == Kind::Load);
        is_load && targets::adds(&spec.config)
    });
    let twice = loaded.iter().find(|of| running.iter().any(|spec| spec.name == of.stage));
    let Some(twice) = twice.filter(|_| adds) else { return Ok(()) };
    let (run, stage, by) = (&twice.run, &twice.stage, &twice.by);
    let message = format!(
        "rows that stage `{stage}` set aside in run {run} were loaded by its replay {by}; a run of `{stage}` for the same \
         interval would load them a second time"
    );
    Err(Trouble::new(message).help(format!(
        "take what run {by} loaded out of the target and say so (`sluicebox quarantine drop {run} --stage {stage} --replayed`), \
         or start behind `{stage}`, if what it passed on is kept: `sluicebox rerun {run} --from STAGE`"
    )))
}
