//! Lines of JSON that are none, or not what they were said to be.

use super::{Case, are_told, json, loads};

fn cases() -> Vec<Case> {
    vec![
        json("json-empty", b"", ""),
        json("json-broken", b"{\"a\": 1}\n{\"a\": \n", ""),
        json("json-no-object", b"{\"a\": 1}\n[1, 2]\n", ""),
        json("json-one-array", b"[\n  {\"a\": 1},\n  {\"a\": 2}\n]\n", ""),
        json("json-over-several-lines", b"{\n  \"a\": 1\n}\n", ""),
        json("json-not-json-at-all", b"id,n\n1,2\n", ""),
        json("json-single-quotes", b"{'a': 1}\n", ""),
        json("json-trailing-comma", b"{\"a\": 1}\n{\"a\": 1,}\n", ""),
        json("json-wrong-type", b"{\"a\": 1}\n{\"a\": \"one\"}\n", "types = { a = 'int64' }"),
        json("json-a-fraction-behind-the-sample", b"{\"a\": 1}\n{\"a\": 1.5}\n", "sample-rows = 1"),
        json("json-too-large-a-number", b"{\"a\": 99999999999999999999}\n", "types = { a = 'int64' }"),
        json("json-an-object-where-a-number-belongs", b"{\"a\": {\"b\": 1}}\n", "types = { a = 'int64' }"),
        json("json-date-of-another-format", b"{\"day\": \"31.12.2025\"}\n", "types = { day = 'date' }"),
        json("json-not-utf-8", b"{\"a\": \"caf\xe9\"}\n", ""),
        json("json-not-utf-8-behind-the-first", b"{\"a\": \"b\"}\n{\"a\": \"caf\xe9\"}\n", ""),
        json("json-lone-surrogate", b"{\"a\": \"\\ud800\"}\n", ""),
        json("json-two-on-a-line", b"{\"a\": 1} {\"a\": 2}\n", ""),
        json("json-two-on-a-line-behind-the-first", b"{\"a\": 0}\n{\"a\": 1} {\"a\": 2}\n", ""),
        json("json-deep", &[b"{\"a\": ".as_slice(), &[b'['; 100_000], b"\n"].concat(), "types = { a = 'utf8' }"),
        json("json-line-too-long", b"{\"a\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n", "max-record-bytes = 20"),
        json("json-not-a-number-as-other-tools-write-it", b"{\"a\": 1}\n{\"a\": NaN}\n", ""),
        json("json-path-that-is-none", b"{\"a\": 1}\n", "columns = { a = 'a..b' }"),
        json("json-a-folder", b"{\"a\": 1}\n", "path = 'data'"),
    ]
}

#[test]
fn broken_lines_are_told() {
    are_told(&cases());
}

/// Which of the two was meant nobody can tell.
#[test]
fn a_key_twice() {
    are_told(&[json("json-key-twice", b"{\"a\": 1, \"a\": 2}\n", "")]);
}

#[test]
fn broken_lines_can_be_set_aside() {
    let case = json("json", b"{\"a\": 1}\n{\"a\":\n{\"a\": 3}\n[4]\n", "broken-rows = 'quarantine'");
    assert_eq!(loads(&case).lines().collect::<Vec<_>>(), ["a", "1", "3"]);
    let project = case.project();
    project.sluicebox(&["run", "pipeline.toml"]).with_code(0);
    let shown = project.sluicebox(&["quarantine", "show", "last"]).with_code(0).stdout;
    assert!(shown.contains("rows.jsonl:2") && shown.contains("rows.jsonl:4"), "{shown}");
}
