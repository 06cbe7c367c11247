//! `incremental = "new-files"`.

use super::runs::Job;
use sluicebox_stage::testing::context;

fn job() -> Job {
    let mut job = Job::new(r#"{"path":"DIR/*.csv","incremental":"new-files"}"#);
    job.write("1.csv", "a,b\n1,x\n2,y\n");
    job.write("2.csv", "a,b\n3,z\n");
    job
}

/// A job that has run once.
fn loaded() -> Job {
    let mut job = job();
    let run = job.run().unwrap();
    assert_eq!((run.rows.len(), run.moved), (3, true));
    job
}

#[test]
fn files_are_read_once() {
    let mut job = job();
    let first = job.run().unwrap();
    assert_eq!(first.schema, "a: int64, b: utf8");
    assert_eq!(first.rows, ["1|x", "2|y", "3|z"]);
    let nothing = job.run().unwrap();
    assert_eq!((nothing.pages, nothing.moved, nothing.schema.as_str()), (0, false, "a: int64, b: utf8"));
    job.write("3.csv", "a,b\n4,w\n");
    assert_eq!(job.run().unwrap().rows, ["4|w"]);
    assert_eq!(job.run().unwrap().pages, 0);
}

#[test]
fn a_file_that_was_only_touched_is_not_read_again() {
    let mut job = loaded();
    job.touch("1.csv");
    let run = job.run().unwrap();
    assert_eq!((run.rows.len(), run.pages, run.moved, run.warnings.len()), (0, 1, true, 0));
    // Now its new time is known.
    assert_eq!(job.run().unwrap().pages, 0);
}

#[test]
fn a_file_that_was_changed_is_read_again_as_a_whole() {
    let mut job = loaded();
    job.append("1.csv", "5,v\n");
    let run = job.run().unwrap();
    assert_eq!(run.rows, ["1|x", "2|y", "5|v"]);
    assert_eq!(
        run.warnings,
        [
            "DIR/1.csv has changed since it was loaded (12 bytes then, 16 now): it is read again as a whole, and what was loaded of it \
          before stays loaded"
        ]
    );
    job.write("1.csv", "a,b\n9,x\n2,y\n5,v\n");
    let run = job.run().unwrap();
    assert_eq!(run.rows, ["9|x", "2|y", "5|v"]);
    assert!(run.warnings[0].starts_with("DIR/1.csv has changed since it was loaded (16 bytes then, 16 now)"));
    assert_eq!(job.run().unwrap().pages, 0);
}

#[test]
fn files_may_vanish_and_come_back() {
    let mut job = loaded();
    let content = std::fs::read(job.path("2.csv")).unwrap();
    for name in ["1.csv", "2.csv"] {
        std::fs::remove_file(job.path(name)).unwrap();
    }
    let nothing = job.run().unwrap();
    assert_eq!((nothing.pages, nothing.schema.as_str()), (0, "a: int64, b: utf8"));
    job.write("3.csv", "a,b\n4,w\n");
    assert_eq!(job.run().unwrap().rows, ["4|w"]);
    job.write("2.csv", content);
    assert_eq!(job.run().unwrap().rows, [""; 0]);
}

#[test]
fn columns_and_types_are_those_of_the_first_run() {
    let mut job = loaded();
    // All values would be text, and the columns stand in another order.
    job.write("3.csv", "b,a\n7,\n");
    assert_eq!(job.run().unwrap().rows, ["-|7"]);
    job.write("4.csv", "a,c,b\n8,new,q\n9,new,r\n");
    job.write("5.csv", "a,c,b\n10,new,s\n");
    let run = job.run().unwrap();
    assert_eq!((run.schema.as_str(), run.rows), ("a: int64, b: utf8", vec!["8|q".into(), "9|r".into(), "10|s".into()]));
    assert_eq!(
        run.warnings,
        [
            "DIR/4.csv has \"c\" besides the columns of DIR/1.csv, which is not read; to read it, name all columns that are wanted in \
          `columns`, or begin anew: `sluicebox bookmarks reset test stage`"
        ]
    );
    job.write("6.csv", "a,c\n8,new\n");
    assert_eq!(
        job.run().unwrap_err(),
        "DIR/6.csv lacks \"b\", which DIR/1.csv has; if that is meant to be, name the columns that are to be read in `columns`, or, \
         to begin anew with other columns: `sluicebox bookmarks reset test stage`"
    );
    job.json = r#"{"path":"DIR/*.csv","incremental":"new-files","columns":["c","a"]}"#.into();
    let run = job.run().unwrap();
    assert_eq!((run.schema.as_str(), run.rows), ("c: utf8, a: int64", vec!["new|8".into()]));
    job.write("7.csv", "a,c\n1.5,x\n");
    assert!(job.run().unwrap_err().contains("\"1.5\" is no int64"));
    job.json = r#"{"path":"DIR/*.csv","incremental":"new-files","columns":["c","a"],"types":{"a":"float64"}}"#.into();
    let run = job.run().unwrap();
    assert_eq!((run.schema.as_str(), run.rows), ("c: utf8, a: float64", vec!["x|1.5".into()]));
}

#[test]
fn broken_records_and_empty_files_count_as_read() {
    let mut job = loaded();
    job.json = r#"{"path":"DIR/*.csv","incremental":"new-files","broken-rows":"quarantine"}"#.into();
    job.write("3.csv", "a,b\nx,1\n1\n");
    job.write("4.csv", "");
    job.write("5.csv", "a,b\n");
    let run = job.run().unwrap();
    assert_eq!((run.rows.len(), run.pages, run.aside, run.moved), (0, 1, 2, true));
    assert_eq!(job.run().unwrap().pages, 0);
}

#[test]
fn the_bookmark_comes_with_the_end_only() {
    let mut job = Job::new(r#"{"path":"DIR/*.csv","incremental":"new-files","batch-rows":2}"#);
    job.write("1.csv", "a\n1\n2\n3\n4\n");
    assert!(!job.run_pages(1).unwrap().moved);
    assert!(!job.run_pages(2).unwrap().moved);
    let run = job.run().unwrap();
    assert_eq!((run.rows.len(), run.pages, run.moved), (4, 3, true));
    assert_eq!(job.run().unwrap().pages, 0);
}

#[test]
fn splits_are_as_the_whole() {
    let (mut whole, mut split) = (job(), job());
    for at_most in [1, 2, 3] {
        let (a, b) = (whole.run().unwrap(), split.run_split(at_most).unwrap());
        assert_eq!((&a.schema, &a.rows, &a.warnings, a.moved), (&b.schema, &b.rows, &b.warnings, b.moved));
        let root = |job: &Job| job.bookmark.clone().unwrap().replace(job.folder.root().to_str().unwrap(), "DIR");
        assert_eq!(root(&whole), root(&split));
        for job in [&mut whole, &mut split] {
            job.touch("1.csv");
            job.write(&format!("new-{at_most}.csv"), format!("a,b\n{at_most},q\n"));
            job.append("2.csv", "0,o\n");
        }
    }
    let _ = split.run_split(2).unwrap();
    let run = split.run_split(2).unwrap();
    assert_eq!((run.pages, run.moved), (0, false));
}

#[test]
fn a_split_whose_file_changes_is_refused() {
    use sluicebox_stage::{Extract, FaultKind, SplitExtract};
    let mut job = job();
    let options = || sluicebox_stage::testing::options(&job.folder.json(&job.json)).unwrap();
    let plan = crate::ExtractCsv::split(&context(), options(), None, 1).unwrap();
    let read = |split: &str| {
        let (mut stage, _) = crate::ExtractCsv::open_split(&context(), options(), split)?;
        let mut rows = 0;
        while let Some(page) = stage.next()? {
            rows += page.batch.rows();
        }
        Ok::<_, sluicebox_stage::Fault>(rows)
    };
    // What is added does not matter: it is the next run's.
    std::fs::write(job.path("2.csv"), "a,b\n3,z\n4,").unwrap();
    assert_eq!(read(&plan.splits[0]).unwrap(), 3);
    std::fs::write(job.path("2.csv"), "a,b\n4,z\n").unwrap();
    let fault = read(&plan.splits[0]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(fault.message.ends_with("2.csv was changed while it was being read; run again when it is complete"));
    job.bookmark = None;
}

#[test]
fn bookmarks_that_are_not_understood_are_refused() {
    let mut job = loaded();
    let good = job.bookmark.clone().unwrap();
    let reset = "; to begin anew, with everything that is there now: `sluicebox bookmarks reset test stage`";
    let mut refused = |bookmark: String| {
        job.bookmark = Some(bookmark);
        let message = job.run().unwrap_err();
        assert_eq!(job.run_split(2).unwrap_err(), message);
        message.strip_suffix(reset).expect(&message).to_owned()
    };
    assert!(refused("nonsense".into()).starts_with("the bookmark is not one of this plugin: expected ident"));
    assert!(refused("{}".into()).starts_with("the bookmark is not one of this plugin: missing field"));
    assert!(refused("[".repeat(900_000)).starts_with("the bookmark is not one of this plugin"));
    assert_eq!(
        refused("x".repeat(2_000_000)),
        "the bookmark is not one of this plugin: it has 2000000 bytes, and at most 1000000 are written"
    );
    assert_eq!(
        refused(good.replace("\"version\":1", "\"version\":2")),
        "the bookmark was written by another version of this plugin (form 2; this one knows 1)"
    );
    assert_eq!(
        refused(good.replace("extract-csv", "extract-jsonl")),
        "the bookmark was written by extract-jsonl, and this is extract-csv"
    );
    assert!(
        refused(good.replace("int64", "int65")).starts_with("the bookmark is not understood: \"int65\" is no type")
    );
    assert!(refused(good.replace("new-files", "other")).starts_with("the bookmark is not understood: unknown variant"));
    job.json = r#"{"path":"DIR/1.csv","incremental":"appended"}"#.into();
    job.bookmark = Some(good.clone());
    assert_eq!(
        job.run().unwrap_err(),
        format!("the bookmark is of incremental = \"new-files\", and the stage says \"appended\"{reset}")
    );
    // Who reads everything needs no bookmark.
    job.json = r#"{"path":"DIR/*.csv"}"#.into();
    job.bookmark = Some("nonsense".into());
    let run = job.run().unwrap();
    assert_eq!((run.rows.len(), run.moved), (3, false));
}

#[test]
fn the_first_run_needs_a_file_and_no_bookmark_grows_without_end() {
    let mut job = Job::new(r#"{"path":"DIR/*.csv","incremental":"new-files"}"#);
    assert!(job.run().unwrap_err().starts_with("no file matches DIR/*.csv"));
    let name = |i: usize| format!("{}-{i:05}.csv", "n".repeat(200));
    for i in 0..5000 {
        std::fs::write(job.path(&name(i)), "a\n1\n").unwrap();
    }
    assert!(job.run().unwrap_err().starts_with("DIR/*.csv finds 5000 files, and a bookmark remembers about 10,000"));
    // Those that are gone make room.
    for i in 2000..5000 {
        std::fs::remove_file(job.path(&name(i))).unwrap();
    }
    assert_eq!(job.run().unwrap().rows.len(), 2000);
    for i in 0..2000 {
        std::fs::remove_file(job.path(&name(i))).unwrap();
    }
    for i in 2000..5000 {
        std::fs::write(job.path(&name(i)), "a\n1\n").unwrap();
    }
    assert_eq!(job.run().unwrap().rows.len(), 3000);
    assert_eq!(job.run().unwrap().pages, 0);
    assert!(job.bookmark.unwrap().len() <= 1_000_000);
}
