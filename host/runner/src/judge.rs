//! Holding what a run is about to load against what its author expects of it.

use crate::run::Run;
use crate::station::Station;
use crate::stop::lock;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::monitor::{Coming, MonitorFinding, MonitorSeverity, columns, judge};
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Event, StageState, Trigger};
use std::collections::BTreeMap;

/// What the monitors say of a run whose loads have all prepared: the event that keeps it, and the fault if the run must not
/// commit.
pub(crate) fn judge_run(run: &Run<'_>, stations: &[Station<'_>]) -> (Event, Option<Fault>) {
    let now = run.clock.now();
    // Anything else is a part of a run: rows that had been set aside.
    let is_run = matches!(
        run.plan.trigger,
        Trigger::Schedule | Trigger::Manual | Trigger::Dependency | Trigger::Backfill | Trigger::Rerun
    );
    let rows = {
        let state = lock(&run.state);
        let loads: Vec<_> = state.record.stages.iter().filter(|stage| stage.entry.kind == Kind::Load).collect();
        let all_ran = is_run && !loads.is_empty() && loads.iter().all(|load| load.state == StageState::Succeeded);
        all_ran.then(|| loads.iter().map(|load| load.outcome.rows_out).sum())
    };
    let loads = stations.iter().filter(|station| {
        station.stage.description().kind == Kind::Load && run.stage_state(station.index) == StageState::Succeeded
    });
    // A load that has ended knows the schema of its one input.
    let given = loads.filter_map(|load| Some((load.name().to_owned(), load.inputs.first()?.schema().ok()?)));
    let schemas: BTreeMap<_, _> = given.map(|(name, schema)| (name, columns(&schema))).collect();
    let coming = Coming { rows, schemas, is_repeat: run.plan.repeats.is_some() };
    let findings = judge(&run.plan.pipeline.monitor, &coming, &run.plan.history, now);
    let fault = fault(&findings);
    (Event::MonitorsJudged { findings, schemas: coming.schemas }, fault)
}

/// The fault of the findings that fail a run, if there are any.
fn fault(findings: &[MonitorFinding]) -> Option<Fault> {
    let failing: Vec<&MonitorFinding> =
        findings.iter().filter(|finding| finding.severity == MonitorSeverity::Fail).collect();
    let first = failing.first()?;
    let messages: Vec<String> = failing
        .iter()
        .map(|finding| match &finding.stage {
            Some(stage) => format!("load `{stage}`: {}", finding.message),
            None => finding.message.clone(),
        })
        .collect();
    let call = format!("monitor {}", first.monitor.key());
    Some(Fault::new(FaultKind::Threshold, call, messages.join("; ")).with_help(first.monitor.help()))
}
