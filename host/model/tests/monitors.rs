//! What monitors find, and what retention deletes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use jiff::Timestamp;
use proptest::prelude::*;
use sluicebox_model::monitor::{
    Column, Coming, FreshMonitor, History, MonitorSeverity, Monitors, RowsMonitor, SchemaMonitor, judge,
};
use sluicebox_model::retention::{Kept, KeptKind, Retention, to_delete};
use sluicebox_model::run::RunId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-01-02T13:30:00Z")
}

fn told(monitors: &Monitors, coming: &Coming, history: &History) -> Vec<String> {
    let findings = judge(monitors, coming, history, now());
    findings.into_iter().map(|finding| format!("{:?} {}", finding.severity, finding.message)).collect()
}

fn rows(monitor: RowsMonitor) -> Monitors {
    Monitors { rows: monitor, ..Monitors::default() }
}

fn coming(rows: u64) -> Coming {
    Coming { rows: Some(rows), ..Coming::default() }
}

#[test]
fn rows_are_counted() {
    let none = History::default();
    let warn = ["Warn 0 rows are about to be loaded; at least 1 is expected"];
    assert_eq!(told(&Monitors::default(), &coming(0), &none), warn);
    let severity = MonitorSeverity::Fail;
    let change = rows(RowsMonitor { change_at_most: Some(5.0), severity, ..RowsMonitor::default() });
    assert_eq!(told(&change, &coming(0), &none), warn, "nobody asked for a failure");
    let silent = rows(RowsMonitor { at_least: Some(0), ..RowsMonitor::default() });
    assert!(told(&silent, &coming(0), &none).is_empty());
    assert!(told(&Monitors::default(), &Coming::default(), &none).is_empty(), "not all loads run");
    let both = rows(RowsMonitor { at_least: Some(10), at_most: Some(2_000), severity, ..RowsMonitor::default() });
    assert_eq!(told(&both, &coming(1), &none), ["Fail 1 row is about to be loaded; at least 10 are expected"]);
    let more = ["Fail 12,345 rows are about to be loaded; at most 2,000 are expected"];
    assert_eq!(told(&both, &coming(12_345), &none), more);
    assert!(told(&both, &coming(10), &none).is_empty() && told(&both, &coming(2_000), &none).is_empty());
}

#[test]
fn changes_are_held_against_the_median() {
    let monitors = rows(RowsMonitor { change_at_most: Some(50.0), ..RowsMonitor::default() });
    let history = |rows: &[u64]| History { rows: rows.to_vec(), ..History::default() };
    assert_eq!(
        told(&monitors, &coming(327_346), &history(&[861_000])),
        ["Warn 327,346 rows are 62 % fewer than the 861,000 of the last run (at most 50 % is expected)"]
    );
    assert_eq!(
        told(&monitors, &coming(1_000), &history(&[100, 9_999, 300])),
        ["Warn 1,000 rows are 233 % more than 300, the median of the last 3 runs (at most 50 % is expected)"]
    );
    assert!(told(&monitors, &coming(1_000), &history(&[])).is_empty());
    assert!(told(&monitors, &coming(1_000), &history(&[0])).is_empty());
    assert!(told(&monitors, &coming(150), &history(&[100])).is_empty());
    let repeat = Coming { is_repeat: true, ..coming(1) };
    assert!(told(&monitors, &repeat, &history(&[100])).is_empty());
}

#[test]
fn rows_have_to_be_fresh() {
    let within = Duration::from_secs(25 * 3600);
    let fresh = Some(FreshMonitor { within, severity: MonitorSeverity::Fail });
    let silent = RowsMonitor { at_least: Some(0), ..RowsMonitor::default() };
    let monitors = Monitors { rows: silent, fresh_within: fresh, ..Monitors::default() };
    let history = |text: &str| History { loaded_at: Some(at(text)), ..History::default() };
    let old = history("2026-01-01T06:30:00Z");
    assert_eq!(
        told(&monitors, &coming(0), &old),
        ["Fail no rows were loaded since 2026-01-01 06:30 UTC (31h); the pipeline expects them within 25h"]
    );
    assert!(told(&monitors, &coming(1), &old).is_empty(), "this run loads rows");
    assert!(told(&monitors, &Coming { is_repeat: true, ..coming(0) }, &old).is_empty());
    for recent in ["2026-01-01T12:30:00Z", "2026-01-03T00:00:00Z"] {
        assert!(told(&monitors, &coming(0), &history(recent)).is_empty(), "{recent}");
    }
    let never = History::default();
    let expected = ["Fail no rows were ever loaded; the pipeline expects them within 25h"];
    assert_eq!(told(&monitors, &coming(0), &never), expected);
    assert!(told(&monitors, &coming(1), &never).is_empty(), "this run is the first that loads rows");
}

/// Each monitor warns or fails as its author chose.
#[test]
fn every_monitor_has_both_severities() {
    let columns = |name: &str| {
        BTreeMap::from([("out".to_owned(), vec![Column { name: name.into(), data_type: "Int64".into() }])])
    };
    for severity in [MonitorSeverity::Warn, MonitorSeverity::Fail] {
        let rows = |at_least, at_most, change_at_most| Monitors {
            rows: RowsMonitor { at_least, at_most, change_at_most, severity },
            ..Monitors::default()
        };
        let within = Duration::from_secs(3600);
        let silent = RowsMonitor { at_least: Some(0), ..RowsMonitor::default() };
        let fresh = Some(FreshMonitor { within, severity });
        let locked = Some(SchemaMonitor { severity });
        let cases = [
            (rows(Some(5), None, None), coming(4)),
            (rows(None, Some(5), None), coming(6)),
            (rows(None, None, Some(10.0)), coming(50)),
            (Monitors { rows: silent, fresh_within: fresh, ..Monitors::default() }, coming(0)),
            (Monitors { schema: locked, ..Monitors::default() }, Coming { schemas: columns("b"), ..coming(1) }),
        ];
        let history = History { rows: vec![100], loaded_at: Some(at("2026-01-01T06:30:00Z")), schemas: columns("a") };
        for (monitors, coming) in cases {
            let findings = judge(&monitors, &coming, &history, now());
            assert!(!findings.is_empty(), "{monitors:?}");
            assert!(findings.iter().all(|finding| finding.severity == severity), "{findings:?}");
        }
    }
    // Green and empty is told in any case, and fails only a run whose author said so.
    let none = judge(&Monitors::default(), &coming(0), &History::default(), now());
    assert!(matches!(none.as_slice(), [one] if one.severity == MonitorSeverity::Warn), "{none:?}");
}

#[test]
fn columns_are_told_one_by_one() {
    let columns = |columns: &[(&str, &str)]| {
        let column = |(name, kind): &(&str, &str)| Column { name: (*name).into(), data_type: (*kind).into() };
        BTreeMap::from([("out".to_owned(), columns.iter().map(column).collect::<Vec<_>>())])
    };
    let monitors = Monitors { schema: Some(SchemaMonitor { severity: MonitorSeverity::Warn }), ..Monitors::default() };
    let was = columns(&[("a", "Int64"), ("b", "Utf8"), ("c", "Utf8")]);
    let changes = |is: &[(&str, &str)]| {
        let history = History { schemas: was.clone(), ..History::default() };
        told(&monitors, &Coming { schemas: columns(is), ..coming(1) }, &history)
    };
    assert!(changes(&[("a", "Int64"), ("b", "Utf8"), ("c", "Utf8")]).is_empty());
    assert_eq!(
        changes(&[("a", "Utf8"), ("c", "Utf8"), ("d", "Date32")]),
        [
            "Warn column `a` is now Utf8 (was Int64)",
            "Warn column `b` is gone (it was Utf8)",
            "Warn column `d` was added (Date32)"
        ]
    );
    assert_eq!(changes(&[("b", "Utf8"), ("a", "Int64"), ("c", "Utf8")]), ["Warn the columns stand in another order"]);
    let first = Coming { schemas: was.clone(), ..coming(1) };
    assert!(told(&monitors, &first, &History::default()).is_empty(), "nothing to compare with");
}

fn thing() -> impl Strategy<Value = Kept> {
    let kinds = [KeptKind::Checkpoints, KeptKind::Quarantine, KeptKind::FailedCall, KeptKind::Log];
    (0..40_i64, 0..3_u8, 0..4_usize, 0..1_000_u64, proptest::option::weighted(0.9, -5..200_i64)).prop_map(
        move |(began, pipeline, kind, bytes, days_ago)| {
            let day = |days: i64| Timestamp::from_second(now().as_second() - days * 86_400).unwrap();
            Kept {
                run: RunId::new(day(began), [pipeline; 10]),
                pipeline: pipeline.to_string(),
                kind: kinds[kind],
                bytes,
                ended_at: days_ago.map(day),
            }
        },
    )
}

fn rules() -> impl Strategy<Value = Retention> {
    (0..20_u32, 0..5_000_u64, 0..120_u32).prop_map(|(checkpoints, bytes, runs)| {
        let day = Duration::from_secs(86_400);
        Retention { checkpoints_for: day * checkpoints, checkpoints_bytes_max: bytes, runs_for: day * runs }
    })
}

/// What always stays.
fn must_stay(kept: &[Kept], thing: &Kept) -> bool {
    let same = |other: &&Kept| other.pipeline == thing.pipeline && other.kind == thing.kind;
    thing.ended_at.is_none() || kept.iter().rfind(same).is_some_and(|last| last.run == thing.run)
}

proptest! {
    #[test]
    fn retention_keeps_what_must_stay_and_bounds_the_rest(
        kept in proptest::collection::vec(thing(), 0..60),
        rules in rules(),
    ) {
        let goes: BTreeSet<usize> = to_delete(&kept, &rules, now()).into_iter().collect();
        let is_old = |thing: &Kept, most: Duration| {
            thing.ended_at.is_some_and(|end| now().duration_since(end).as_secs() >= most.as_secs() as i64)
        };
        let mut stays = Vec::new();
        for (at, thing) in kept.iter().enumerate() {
            if goes.contains(&at) {
                prop_assert!(!must_stay(&kept, thing), "{:?}", thing);
                prop_assert!(thing.kind == KeptKind::Checkpoints || is_old(thing, rules.runs_for), "{:?}", thing);
            } else {
                let most = if thing.kind == KeptKind::Checkpoints { rules.checkpoints_for } else { rules.runs_for };
                prop_assert!(must_stay(&kept, thing) || !is_old(thing, most), "{:?}", thing);
                stays.push(thing.clone());
            }
        }
        let checkpoints: Vec<&Kept> = stays.iter().filter(|thing| thing.kind == KeptKind::Checkpoints).collect();
        let bytes: u64 = checkpoints.iter().map(|thing| thing.bytes).sum();
        let all_needed = checkpoints.iter().all(|thing| must_stay(&kept, thing));
        prop_assert!(bytes <= rules.checkpoints_bytes_max || all_needed, "{} bytes stay", bytes);
        prop_assert!(to_delete(&stays, &rules, now()).is_empty(), "once is enough");
    }
}
