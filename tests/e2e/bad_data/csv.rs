//! CSV files that are none, or not what they were said to be.

use super::{Case, are_told, csv, is_told, loads};
use std::fs::File;

/// A gzip file cut in its middle.
const CUT_GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x25\x94\x3b\x02\xdc\x30\x08\x44\x7b\x9f\x85\x42\x80\x84\xe0\x3e\x69\xd2\xe4\xfe\x65\xde\x68\xab\x5d\xdb\x12\x9f\x61\x1e\x7f\xff\xd8\xbf\x6f\xd9\xfa\xdc\xfc\x0b\xdb\x5f\xda\x7c\xdb\xbc\xbe\x63\x71\xbe\xb2\xac\xef\xda\x9e\xaf\xad\xf6\x37\xd6\xfe\xf9\x32\x5f\x5c\xe0\x46\xf0\x14\xe6\x7b\x7f\x9e\xdc\x99\xcf\xb9\x3a\xf5\x39\x97\xb9\xed\x45\x0c\x9e\xae\x45\xf3\xad\x2d\x83\x93\x43\x4c\x72\x2d\xdb\x44\x09\xb7\xbd\x79\x22\x75\xef\x2f\xd2\x4e\xcc\x17\xdb\xce\xad\x2f\x8e\x15\x51\xa2\xac\xf4\x74\xed\xea\x5b\xdb\xd5\x49\x4a\xe1\x5e\x2e\x1b\xa2\xa4\xdb\x10\x33\xa9\x65\x91\x22\x29\x66\x91\x31\xa9\xc6\x29\x20\x0f\xa5\x12\x29\x8b\x5f\xca\xcb\x6b\x9e\x54\x9b\xad\xda\x39\x3f\xe6\x87\x5e\x36\x9d\x15\xe1\x36\xad\x15\x9d\x6e\xe2\x5d\xda\xde\xc4\x6b\x34\xd8\xea\x0e\x41\x36\xed\x2d\xe2\x6d\xfa\x73\xa4\xda\x34\x18\x8b\xef\x6d\x91\x8b\xf3\x63\xb1\x97\x7f\x67\xd1\x3f\xf1\x8e\x5b\x94\x9e\xc3\xe2\xf2\xfd\x24\x82\x70\xfe\x6c\x8b\x91\xd4\xc7\x52\xf1\x0e\x72\x53\xd8\x77\xae\x94\xe2\x3b\x8a\x25\xf9\x0f\x92\x6d\xea\xa9\x85\x74\xc4\x2b\xb7\xbc\xd4\x5b\x61\xd9\xd4\x5f\x69\x39\xf4\x53\x1b\x4d\xe9\xaf\x8e\x6d\xf5\x5b\x65\x3b\xe9\xbf\x98\xe0\x46\x8f\x6a\xdb\x85\x3e\x35\xb6\x2f\x7a\x5d\x66\x20\xf9\xae\xdb\x59\xa8\x79\xc3\x0e\x8d\x7e\x97\x31\x24\x5a\x5f\xe6\xc0\xc1\xef\x1e\x3b\x9a\xc4\x2d\xe6\xa2\xe7\x6b\x67\xf4\x1d\x53\x2c\x9d\x1f\x06\xc5\xfd\x5e\x98\x84\x78\xed\x56\x87\xf8\x1d\x4c\x8e\x7c\x9d\x56\x4d\xfe\xde\x76\x17\xf5\xf4\x61\x94\xc4\xeb\xb2\x4b\xe1\x5f\x33\xda\x43\xfd\xcd\x6c\x2f\xfd\xf4\xd8\x1d\xfa\x9b\x85\xdf\x88\x37\x6e\x1d\xf4\x3f\xc1\xd0\x65\xc3\xb4\x2e\xf4\x99\x6d\xdd\xe8\x35\x07\x17\x10\x6f\xca\xb8\xc6\xf3\xb5\x41\x88\x6f\x1a\x5b\xa0\xf7\x8c\x4d\x2f\x39\xf7\x59\x57\xe6\x5d\x2e\xab\xbc\x77\x32\xcd\xe6\x94\x2f\xd9\xa6\xb8\xc7\xb3\x0c\x44";

fn values() -> Vec<Case> {
    vec![
        csv("csv-not-a-number", b"id,n\n1,2\n2,three\n", "types = { n = 'int64' }"),
        csv("csv-not-a-number-behind-the-sample", b"id,n\n1,2\n2,3\n3,four\n", "sample-rows = 2"),
        csv("csv-a-fraction-behind-the-sample", b"id,n\n1,2\n2,3\n3,4.5\n", "sample-rows = 2"),
        csv("csv-too-large-a-number", b"n\n99999999999999999999\n", "types = { n = 'int64' }"),
        csv("csv-too-large-for-int8", b"n\n127\n128\n", "types = { n = 'int8' }"),
        csv("csv-negative-where-none-may-be", b"n\n1\n-1\n", "types = { n = 'uint32' }"),
        csv("csv-thousands-separators", b"id,n\n1,\"1,234\"\n", "types = { n = 'int64' }"),
        csv("csv-decimal-comma", b"id;n\n1;1234,50\n", "delimiter = ';', types = { n = 'float64' }"),
        csv("csv-currency", b"id,price\n1,$12.50\n", "types = { price = 'decimal(10,2)' }"),
        csv("csv-more-digits-than-the-decimal-has", b"price\n12.505\n", "types = { price = 'decimal(10,2)' }"),
        csv("csv-blanks-around-a-number", b"id,n\n1, 2\n", "types = { n = 'int64' }"),
        csv("csv-the-word-null", b"id,n\n1,2\n2,null\n", "types = { n = 'int64' }"),
        csv("csv-not-a-date", b"day\n2025-02-30\n", "types = { day = 'date' }"),
        csv("csv-date-of-another-format", b"id,day\n1,31/12/2025\n", "types = { day = 'date' }"),
        csv("csv-not-a-timestamp", b"at\nyesterday\n", "types = { at = 'timestamp' }"),
        csv(
            "csv-timestamp-with-a-zone-where-none-belongs",
            b"at\n2025-01-01T00:00:00Z\n",
            "types = { at = 'timestamp' }",
        ),
        csv("csv-not-a-boolean", b"yes\nmaybe\n", "types = { yes = 'boolean' }"),
    ]
}

fn records() -> Vec<Case> {
    vec![
        csv("csv-too-few-fields", b"a,b,c\n1,2,3\n4,5\n", ""),
        csv("csv-too-many-fields", b"a,b\n1,2\n3,4,5\n", ""),
        csv("csv-trailing-delimiter-in-rows", b"a,b\n1,2,\n3,4,\n", ""),
        csv("csv-a-line-of-totals", b"id,n\n1,2\n2,3\n\nTotal: 5\n", "types = { id = 'int64' }"),
        csv("csv-quote-never-closed", b"a,b\n1,\"two\n3,4\n", ""),
        csv("csv-text-behind-a-quote", b"a,b\n1,\"two\"2\n", ""),
        csv("csv-not-utf-8", b"a,b\n1,caf\xe9\n", ""),
        csv(
            "csv-record-too-long",
            b"a\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
            "max-record-bytes = 20",
        ),
    ]
}

fn headers() -> Vec<Case> {
    vec![
        csv("csv-empty", b"", ""),
        csv("csv-only-blank-lines", b"\n\n\n", ""),
        csv("csv-header-twice", b"a,b,a\n1,2,3\n", ""),
        csv("csv-header-not-utf-8", b"a,caf\xe9\n1,2\n", ""),
        csv("csv-names-too-few", b"a,b,c\n1,2,3\n", "names = ['a', 'b']"),
        csv("csv-names-twice", b"a,b\n1,2\n", "names = ['a', 'a']"),
        csv("csv-type-of-no-column", b"a,b\n1,2\n", "types = { c = 'int64' }"),
        csv("csv-column-that-is-not-there", b"id,name\n1,2\n", "columns = ['id', 'nmae']"),
        csv("csv-column-asked-for-twice", b"id,name\n1,2\n", "columns = ['id', 'id']"),
        csv("csv-other-delimiter", b"id;name\n1;x\n", "columns = ['id', 'name']"),
        csv("csv-more-lines-skipped-than-there-are", b"a,b\n1,2\n", "skip-rows = 10"),
        csv("csv-header-in-small-letters", b"ID,Name\n1,x\n", "columns = ['id', 'name']"),
    ]
}

fn files() -> Vec<Case> {
    let two = |name, second: &[u8]| csv(name, b"id,n\n1,2\n", "path = 'data/*.csv'").file("data/second.csv", second);
    vec![
        csv("csv-no-such-file", b"a\n1\n", "path = 'data/other.csv'"),
        csv("csv-no-file-of-the-pattern", b"a\n1\n", "path = 'data/*.tsv'"),
        csv("csv-a-folder", b"a\n1\n", "path = 'data'"),
        csv("csv-not-granted", b"a\n1\n", "path = '/etc/hostname'"),
        csv("csv-above-the-project", b"a\n1\n", "path = '../rows.csv'"),
        csv("csv-truncated-gzip", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b], ""),
        csv("csv-gzip-cut-short", CUT_GZIP, ""),
        csv("csv-gzip-that-is-none", b"id,n\n1,2\n", "compression = 'gzip'"),
        csv("csv-damaged-zstd", &[0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff], ""),
        csv("csv-utf-16", b"\xff\xfei\0d\0,\0n\0\n\x001\0,\x002\0\n\0", ""),
        csv("csv-a-spreadsheet", b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\xf2\x81\0\0[Content_Types].xml", ""),
        two("csv-second-file-has-other-columns", b"id,m\n1,2\n"),
        two("csv-second-file-has-a-column-more", b"id,n,m\n1,2,3\n"),
        two("csv-second-file-has-no-header", b"3,4\n"),
    ]
}

#[test]
fn values_that_do_not_fit_are_told() {
    are_told(&values());
}

#[test]
fn records_that_are_none_are_told() {
    are_told(&records());
}

#[test]
fn headers_that_do_not_fit_are_told() {
    are_told(&headers());
}

#[test]
fn files_that_are_none_are_told() {
    are_told(&files());
}

/// 2 GiB without a line end: told at once, in little memory, since the longest record is bounded.
#[test]
fn a_file_of_one_line() {
    let project = csv("csv-2-gib-of-one-line", b"", "").project();
    File::options().write(true).open(project.path().join("data/rows.csv")).unwrap().set_len(2 << 30).unwrap();
    is_told("csv-2-gib-of-one-line", &project);
}

/// Some of its bytes would pass as text.
#[test]
fn a_parquet_file() {
    are_told(&[csv("csv-a-parquet-file", b"PAR1\x15\x04\x15\x20\x15\x24\x4c\x15\x02\x15\0\x12\0\nPAR1", "")]);
}

/// What is gone between a check and a run.
#[test]
fn a_file_that_vanished() {
    let case = csv("csv-vanished", b"id\n1\n", "");
    let project = case.project();
    project.sluicebox(&["check", "pipeline.toml"]).with_code(0);
    std::fs::remove_file(project.path().join("data/rows.csv")).unwrap();
    is_told(case.name, &project);
}

/// With `broken-rows = "quarantine"` the good rows are loaded and the others kept, with the line that each stood on.
#[test]
fn broken_rows_can_be_set_aside() {
    let content = b"id,n\n1,2\n2,three\n3,4,5\n4,5\n\"5,6\n";
    let case = csv("csv", content, "types = { n = 'int64' }, broken-rows = 'quarantine'");
    assert_eq!(loads(&case).lines().collect::<Vec<_>>(), ["id,n", "1,2", "4,5"]);
    let project = case.project();
    project.sluicebox(&["run", "pipeline.toml"]).with_code(0);
    let shown = project.sluicebox(&["quarantine", "show", "last"]).with_code(0).stdout;
    for part in ["rows.csv:3", "three", "rows.csv:4", "3,4,5", "rows.csv:6", "never closed"] {
        assert!(shown.contains(part), "`{part}` is not shown: {shown}");
    }
}
