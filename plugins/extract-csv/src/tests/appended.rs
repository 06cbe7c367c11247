//! `incremental = "appended"`.

use super::runs::Job;
use proptest::prelude::*;

fn job() -> Job {
    let mut job = Job::new(r#"{"path":"DIR/x.csv","incremental":"appended"}"#);
    job.write("x.csv", "a,b\n1,x\n2,y\n");
    job
}

fn loaded() -> Job {
    let mut job = job();
    assert_eq!(job.run().unwrap().rows, ["1|x", "2|y"]);
    job
}

#[test]
fn lines_are_read_once_and_only_when_they_are_whole() {
    let mut job = loaded();
    let nothing = job.run().unwrap();
    assert_eq!((nothing.pages, nothing.moved, nothing.schema.as_str()), (0, false, "a: int64, b: utf8"));
    job.append("x.csv", "3,z\n4,");
    assert_eq!(job.run().unwrap().rows, ["3|z"]);
    job.append("x.csv", "w");
    assert_eq!(job.run().unwrap().pages, 0);
    job.append("x.csv", "\r\n\n5,\"two\nlines\"\n6,\"two\nli");
    assert_eq!(job.run().unwrap().rows, ["4|w", "5|two\nlines"]);
    let run = job.run().unwrap();
    assert_eq!(run.pages, 0);
    assert_eq!(
        run.warnings,
        ["DIR/x.csv:9: the rest of the file is not read yet: a quote opened in line 9 is not closed"]
    );
    job.append("x.csv", "nes\"\n");
    assert_eq!(job.run().unwrap().rows, ["6|two\nlines"]);
}

#[test]
fn lines_that_give_no_rows_count_as_read() {
    let mut job = job();
    job.json = r##"{"path":"DIR/x.csv","incremental":"appended","broken-rows":"quarantine","comment":"#"}"##.into();
    assert_eq!(job.run().unwrap().rows.len(), 2);
    job.append("x.csv", "nonsense\n");
    let run = job.run().unwrap();
    assert_eq!((run.rows.len(), run.pages, run.aside, run.moved), (0, 1, 1, true));
    job.append("x.csv", "# a comment\n\n");
    let run = job.run().unwrap();
    assert_eq!((run.pages, run.moved), (1, true));
    assert_eq!(job.run().unwrap().pages, 0);
}

#[test]
fn places_are_those_of_the_file() {
    let mut job = loaded();
    job.append("x.csv", "3,z\nx,y\n");
    assert!(job.run().unwrap_err().starts_with("DIR/x.csv:5: column \"a\": \"x\" is no int64"));
}

#[test]
fn rotation_and_truncation_are_noticed() {
    let mut job = loaded();
    job.rename("x.csv", "x.csv.1");
    job.write("x.csv", "b,a\nq,3\n");
    let run = job.run().unwrap();
    assert_eq!(run.rows, ["3|q"]);
    let lost = "it is read from its start, and lines that the old file got after the last run are lost";
    assert_eq!(
        run.warnings,
        [format!(
            "DIR/x.csv was rotated or truncated: it has 8 bytes, and 12 were read in earlier runs; {lost}; to have them read too, say \
             what the file is called then, e.g. rotated = \"DIR/x.csv.1\""
        )]
    );
    assert_eq!(job.run().unwrap().pages, 0);
    job.write("x.csv", "b,a\nr,4\nlonger,5\n");
    let run = job.run().unwrap();
    assert_eq!(run.rows, ["4|r", "5|longer"]);
    assert!(run.warnings[0].starts_with(
        "DIR/x.csv was rotated or replaced: the bytes before byte 8 are not those that were read; it is read from its start"
    ));
    // The first bytes matter too.
    let long = format!("a,b\n{}", "1,0123456789\n".repeat(10_000));
    job.write("x.csv", &long);
    assert_eq!(job.run().unwrap().rows.len(), 10_000);
    job.write("x.csv", long.replacen('1', "2", 1));
    assert_eq!(job.run().unwrap().rows.len(), 10_000);
    // Empty for now: told until something is there.
    job.write("x.csv", "");
    for _ in 0..2 {
        let run = job.run().unwrap();
        assert_eq!((run.pages, run.moved, run.warnings.len()), (0, false, 1));
    }
    job.write("x.csv", "a,b\n7,z\n");
    assert_eq!(job.run().unwrap().rows, ["7|z"]);
    assert_eq!(job.run().unwrap().warnings, [""; 0]);
}

#[test]
fn the_rest_of_a_rotated_file_is_read_first() {
    let mut job = loaded();
    job.json = r#"{"path":"DIR/x.csv","incremental":"appended","rotated":"DIR/x.csv.*","file-column":"f"}"#.into();
    job.append("x.csv", "3,z\n");
    job.rename("x.csv", "x.csv.2");
    job.write("x.csv", "a,b\n4,z\n");
    job.rename("x.csv", "x.csv.1");
    job.write("x.csv", "a,b\n5,z\n");
    job.write("x.csv.7", "a,b\n5,of another time\n");
    std::fs::rename(job.path("x.csv.7"), job.path("other")).unwrap();
    let run = job.run().unwrap();
    let rows: Vec<String> =
        run.rows.iter().map(|row| row.replace(job.folder.root().to_str().unwrap(), "DIR")).collect();
    assert_eq!(rows, ["3|z|DIR/x.csv.2", "4|z|DIR/x.csv.1", "5|z|DIR/x.csv"]);
    assert_eq!(
        run.warnings,
        [
            "DIR/x.csv was rotated or truncated: it has 8 bytes, and 12 were read in earlier runs; the rest of DIR/x.csv.2, \
          DIR/x.csv.1 is read before it"
        ]
    );
    assert_eq!(job.run().unwrap().pages, 0);
    job.write("x.csv", "a,b\n");
    std::fs::remove_file(job.path("x.csv.1")).unwrap();
    assert!(job.run().unwrap().warnings[0].ends_with("does not find the old file"));
}

#[test]
fn what_cannot_be_read_so_is_told() {
    let mut job = loaded();
    job.write("y.csv", "a,b\n");
    job.json = r#"{"path":"DIR/*.csv","incremental":"appended"}"#.into();
    assert!(
        job.run().unwrap_err().starts_with("incremental = \"appended\" reads one file, and DIR/*.csv finds several")
    );
    job.json = r#"{"path":"DIR/y.csv","incremental":"appended"}"#.into();
    assert_eq!(
        job.run().unwrap_err(),
        "the bookmark is of DIR/x.csv, and `path` is DIR/y.csv; to read that from its start: `sluicebox bookmarks reset test stage`"
    );
    job.json = r#"{"path":"DIR/x.csv","incremental":"appended","compression":"gzip"}"#.into();
    assert!(job.run().unwrap_err().starts_with("incremental = \"appended\" cannot read compressed files"));
    job.json = r#"{"path":"DIR/x.csv","rotated":"x"}"#.into();
    assert!(job.run().unwrap_err().starts_with("`rotated` works with incremental = \"appended\" only"));
    job.json = r#"{"path":"DIR/x.csv","incremental":"appended"}"#.into();
    std::fs::remove_file(job.path("x.csv")).unwrap();
    assert!(job.run().unwrap_err().contains("if it is just being rotated, trying again helps"));
    job.bookmark = None;
    job.write("x.csv", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    assert!(job.run().unwrap_err().contains("is compressed, and incremental = \"appended\" reads plain files only"));
}

/// What happens to the file.
#[derive(Debug, Clone)]
enum Event {
    /// rows are written, the last of them up to this part of 8 of its bytes; it is completed with the next event
    Append(Vec<(u16, String)>, usize),
    Rotate,
    CopyAndTruncate,
    Run {
        block: usize,
        split: bool,
    },
    /// a run that is ended after some pages; the next goes on where they ended
    Pages(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let text = prop_oneof![4 => "[a-z]{0,9}", 1 => "[a-z\n,\"]{0,9}", 1 => "[a-z]{70,90}"];
    prop_oneof![
        5 => (proptest::collection::vec((any::<u16>(), text), 0..6), 0_usize..=8).prop_map(|(rows, part)| Event::Append(rows, part)),
        1 => Just(Event::Rotate),
        1 => Just(Event::CopyAndTruncate),
        4 => (1_usize..300, any::<bool>()).prop_map(|(block, split)| Event::Run { block, split }),
        2 => (0_usize..4).prop_map(Event::Pages),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever happens between runs, every row is read exactly once and in order.
    #[test]
    fn every_row_is_read_exactly_once(events in proptest::collection::vec(event(), 1..25)) {
        let mut job = Job::new(
            r#"{"path":"DIR/x.csv","incremental":"appended","rotated":"DIR/x.csv.*","batch-rows":3,"null":[],
                "types":{"n":"int64","a":"uint16","b":"utf8"}}"#,
        );
        job.write("x.csv", "n,a,b\n0,0,\n");
        let (mut written, mut read) = (vec!["0|0|".to_owned()], job.run().unwrap().rows);
        let mut rest = String::new();
        let mut rotations = 0;
        for event in events.into_iter().chain([Event::Append(Vec::new(), 8), Event::Run { block: 1000, split: false }]) {
            if !matches!(event, Event::Run { .. } | Event::Pages(_)) {
                job.append("x.csv", std::mem::take(&mut rest));
            }
            match event {
                Event::Append(rows, part) => {
                    let mut text = String::new();
                    let mut last = 0;
                    for (a, b) in rows {
                        last = text.len();
                        let n = written.len();
                        text.push_str(&format!("{n},{a},\"{}\"\n", b.replace('"', "\"\"")));
                        written.push(format!("{n}|{a}|{b}"));
                    }
                    let cut = last + (text.len() - last) * part / 8;
                    rest = text.split_off(cut);
                    job.append("x.csv", text);
                }
                Event::Rotate => {
                    job.rename("x.csv", &format!("x.csv.{rotations}"));
                    rotations += 1;
                    job.write("x.csv", "n,a,b\n");
                }
                Event::CopyAndTruncate => {
                    let content = std::fs::read(job.path("x.csv")).unwrap();
                    job.write(&format!("x.csv.{rotations}"), content);
                    rotations += 1;
                    job.write("x.csv", "n,a,b\n");
                }
                Event::Run { block, split } => {
                    job.block = block;
                    let run = if split { job.run_split(3) } else { job.run() };
                    read.extend(run.unwrap().rows);
                }
                Event::Pages(pages) => read.extend(job.run_pages(pages).unwrap().rows),
            }
        }
        prop_assert_eq!(read, written);
    }
}
