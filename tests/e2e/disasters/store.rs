//! The store's file, or the log beside it, lost its end or holds rubbish.

use super::{dies_before_it_shows, ended, holds_exactly, loaded, loaded_once, run, tells};
use sluicebox_tests::crash::{orders, runs};
use sluicebox_tests::{Ended, Project};
use std::fs;
use std::path::PathBuf;

fn file(project: &Project, name: &str) -> PathBuf {
    project.path().join(".sluicebox").join(name)
}

/// A project with a second file that was loaded by a process that died right after it, so that the log is still there.
fn with_log(dies_at: &str) -> Project {
    let project = loaded_once();
    project.file("in/2.csv", orders(1_000, 2_000));
    let mut command = project.command(&["run", "orders.toml"]);
    command.env("SLUICEBOX_TEST_DIE_AT", dies_at);
    assert_eq!(ended(command).code, None, "killed");
    assert!(fs::metadata(file(&project, "store.sqlite-wal")).unwrap().len() > 0, "the log is there");
    project
}

/// The log loses its end, by so many bytes at a time, down to nothing: each time all rows are there, once.
#[test]
fn the_log_loses_its_end() {
    for (dies_at, shown) in [("10+", false), ("11+", true), ("13+", true)] {
        for part in [0, 3, 6, 9] {
            for scribbled in [false, true] {
                let project = with_log(dies_at);
                let log = file(&project, "store.sqlite-wal");
                let mut bytes = fs::read(&log).unwrap();
                let end = bytes.len() * part / 10;
                if scribbled {
                    bytes[end..].fill(0xA5);
                } else {
                    bytes.truncate(end);
                }
                fs::write(&log, bytes).unwrap();
                let _ = fs::remove_file(file(&project, "store.sqlite-shm"));
                let when = format!("died at {dies_at}, {part}/10 of the log are left, {scribbled}");
                let again = run(&project);
                assert_eq!(again.code, Some(0), "{when}: {}", again.stderr);
                assert_eq!(loaded(&project), [2_000; 2], "{when}: {}", again.stderr);
                if shown && part == 0 {
                    tells(&again, &["the store had lost its last events", "are put back"]);
                }
                run(&project).with_code(0);
                holds_exactly(&project, 2_000);
                assert!(runs(&project).iter().all(|run| matches!(run["state"].as_str(), Some("succeeded" | "failed"))));
            }
        }
    }
}

/// Any page of the store becomes rubbish or zeroes, or is where the file ends: either all is well, or the user is told.
#[test]
fn a_page_of_the_store_is_damaged() {
    let (mut well, mut told) = (0, 0);
    let base = loaded_once();
    let whole = fs::read(file(&base, "store.sqlite")).unwrap();
    assert!(!file(&base, "store.sqlite-wal").exists(), "the log was put into the store");
    let pages = whole.len() / 4096;
    // The last, and every fifth.
    for page in (0..pages).filter(|page| *page + 1 == pages || *page % 5 == 0) {
        for damage in ["zeroes", "rubbish", "cut"] {
            let project = loaded_once();
            project.file("in/2.csv", orders(1_000, 2_000));
            let path = file(&project, "store.sqlite");
            let good = fs::read(&path).unwrap();
            let mut bytes = good.clone();
            let from = (page * 4096).min(bytes.len());
            let to = (from + 4096).min(bytes.len());
            match damage {
                "zeroes" => bytes[from..to].fill(0),
                "rubbish" => bytes[from..to].iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 7 + 13) as u8),
                _ => bytes.truncate(from + 1_000),
            }
            fs::write(&path, bytes).unwrap();
            let ran = run(&project);
            let when = format!("page {page} of {pages}, {damage}");
            if ran.code == Some(0) {
                well += 1;
            } else {
                told += 1;
                is_told(&ran, &when);
                // What is shown is what a run shows: all of it, or nothing.
                assert!(
                    loaded(&project).iter().all(|rows| [1_000, 2_000].contains(rows)),
                    "{when}: {:?}",
                    loaded(&project)
                );
                // A copy is put back.
                if loaded(&project) == [1_000; 2] {
                    let _ = fs::remove_file(file(&project, "store.sqlite-wal"));
                    let _ = fs::remove_file(file(&project, "store.sqlite-shm"));
                    fs::write(&path, good).unwrap();
                    run(&project).with_code(0);
                }
            }
            assert_eq!(loaded(&project), [2_000; 2], "{when}: {}", ran.stderr);
        }
    }
    println!("{well} went well, {told} were told");
    assert!(told > 0);
}

#[track_caller]
fn is_told(ran: &Ended, when: &str) {
    let told = &ran.stderr;
    let names_it = told.contains("store.sqlite");
    let says_what_to_do = ["put back", "choose another folder"].iter().any(|said| told.contains(said));
    assert!(names_it && says_what_to_do, "{when}: {told}");
}

/// The whole store is gone, or an old copy: rows that are loaded are not loaded again behind the user's back.
#[test]
fn the_store_is_gone_or_older_than_what_it_loaded() {
    let project = loaded_once();
    let old = fs::read(file(&project, "store.sqlite")).unwrap();
    for number in 2..=4 {
        project.file(&format!("in/{number}.csv"), orders(number * 1_000 - 1_000, number * 1_000));
        run(&project).with_code(0);
    }
    let good = fs::read(file(&project, "store.sqlite")).unwrap();
    for copy in [Some(old), Some(Vec::new()), None] {
        match copy {
            Some(copy) => fs::write(file(&project, "store.sqlite"), copy).unwrap(),
            None => fs::remove_file(file(&project, "store.sqlite")).unwrap(),
        }
        let refused = run(&project).with_code(2);
        tells(
            &refused,
            &["has lost events", "of `orders` was committed with it", "Put back the newest copy", "last-commit.json"],
        );
        holds_exactly(&project, 4_000);
    }
    fs::write(file(&project, "store.sqlite"), good).unwrap();
    run(&project).with_code(0);
    holds_exactly(&project, 4_000);
}

/// An old copy of the store in the midst of a commit.
#[test]
fn a_copy_of_before_the_last_run_goes_on_with_its_commit() {
    let project = loaded_once();
    let old = fs::read(file(&project, "store.sqlite")).unwrap();
    project.file("in/2.csv", orders(1_000, 2_000));
    dies_before_it_shows(&project);
    let _ = fs::remove_file(file(&project, "store.sqlite-wal"));
    let _ = fs::remove_file(file(&project, "store.sqlite-shm"));
    fs::write(file(&project, "store.sqlite"), old).unwrap();
    let again = run(&project).with_code(0);
    tells(&again, &["the store had lost its last events", "it is committed now"]);
    holds_exactly(&project, 2_000);
}
