//! Runs one after another, each from the bookmark of the one before.

use super::cells;
use crate::{ExtractJsonl, Options};
use proptest::prelude::*;
use sluicebox_stage::testing::{context, options, report};
use sluicebox_stage::{Extract, Fault, Level, SplitExtract};
use std::time::{Duration, SystemTime};

struct Job {
    dir: tempfile::TempDir,
    json: &'static str,
    bookmark: Option<String>,
    now: u64,
}

#[derive(Debug, PartialEq)]
struct Run {
    schema: String,
    rows: Vec<String>,
    pages: usize,
    warnings: Vec<String>,
}

impl Job {
    fn new(json: &'static str) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), json, bookmark: None, now: 1_700_000_000 }
    }

    fn root(&self) -> &str {
        self.dir.path().to_str().unwrap()
    }

    fn append(&mut self, name: &str, content: &str) {
        let path = self.dir.path().join(name);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, before + content).unwrap();
        self.now += 1;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.now);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.dir.path().join(from), self.dir.path().join(to)).unwrap();
    }

    fn run(&mut self, split: bool) -> Result<Run, String> {
        let _ = report();
        let parse = || options::<Options>(&self.json.replace("DIR", self.root()));
        let run = || {
            let bookmark = self.bookmark.as_deref();
            let (mut stages, schema, mut last) = if split {
                let plan = ExtractJsonl::split(&context(), parse()?, bookmark, 3)?;
                let open = |split: &String| Ok(ExtractJsonl::open_split(&context(), parse()?, split)?.0);
                (plan.splits.iter().map(open).collect::<Result<Vec<_>, Fault>>()?, plan.schema, plan.bookmark)
            } else {
                let (stage, schema) = ExtractJsonl::open(&context(), parse()?, bookmark)?;
                (vec![stage], schema, None)
            };
            let mut run = Run { schema: schema.to_string(), rows: Vec::new(), pages: 0, warnings: Vec::new() };
            for stage in &mut stages {
                while let Some(page) = stage.next()? {
                    run.pages += 1;
                    let text = |cell: Option<String>| cell.unwrap_or("-".into());
                    let row = |row: Vec<Option<String>>| row.into_iter().map(text).collect::<Vec<_>>().join("|");
                    run.rows.extend(cells(&page.batch).into_iter().map(row));
                    last = page.bookmark.or(last);
                }
            }
            Ok((run, last))
        };
        let (mut run, last) = run().map_err(|fault: Fault| fault.message.replace(self.root(), "DIR"))?;
        let warnings = report().log.into_iter().filter(|(level, _)| *level >= Level::Warn);
        run.warnings = warnings.map(|(_, line)| line.replace(self.root(), "DIR")).collect();
        self.bookmark = last.or(self.bookmark.take());
        Ok(run)
    }
}

#[test]
fn new_files_are_read_once() {
    let mut job = Job::new(r#"{"path":"DIR/*.jsonl","incremental":"new-files"}"#);
    job.append("1.jsonl", "{\"a\":1,\"b\":\"x\"}\n");
    assert_eq!(job.run(false).unwrap().rows, ["1|x"]);
    let nothing = job.run(true).unwrap();
    assert_eq!((nothing.pages, nothing.schema.as_str()), (0, "a: int64, b: utf8"));
    // Types and columns stay: a key that is missing is null, a new one is told of.
    job.append("2.jsonl", "{\"b\":7,\"c\":1}\n");
    let run = job.run(false).unwrap();
    assert_eq!((run.schema.as_str(), run.rows), ("a: int64, b: utf8", vec!["-|7".into()]));
    assert!(run.warnings[0].starts_with("DIR/2.jsonl:1: the key \"c\" is not read"), "{:?}", run.warnings);
    job.append("3.jsonl", "{\"a\":\"x\"}\n");
    assert!(job.run(false).unwrap_err().contains("column \"a\": the text \"x\" is no int64"));
    job.json = r#"{"path":"DIR/*.jsonl","incremental":"new-files","types":{"a":"utf8","c":"int32"}}"#;
    let run = job.run(true).unwrap();
    assert_eq!((run.schema.as_str(), run.rows), ("a: utf8, b: utf8, c: int32", vec!["x|-|-".into()]));
    job.json = r#"{"path":"DIR/*.jsonl","incremental":"new-files","columns":{"b":"b","d":"c"}}"#;
    job.append("4.jsonl", "{\"b\":1,\"c\":2.5}\n");
    let run = job.run(false).unwrap();
    assert_eq!((run.schema.as_str(), run.rows), ("b: utf8, d: float64", vec!["1|2.5".into()]));
}

#[test]
fn added_lines_are_read_once() {
    let mut job = Job::new(r#"{"path":"DIR/x.jsonl","incremental":"appended"}"#);
    job.append("x.jsonl", "\u{feff}{\"a\":1}\n{\"a\":2}");
    assert_eq!(job.run(false).unwrap().rows, ["1"]);
    assert_eq!(job.run(false).unwrap().pages, 0);
    job.append("x.jsonl", "\n{\"a\":3}\r\n\n");
    assert_eq!(job.run(true).unwrap().rows, ["2", "3"]);
    assert_eq!(job.run(false).unwrap().pages, 0);
    job.append("x.jsonl", "{\"a\":\n");
    assert!(job.run(false).unwrap_err().starts_with("DIR/x.jsonl:5: at byte 6"));
    job.bookmark = Some("{\"version\":1}".into());
    assert!(job.run(false).unwrap_err().contains("sluicebox bookmarks reset test stage"));
}

#[test]
fn nothing_is_kept_before_the_first_line() {
    let mut job = Job::new(r#"{"path":"DIR/x.jsonl","incremental":"appended","types":{"a":"int64"}}"#);
    job.append("x.jsonl", "{\"a\":1");
    assert_eq!(job.run(false).unwrap().pages, 0);
    assert_eq!(job.bookmark, None);
    job.append("x.jsonl", "}\n");
    assert_eq!(job.run(false).unwrap().rows, ["1"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Lines are written in pieces, the file is rotated, and runs come when they come: each line is read once, in order.
    #[test]
    fn every_line_is_read_exactly_once(events in proptest::collection::vec((0_u8..5, 0_usize..40, any::<bool>()), 1..30)) {
        let mut job = Job::new(
            r#"{"path":"DIR/x.jsonl","incremental":"appended","rotated":"DIR/x.jsonl.*","types":{"n":"int64"},"batch-rows":4}"#,
        );
        job.append("x.jsonl", "{\"n\":0}\n");
        let mut read = job.run(false).unwrap().rows;
        let (mut written, mut rest, mut rotations) = (1, String::new(), 0);
        for (event, count, split) in events.into_iter().chain([(2, 1, false), (0, 0, false)]) {
            match event {
                0 | 1 => read.extend(job.run(split).unwrap().rows),
                2 | 3 => {
                    let text: String = (0..count).map(|i| format!("{{\"n\":{}}}\n", written + i)).collect();
                    written += count;
                    let text = std::mem::take(&mut rest) + &text;
                    let cut = if split { text.len() * 2 / 3 } else { text.len() };
                    job.append("x.jsonl", &text[..cut]);
                    rest = text[cut..].to_owned();
                }
                _ => {
                    job.append("x.jsonl", &std::mem::take(&mut rest));
                    job.rename("x.jsonl", &format!("x.jsonl.{rotations}"));
                    rotations += 1;
                    job.append("x.jsonl", "");
                }
            }
        }
        prop_assert_eq!(read, (0..written).map(|n| n.to_string()).collect::<Vec<_>>());
    }
}
