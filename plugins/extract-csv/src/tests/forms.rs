//! Forms of files: quotes, line ends, headers, broken records, several files.

use super::{Folder, read};
use std::io::Write;

#[track_caller]
fn lines(content: impl AsRef<[u8]>, json: &str) -> Vec<String> {
    read(content, json).unwrap().lines()
}

#[track_caller]
fn fault(content: impl AsRef<[u8]>, json: &str) -> String {
    match read(content, json) {
        Ok(read) => panic!("no fault but {:?}", read.lines()),
        Err(message) => message,
    }
}

#[test]
fn plain_files() {
    assert_eq!(lines("a,b\n1,x\n2,y\n", "{}"), ["1|x", "2|y"]);
    assert_eq!(lines("a,b\r\n1,x\r\n2,\r\n", "{}"), ["1|x", "2|-"]);
    assert_eq!(lines("a,b\n1,x\n2,y", "{}"), ["1|x", "2|y"]);
    assert_eq!(lines("\u{feff}a,b\n1,x\n", "{}"), ["1|x"]);
    assert_eq!(read("\u{feff}a,b\n1,x\n", "{}").unwrap().schema, "a: int64, b: utf8");
    assert_eq!(lines("a,b\n\n1,x\n\r\n\n2,y\n\n", "{}"), ["1|x", "2|y"]);
    assert_eq!(lines("a\n\n1\n\n2\n", "{}"), ["1", "2"]);
    assert_eq!(lines("a,b\n1,x\0y\n", "{}"), ["1|x\0y"]);
    assert_eq!(lines("a;b\n1;x,y\n", r#"{"delimiter":";"}"#), ["1|x,y"]);
    assert_eq!(lines("a\tb\n1\tx,y\n", r#"{"delimiter":"tab"}"#), ["1|x,y"]);
    assert_eq!(lines("α,β\nä,ö€𝄞\n", "{}"), ["ä|ö€𝄞"]);
}

#[test]
fn quotes() {
    assert_eq!(lines("a,b\n\"1\",\"x,\ny\"\"z\"\n\"2\",\"\"\n,\n", "{}"), ["1|x,\ny\"z", "2|", "-|-"]);
    assert_eq!(lines("a,b\n1,5\" pipe\n2,\"q\"\n", "{}"), ["1|5\" pipe", "2|q"]);
    assert_eq!(lines("a,b\n1,\"x\"\r\n2,\"y\r\n\"\r\n", "{}"), ["1|x", "2|y\r\n"]);
    assert_eq!(lines("\"a,1\",\"b\nc\"\n1,2\n", "{}"), ["1|2"]);
    assert_eq!(lines("a,b\n1,\"x\"\n", r#"{"quote":"none"}"#), ["1|\"x\""]);
    assert_eq!(lines("a,b\n1,'x,y'\n", r#"{"quote":"'"}"#), ["1|x,y"]);
    assert_eq!(lines("a,b\n1,\"x\\\"y\\\\\"\n", r#"{"escape":"\\"}"#), ["1|x\"y\\"]);
    assert_eq!(lines("a,b\n \"1\" , \" x\" \n 2,y z \n", r#"{"trim":true}"#), ["1| x", "2|y z"]);
    assert_eq!(lines("a,b\n1, x \n", "{}"), ["1| x "]);
    // Null only where it is not quoted, in text.
    assert_eq!(lines("a,b\n\"NA\",\"NA\"\nNA,NA\n\"\",\"\"\n3,z\n", "{}"), ["-|NA", "-|-", "-|", "3|z"]);
}

#[test]
fn comments_and_rows_to_skip() {
    assert_eq!(lines("# made by \"x\na,b\n#1,2\n1,x#y\n# end", r##"{"comment":"#"}"##), ["1|x#y"]);
    assert_eq!(lines("Report \"7\nof today\na,b\n1,x\n", r#"{"skip-rows":2}"#), ["1|x"]);
    assert_eq!(
        fault("junk\n\na,b\n1,x,y\n", r#"{"skip-rows":2}"#),
        "DIR/x.csv:4: 3 fields where there should be 2; to set such records aside, write broken-rows = \"quarantine\""
    );
}

#[test]
fn headers_and_names() {
    let schema = |content: &str, json: &str| read(content, json).unwrap().schema;
    assert_eq!(schema("1,x\n", r#"{"header":false}"#), "column_1: int64, column_2: utf8");
    assert_eq!(schema("1,x\n", r#"{"header":false,"names":["n","s"]}"#), "n: int64, s: utf8");
    assert_eq!(schema("a,b\n1,x\n", r#"{"names":["n","s"]}"#), "n: int64, s: utf8");
    assert_eq!(schema(",b\n1,x\n", "{}"), "column_1: int64, b: utf8");
    assert_eq!(schema("a,b\n", "{}"), "a: utf8, b: utf8");
    assert_eq!(schema("a,b", "{}"), "a: utf8, b: utf8");
    assert_eq!(schema("", r#"{"names":["n","s"],"types":{"n":"int8"}}"#), "n: int8, s: utf8");
    assert_eq!(schema("a,b,c\n1,2.5,x\n", r#"{"columns":["c","a"]}"#), "c: utf8, a: int64");
    assert_eq!(lines("a,b,c\n1,2.5,x\n", r#"{"columns":["c","a"]}"#), ["x|1"]);
    assert_eq!(lines("a,b,c\n1,2.5,\n", r#"{"columns":["c"]}"#), ["-"]);

    assert_eq!(fault("", "{}"), "DIR/x.csv is empty: it has no header that names the columns; give `names`");
    assert_eq!(fault("a,b,a\n1,2,3\n", "{}"), "DIR/x.csv: the header names \"a\" twice; give other names by `names`");
    assert_eq!(fault("a,b\n1,2\n", r#"{"names":["a"]}"#), "`names` names 1 columns, and DIR/x.csv:1 has 2 fields");
    assert_eq!(
        fault("a,b\n1,2\n", r#"{"columns":["c"]}"#),
        "`columns`: DIR/x.csv has no column \"c\"; it has \"a\", \"b\""
    );
    assert_eq!(
        fault("a,b\n1,2\n", r#"{"types":{"c":"utf8"}}"#),
        "`types`: DIR/x.csv has no column \"c\"; it has \"a\", \"b\""
    );
    assert_eq!(
        fault("a,b\r1,2\r", "{}"),
        "DIR/x.csv:1: lines end with a carriage return alone, as on old Macs; convert them first"
    );
    assert_eq!(fault([0xff, 0xfe, b'a', 0], "{}"), "DIR/x.csv is UTF-16; convert it to UTF-8 first");
    assert_eq!(fault([b'a', 0xff, b'\n'], "{}"), "DIR/x.csv:1: field 1 is not UTF-8; convert the file first");
}

#[test]
fn options_that_cannot_be() {
    let message = |json: &str| fault("a\n1\n", json);
    assert_eq!(message(r#"{"delimiter":"::"}"#), "`delimiter` is one ASCII character and no line end, not \"::\"");
    assert_eq!(
        message(r#"{"delimiter":"\""}"#),
        "`delimiter`, `quote`, `escape` and `comment` have to differ, and '\"' is two of them"
    );
    assert_eq!(
        message(r#"{"escape":"\\","quote":"none"}"#),
        "`escape` works within quotes only, and `quote` is \"none\"; leave one out"
    );
    assert_eq!(message(r#"{"batch-rows":0}"#), "`batch-rows` is 1 to 1048576, not 0");
    assert_eq!(message(r#"{"columns":["a","a"]}"#), "`columns`: \"a\" stands twice");
    assert!(
        message(r#"{"types":{"a":"int"}}"#)
            .starts_with("`types`: column \"a\": \"int\" is no type; write int64; the types are")
    );
    assert!(message(r#"{"colums":["a"]}"#).contains("unknown field `colums`"));
    assert_eq!(
        message(r#"{"file-column":"a"}"#),
        "`file-column`: there is a column \"a\" already; choose another name"
    );
}

#[test]
fn broken_records_fail_at_the_first() {
    let hint = "; to set such records aside, write broken-rows = \"quarantine\"";
    assert_eq!(
        fault("a,b\n1,x\n\"2\n3\",y\n4\n5,\n", r#"{"types":{"a":"utf8"}}"#),
        format!("DIR/x.csv:5: 1 field where there should be 2{hint}")
    );
    assert_eq!(
        fault("a,b\n1,x\n2,\"y\"z\n", "{}"),
        format!("DIR/x.csv:3: column \"b\": something stands behind the closing quote{hint}")
    );
    assert_eq!(
        fault("a,b\n1,x\n2,\"y\nz\n", "{}"),
        format!("DIR/x.csv:3: a quote is opened here and never closed{hint}")
    );
    assert_eq!(fault(b"a,b\n1,x\n2,\xff\n3,\xc3\xa4\n", "{}"), format!("DIR/x.csv:3: it is not UTF-8{hint}"));
    // The earlier of two, whatever their kind.
    assert_eq!(
        fault("a,b\n1,x\nz,y\n4\n", r#"{"types":{"a":"int64"}}"#),
        format!(
            "DIR/x.csv:3: column \"a\": \"z\" is no int64; if it stands for null, add it to `null`, else write another type for a in `types`{hint}"
        )
    );
}

#[test]
fn broken_records_are_set_aside() {
    let content =
        b"a,b\r\n1,x\r\n2\r\n3,y,\r\n\"4\n4\",z\r\nx,6\r\n7,\"q\"q\r\n8,\xff\r\n9,nine\r\n10,\"open\r\n11,eleven\r\n";
    let read = read(content, r#"{"broken-rows":"quarantine","types":{"a":"int64"}}"#).unwrap();
    assert_eq!(read.lines(), ["1|x", "9|nine", "11|eleven"]);
    let aside: Vec<String> =
        read.quarantined.iter().map(|bad| format!("{} [{}] {}", bad.origin, bad.content, bad.reason)).collect();
    assert_eq!(
        aside,
        [
            "DIR/x.csv:3 [2] 1 field where there should be 2",
            "DIR/x.csv:4 [3,y,] 3 fields where there should be 2",
            "DIR/x.csv:5 [\"4\n4\",z] column \"a\": \"4\\n4\" is no int64",
            "DIR/x.csv:7 [x,6] column \"a\": \"x\" is no int64",
            "DIR/x.csv:8 [7,\"q\"q] column \"b\": something stands behind the closing quote",
            "DIR/x.csv:9 [8,\u{fffd}] it is not UTF-8",
            "DIR/x.csv:11 [10,\"open] a quote is opened here and never closed",
        ]
    );
}

#[test]
fn records_that_are_too_long() {
    let content = format!("a,b\n1,{}\n", "x".repeat(200));
    assert_eq!(
        fault(&content, r#"{"max-record-bytes":100}"#),
        "DIR/x.csv:2: the record is longer than 100 bytes; raise `max-record-bytes` if it is meant to be so long"
    );
    assert_eq!(lines(&content, r#"{"max-record-bytes":203}"#).len(), 1);
    let content = format!("a,b\n1,x\n2,\"{}\n", "x\n".repeat(200));
    assert_eq!(
        fault(&content, r#"{"max-record-bytes":100}"#),
        "DIR/x.csv:3: the record is longer than 100 bytes; a quote opened in line 3 is still open: is it to be closed, or is \
         `quote = \"none\"` meant?"
    );
    let long = "é".repeat(600_000);
    assert_eq!(
        super::Folder::with(&[("x.csv", format!("a\n{long}\n").as_bytes())])
            .read(r#"{"path":"DIR/x.csv"}"#)
            .unwrap()
            .lines(),
        [long]
    );
}

#[test]
fn several_files() {
    let gz = {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(b"b,a\ny,2\n").unwrap();
        writer.finish().unwrap()
    };
    let folder = Folder::with(&[
        ("d/1.csv", b"a,b\n1,x\n"),
        ("d/2.csv.gz", &gz),
        ("d/3.csv", b""),
        ("d/4.csv", b"a,b\n"),
        ("d/5.csv", b"a,b\n5,z\n6,w"),
        ("other.csv", b"a,c,d\n1,2,3\n"),
    ]);
    let json = r#"{"path":"DIR/d/*","file-column":"file","batch-rows":2}"#;
    let read = folder.read(json).unwrap();
    let root = folder.root().to_str().unwrap();
    let lines: Vec<String> = read.lines().iter().map(|line| line.replace(root, "DIR")).collect();
    assert_eq!(read.schema, "a: int64, b: utf8, file: utf8 not null");
    assert_eq!(lines, ["1|x|DIR/d/1.csv", "2|y|DIR/d/2.csv.gz", "5|z|DIR/d/5.csv", "6|w|DIR/d/5.csv"]);
    for at_most in [1, 2, 3, 9] {
        let (splits, rows) = folder.read_split(json, at_most).unwrap();
        assert!((1..=at_most as usize).contains(&splits));
        assert_eq!(rows, read.rows);
    }
    assert_eq!(
        folder.read(r#"{"path":["DIR/d/1.csv","DIR/other.csv"]}"#).map(|_| ()),
        Err("DIR/other.csv has not the columns of DIR/d/1.csv: it lacks \"b\" and has \"c\", \"d\" besides; read files of \
             another form in a stage of their own"
            .into())
    );
    assert!(folder.read(r#"{"path":"DIR/e/*.csv"}"#).map(|_| ()).unwrap_err().ends_with("there is no folder DIR/e"));
}

#[test]
fn batches_have_their_rows() {
    let content: String = std::iter::once("n,s\n".to_owned()).chain((0..1000).map(|i| format!("{i},s{i}\n"))).collect();
    for batch_rows in [1, 7, 64, 1000, 5000] {
        let lines = lines(&content, &format!(r#"{{"batch-rows":{batch_rows}}}"#));
        assert_eq!(lines.len(), 1000);
        assert!(lines.iter().enumerate().all(|(i, line)| *line == format!("{i}|s{i}")));
    }
}
