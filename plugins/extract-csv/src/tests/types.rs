//! Types: given, inferred, and values that do not fit.

use super::read;

#[track_caller]
fn column(values: &str, json: &str) -> (String, Vec<String>) {
    let read =
        read(format!("v,w\n{}\n", values.split(' ').map(|v| format!("{v},")).collect::<Vec<_>>().join("\n")), json)
            .unwrap();
    let schema = read.schema.strip_prefix("v: ").unwrap().split(", w").next().unwrap().to_owned();
    (schema, read.lines().iter().map(|line| line.strip_suffix("|-").unwrap().to_owned()).collect())
}

#[test]
fn types_are_inferred() {
    let kind = |values: &str| column(values, "{}").0;
    assert_eq!(kind("1 -2 NA 3"), "int64");
    assert_eq!(kind("1 2.5"), "float64");
    assert_eq!(kind("1 1e6 NaN"), "float64");
    assert_eq!(kind("007 12"), "utf8");
    assert_eq!(kind("12 99999999999999999999"), "utf8");
    assert_eq!(kind("true FALSE"), "boolean");
    assert_eq!(kind("true 1"), "utf8");
    assert_eq!(kind("2013-01-01 2013-12-31"), "date32");
    assert_eq!(kind("2013-01-01T10:00:00Z 2013-01-01T10:00:00+02:00"), "timestamp(UTC)");
    assert_eq!(kind("2013-01-01T10:00:00 2013-01-01"), "timestamp");
    assert_eq!(kind("2013-01-01T10:00:00 2013-01-01T10:00:00Z"), "utf8");
    assert_eq!(kind("NA NA"), "utf8");
    assert_eq!(kind("\"1\" \"NA\""), "int64");
    assert_eq!(column("1 -2 NA -123456789012", "{}").1, ["1", "-2", "-", "-123456789012"]);
    assert_eq!(column("1 2.5 -inf", "{}").1, ["1", "2.5", "-inf"]);
    assert_eq!(column("1970-01-02 1969-12-31", "{}").1, ["1", "-1"]);
    assert_eq!(column("1970-01-01T00:00:01.5Z 1970-01-01T01:00:00+01:00", "{}").1, ["1500000", "0"]);
}

#[test]
fn types_are_given() {
    let of = |kind: &str, values: &str| column(values, &format!(r#"{{"types":{{"v":"{kind}"}}}}"#)).1.join(" ");
    assert_eq!(of("int8", "007 +5 -128"), "7 5 -128");
    assert_eq!(of("uint16", "65535 0"), "65535 0");
    assert_eq!(of("uint64", "18446744073709551615 NA"), "18446744073709551615 -");
    assert_eq!(of("int64", "-9223372036854775808 9223372036854775807"), "-9223372036854775808 9223372036854775807");
    assert_eq!(of("float32", "0.1 1e3"), "0.1 1000");
    assert_eq!(of("boolean", "t F yes no 1 0"), "true false true false true false");
    assert_eq!(of("decimal(10,2)", "1 -2.5 3.10"), "100 -250 310");
    assert_eq!(of("date", "2000-02-29"), "11016");
    assert_eq!(of("timestamp", "1970-01-02"), "86400000000");
    assert_eq!(of("timestamp(UTC)", "1970-01-01T01:00:00 1970-01-01T01:00:00+01"), "3600000000 0");
    assert_eq!(of("utf8", "1 x"), "1 x");
}

#[test]
fn null_markers_are_given() {
    let read = read("v,s\n-999,x\n1,-999\n,-\n", r#"{"null":["-999","-"]}"#);
    assert_eq!(read.unwrap().lines(), ["-|x", "1|-", "|-"]);
    let read = super::read("v,s\n-999,x\n1,-999\n,-\n", r#"{"null":["-999","-",""]}"#).unwrap();
    assert_eq!(
        (read.schema.as_str(), read.lines()),
        ("v: int64, s: utf8", vec!["-|x".into(), "1|-".into(), "-|-".into()])
    );
    let read = super::read("v\n1.5\nnan\n", r#"{"null":["nan"]}"#).unwrap();
    assert_eq!((read.schema.as_str(), read.lines()), ("v: float64", vec!["1.5".into(), "-".into()]));
}

#[test]
fn a_later_value_may_not_fit_what_was_inferred() {
    let fault = |values: &str, json: &str| {
        let options = format!(r#"{{"sample-rows":2{json}}}"#);
        read(format!("v x,w\n1,a\n2,b\n{values},c\n"), &options).map(|_| ()).unwrap_err()
    };
    let end =
        "or, if it stands for null, add it to `null`; to set such records aside, write broken-rows = \"quarantine\"";
    assert_eq!(
        fault("x", ""),
        format!(
            "DIR/x.csv:4: column \"v x\": \"x\" is no int64, which the first 2 records are; write types = {{ \"v x\" = \"utf8\" }}, {end}"
        )
    );
    assert_eq!(
        fault("2.5", ""),
        format!(
            "DIR/x.csv:4: column \"v x\": \"2.5\" is no int64, which the first 2 records are; write types = {{ \"v x\" = \"float64\" }}, {end}"
        )
    );
    assert_eq!(
        fault("007", ""),
        format!(
            "DIR/x.csv:4: column \"v x\": \"007\" is no int64, which the first 2 records are; write types = {{ \"v x\" = \"utf8\" }}, {end}"
        )
    );
    assert!(
        fault("300", r#","types":{"v x":"int8"}"#)
            .starts_with("DIR/x.csv:4: column \"v x\": \"300\" does not fit int8; ")
    );
    assert_eq!(
        read("t\n2013-01-01T10:00:00Z\n", r#"{"types":{"t":"timestamp"}}"#).map(|_| ()).unwrap_err(),
        "DIR/x.csv:2: column \"t\": \"2013-01-01T10:00:00Z\" says its time zone, and a timestamp is local time; write types = \
         { t = \"timestamp(UTC)\" }; to set such records aside, write broken-rows = \"quarantine\""
    );
}
