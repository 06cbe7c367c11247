//! Rules on batches.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use sluicebox_stage::testing::{Date, Timestamp, batch, batch_of, context, options};
use sluicebox_stage::{
    Batch, DataType, Decimal128Builder, Fault, FaultKind, Field, Rule, Schema, Severity, Threshold, Validate,
};
use validate_rules::Rules;

fn open(schema: &Schema, rules: &str) -> Result<(Rules, Vec<Rule>), Fault> {
    Rules::open(&context(), options(&format!("{{\"rules\": [{rules}]}}"))?, schema)
}

/// The rows of a batch that break the one rule.
fn broken(batch: &Batch, rule: &str) -> Vec<usize> {
    let (mut rules, _) = open(batch.schema(), rule).unwrap();
    let findings = rules.check(batch).unwrap();
    assert!(findings.len() <= 1);
    findings.first().map(|finding| finding.rows.ones().collect()).unwrap_or_default()
}

fn refused(batch: &Batch, rule: &str) -> String {
    let fault = open(batch.schema(), rule).map(|_| ()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidConfig);
    fault.message
}

fn flights() -> Batch {
    batch! {
        "dep_delay" => [Some(2_i64), None, Some(-3), Some(4)],
        "origin" => [Some("EWR"), Some("JFK"), Some("SFO"), None],
        "distance" => [Some(1400.5_f64), Some(6000.0), Some(f64::NAN), None],
        "day" => [Some(Date(0)), Some(Date(15_706)), Some(Date(20_000)), None],
        "time" => [Some(Timestamp(0)), Some(Timestamp(1_357_016_400_000_000)), None, Some(Timestamp(-5))],
        "late" => [Some(true), Some(false), None, Some(true)],
    }
}

#[test]
fn the_rules_of_the_design_page() {
    let rules = r#"{ "column": "dep_delay", "not-null": true }, { "column": "origin", "in": ["EWR", "JFK", "LGA"] },
        { "column": "distance", "between": [0, 5000] }"#;
    let (mut stage, rules) = open(flights().schema(), rules).unwrap();
    assert_eq!(
        rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(),
        ["dep_delay-not-null", "origin-in", "distance-between"]
    );
    assert_eq!(
        rules.iter().map(|rule| rule.summary.as_str()).collect::<Vec<_>>(),
        ["dep_delay is not null", "origin is one of \"EWR\", \"JFK\", \"LGA\"", "distance is from 0 to 5000"]
    );
    assert!(rules.iter().all(|rule| rule.severity == Severity::Reject && rule.at_most.is_none()));
    let findings = stage.check(&flights()).unwrap();
    let rows: Vec<_> = findings.iter().map(|f| (f.rule, f.rows.ones().collect::<Vec<_>>())).collect();
    assert_eq!(rows, [(0, vec![1]), (1, vec![2]), (2, vec![1, 2])]);
    assert!(stage.finish().unwrap().is_empty());
}

#[test]
fn sets() {
    let rows = flights();
    assert_eq!(broken(&rows, r#"{"column": "dep_delay", "in": [2, 4]}"#), [2]);
    assert_eq!(broken(&rows, r#"{"column": "dep_delay", "in": [2, 4, 5, 6, 7, 8, 9, 10, 11, 0.5]}"#), [2]);
    assert_eq!(broken(&rows, r#"{"column": "dep_delay", "not-in": [-3, 99999999999]}"#), [2]);
    assert_eq!(broken(&rows, r#"{"column": "origin", "not-in": ["EWR", "SFO"]}"#), [0, 2]);
    assert_eq!(broken(&rows, r#"{"column": "origin", "in": ["a","b","c","d","e","f","g","h","JFK"]}"#), [0, 2]);
    assert_eq!(broken(&rows, r#"{"column": "distance", "in": [6000]}"#), [0, 2]);
    assert_eq!(broken(&rows, r#"{"column": "late", "in": [true]}"#), [1]);
    assert_eq!(broken(&rows, r#"{"column": "late", "not-in": [true, false]}"#), [0, 1, 3]);
    assert_eq!(broken(&rows, r#"{"column": "day", "in": ["1970-01-01", "2013-01-01"]}"#), [2]);
}

#[test]
fn ranges() {
    let rows = flights();
    assert_eq!(broken(&rows, r#"{"column": "dep_delay", "between": [-2.5, 3]}"#), [2, 3]);
    assert_eq!(broken(&rows, r#"{"column": "origin", "between": ["F", "K"]}"#), [0, 2]);
    assert_eq!(broken(&rows, r#"{"column": "day", "between": ["1970-01-02", "2013-12-31"]}"#), [0, 2]);
    assert_eq!(broken(&rows, r#"{"column": "time", "between": ["1970-01-01", "2013-01-01T05:00:00"]}"#), [3]);
    let narrow = batch! { "n" => [-128_i8, 0, 127] };
    assert_eq!(broken(&narrow, r#"{"column": "n", "between": [-1000, 1000]}"#), [0_usize; 0]);
    assert_eq!(broken(&narrow, r#"{"column": "n", "between": [500, 1000]}"#), [0, 1, 2]);
    assert_eq!(broken(&narrow, r#"{"column": "n", "between": [0, 1000]}"#), [0]);
    let wide = batch! { "n" => [0_u64, u64::MAX] };
    assert_eq!(broken(&wide, r#"{"column": "n", "between": [-1, 18446744073709551614]}"#), [1]);
    let mut decimals = Decimal128Builder::new();
    [0, 1250, -1].into_iter().for_each(|value| decimals.push(value));
    let decimals = batch_of([(Field::decimal("d", 10, 2), decimals.finish())]);
    assert_eq!(broken(&decimals, r#"{"column": "d", "between": [0, 12.5]}"#), [2]);
    assert_eq!(broken(&decimals, r#"{"column": "d", "between": ["-0.01", "12.49"]}"#), [1]);
}

#[test]
fn texts() {
    let rows = batch! { "t" => [Some("EWR"), Some("ew"), Some("äöü"), None, Some("12"), Some("")] };
    assert_eq!(broken(&rows, r#"{"column": "t", "regex": "^[A-Z]{3}$"}"#), [1, 2, 4, 5]);
    assert_eq!(broken(&rows, r#"{"column": "t", "length": 3}"#), [1, 4, 5]);
    assert_eq!(broken(&rows, r#"{"column": "t", "length": {"min": 1, "max": 2}}"#), [0, 2, 5]);
    assert_eq!(broken(&rows, r#"{"column": "t", "type": "int"}"#), [0, 1, 2, 5]);
    let bytes = batch! { "b" => [vec![1_u8, 2], vec![]] };
    assert_eq!(broken(&bytes, r#"{"column": "b", "length": {"min": 1}}"#), [1]);
    // A column that is of the type already keeps the rule.
    assert_eq!(broken(&flights(), r#"{"column": "dep_delay", "type": "int"}"#), [0_usize; 0]);
}

#[test]
fn unique_over_all_the_data() {
    let part = |ids: Vec<Option<i64>>, codes: Vec<&str>| batch! { "id" => ids, "code" => codes };
    let first = part(vec![Some(1), Some(2), Some(1), None], vec!["a", "b", "a", "x"]);
    let second = part(vec![Some(2), Some(3), None, Some(1)], vec!["c", "a", "x", "z"]);
    let rules = r#"{"column": "id", "unique": true}, {"unique": ["id", "code"]}, {"unique": "code"}"#;
    let (mut stage, rules) = open(first.schema(), rules).unwrap();
    assert_eq!(rules[1].name, "id-code-unique");
    let mut check = |batch: &Batch| {
        let findings = stage.check(batch).unwrap();
        findings.iter().map(|f| (f.rule, f.rows.ones().collect::<Vec<_>>())).collect::<Vec<_>>()
    };
    assert_eq!(check(&first), [(0, vec![2]), (1, vec![2]), (2, vec![2])]);
    assert_eq!(check(&second), [(0, vec![0, 3]), (2, vec![1, 2])]);
    let floats = batch! { "x" => [0.0_f64, -0.0, f64::NAN, f64::NAN, 1.0] };
    assert_eq!(broken(&floats, r#"{"column": "x", "unique": true}"#), [1, 3]);
}

#[test]
fn unique_over_many_rows() {
    let rows = 200_000_i64;
    let numbers = batch! { "n" => (0..rows).map(|n| n * 4096).chain([4096]).collect::<Vec<_>>() };
    assert_eq!(broken(&numbers, r#"{"column": "n", "unique": true}"#), [200_000]);
    let texts = batch! { "t" => (0..rows).map(|n| format!("text {n}")).chain(["text 7".into()]).collect::<Vec<_>>() };
    assert_eq!(broken(&texts, r#"{"column": "t", "unique": true}"#), [200_000]);
}

#[test]
fn rules_of_all_the_data() {
    let rules = r#"{"row-count": {"at-least": 5}}, {"row-count": {"at-most": 5}, "severity": "warn"},
        {"column": "dep_delay", "null-rate": {"at-most": "25%"}}, {"column": "late", "null-rate": {"at-most": 0.1}}"#;
    let (mut stage, rules) = open(flights().schema(), rules).unwrap();
    let severities: Vec<_> = rules.iter().map(|rule| rule.severity).collect();
    assert_eq!(severities, [Severity::Fail, Severity::Warn, Severity::Fail, Severity::Fail]);
    assert_eq!(rules[1].name, "row-count-2");
    assert!(stage.check(&flights()).unwrap().is_empty());
    assert!(stage.check(&flights()).unwrap().is_empty());
    let outcomes: Vec<_> = stage.finish().unwrap().into_iter().map(|o| (o.rule, o.holds, o.observed)).collect();
    assert_eq!(
        outcomes,
        [
            (0, true, "8 rows".to_owned()),
            (1, false, "8 rows".to_owned()),
            (2, true, "2 of 8 rows are null (25.00 %)".to_owned()),
            (3, false, "2 of 8 rows are null (25.00 %)".to_owned()),
        ]
    );
}

#[test]
fn comparisons_and_expressions() {
    let rows = batch! { "a" => [Some(1_i64), Some(2), Some(3), None], "b b" => [Some(1_i64), Some(1), None, Some(1)] };
    assert_eq!(broken(&rows, r#"{"compare": "a <= \"b b\""}"#), [1]);
    assert_eq!(broken(&rows, r#"{"compare": "a = \"b b\""}"#), [1]);
    assert_eq!(broken(&rows, r#"{"compare": "a != \"b b\""}"#), [0]);
    assert_eq!(broken(&rows, r#"{"expression": "a > 1 or a is null"}"#), [0]);
    let (_, rules) = open(rows.schema(), r#"{"compare": "a<=a"}, {"expression": "a > 1"}"#).unwrap();
    assert_eq!((rules[0].name.as_str(), rules[0].summary.as_str()), ("a-a-compare", "a <= a"));
    assert_eq!((rules[1].name.as_str(), rules[1].summary.as_str()), ("expression", "a > 1"));
}

#[test]
fn severities_and_thresholds() {
    let rules = r#"{"column": "dep_delay", "not-null": true, "severity": "warn", "at-most": 10},
        {"name": "known", "column": "origin", "not-null": true, "severity": "fail", "at-most": "0.5%"}"#;
    let (_, rules) = open(flights().schema(), rules).unwrap();
    assert_eq!((rules[0].severity, rules[0].at_most), (Severity::Warn, Some(Threshold::Rows(10))));
    assert_eq!((rules[1].severity, rules[1].at_most), (Severity::Fail, Some(Threshold::PerCent(0.5))));
    assert_eq!(rules[1].name, "known");
}

#[test]
fn a_column_without_nulls_is_not_read() {
    let schema = Schema::new([Field::new("n", DataType::Int64).not_null()]);
    let (mut stage, _) = open(&schema, r#"{"column": "n", "not-null": true}"#).unwrap();
    assert!(stage.check(&batch! { "other" => [1_i64] }).unwrap().is_empty());
}

#[test]
fn faults_name_the_rule_and_what_to_write() {
    let rows = flights();
    for (rule, expected) in [
        (
            r#"{"column": "dep_delai", "not-null": true}"#,
            "rules[0]: there is no column `dep_delai`; did you mean `dep_delay`?",
        ),
        (r#"{"column": "zzz", "not-null": true}"#, "there are dep_delay, origin"),
        (r#"{"column": "origin"}"#, "the rule has no check"),
        (r#"{"column": "origin", "not-null": true, "in": ["x"]}"#, "2 checks (in, not-null)"),
        (r#"{"not-null": true}"#, "write column = \"...\" beside it"),
        (r#"{"column": "origin", "not-null": false}"#, "checks nothing"),
        (r#"{"column": "origin", "in": [1]}"#, "1 is no value of `origin`, which is utf8; write text"),
        (r#"{"column": "dep_delay", "in": ["x"]}"#, "write a number"),
        (r#"{"column": "day", "in": [5]}"#, "write a date"),
        (r#"{"column": "day", "between": ["2013-02-30", "2013-03-01"]}"#, "\"2013-02-30\" is no value of `day`"),
        (r#"{"column": "origin", "in": []}"#, "empty list"),
        (r#"{"column": "distance", "between": [5000, 0]}"#, "5000 is more than 0"),
        (r#"{"column": "late", "between": [false, true]}"#, "write in = [true]"),
        (r#"{"column": "distance", "regex": "a"}"#, "`regex` is about text, and `distance` is float64"),
        (r#"{"column": "origin", "regex": "("}"#, "unclosed group"),
        (r#"{"column": "origin", "length": {"min": 3, "max": 1}}"#, "min = 3 is more than max = 1"),
        (r#"{"column": "origin", "length": {}}"#, "`length` is empty"),
        (r#"{"column": "dep_delay", "type": "date"}"#, "`type` is about text"),
        (r#"{"row-count": {}}"#, "write at-least, at-most or both"),
        (r#"{"column": "origin", "row-count": {"at-least": 1}}"#, "leave `column` out"),
        (r#"{"row-count": {"at-least": 1}, "at-most": 5}"#, "write it within"),
        (r#"{"column": "origin", "null-rate": {"at-most": 5}}"#, "a number from 0 to 1"),
        (r#"{"column": "origin", "not-null": true, "at-most": "5"}"#, "\"5%\""),
        (r#"{"compare": "dep_delay"}"#, "two columns and what is between them"),
        (r#"{"compare": "dep_delay < distanc"}"#, "did you mean `distance`?"),
        (r#"{"compare": "dep_delay < origin"}"#, "`compare`"),
        (r#"{"expression": "dep_delay +"}"#, "`expression`"),
        (r#"{"expression": "dep_delay + 1"}"#, "`expression`"),
        (r#"{"unique": []}"#, "empty list"),
        (r#"{"colum": "origin"}"#, "unknown field `colum`"),
    ] {
        let message = refused(&rows, rule);
        assert!(message.contains(expected), "{rule}\n{message}\n{expected}");
    }
    assert!(refused(&rows, "").contains("`rules` is empty"));
    let twice =
        r#"{"name": "a", "column": "day", "not-null": true}, {"name": "a", "column": "late", "not-null": true}"#;
    assert!(refused(&rows, twice).contains("rules[1]: there is a rule `a` already"));
}
