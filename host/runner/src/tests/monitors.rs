//! Runs that are not as their author expects.

use super::Trial;
use super::fakes::{Target, counting, load};
use jiff::Timestamp;
use sluicebox_model::fault::FaultKind;
use sluicebox_model::monitor::{Column, History, MonitorSeverity, RowsMonitor, SchemaMonitor};
use sluicebox_model::run::RunState;
use std::collections::BTreeMap;
use std::sync::Arc;

fn trial(target: &Arc<Target>) -> Trial {
    Trial::new().stage("read", &[], counting(10, 100)).stage("out", &["read"], load(target))
}

#[test]
fn a_run_that_fails_a_monitor_takes_its_loads_back() {
    let target = Arc::new(Target::default());
    let mut trial = trial(&target);
    trial.monitor.rows =
        RowsMonitor { at_least: Some(1_001), severity: MonitorSeverity::Fail, ..RowsMonitor::default() };
    let record = trial.run();
    assert_eq!(record.state, RunState::Failed);
    let fault = record.fault.clone().unwrap();
    assert_eq!((fault.kind, fault.call.as_str()), (FaultKind::Threshold, "monitor rows"));
    assert_eq!(fault.message, "1,000 rows are about to be loaded; at least 1,001 are expected");
    assert!(fault.help.is_some_and(|help| help.contains("`rows` under `[monitor]`")));
    assert_eq!(record.findings.len(), 1);
    assert!(target.calls().last().is_some_and(|call| call.starts_with("abort")), "{:?}", target.calls());
    let names = trial.journal.names();
    assert!(names.ends_with(&["monitors-judged", "run-failed"]), "{names:?}");
}

#[test]
fn a_warning_is_part_of_the_record() {
    let target = Arc::new(Target::default());
    let mut trial = trial(&target);
    let column = |data_type: &str| vec![Column { name: "n".into(), data_type: data_type.into() }];
    trial.monitor.rows.change_at_most = Some(10.0);
    trial.monitor.schema = Some(SchemaMonitor { severity: MonitorSeverity::Warn });
    trial.history = History {
        rows: vec![500, 600, 550],
        loaded_at: Some(Timestamp::UNIX_EPOCH),
        schemas: BTreeMap::from([("out".to_owned(), column("Utf8"))]),
    };
    let record = trial.run();
    assert_eq!(record.state, RunState::Succeeded);
    let messages: Vec<&str> = record.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "1,000 rows are 82 % more than 550, the median of the last 3 runs (at most 10 % is expected)",
            "column `n` is now Int64 (was Utf8)"
        ]
    );
    assert_eq!(record.schemas, BTreeMap::from([("out".to_owned(), column("Int64"))]));
}
