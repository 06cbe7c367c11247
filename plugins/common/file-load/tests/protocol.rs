//! The steps of a load, on a real file system.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use sluicebox_file_load::{Compression, FileLoad, Mode, Target, abort, commit};
use sluicebox_stage::FaultKind;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn prepared(target: &Target, id: &str, part: u32, text: &str) -> String {
    let load = FileLoad::new(target, Compression::None, id, part).unwrap();
    let mut writer = load.create().unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    load.prepare(writer, 1).unwrap()
}

#[test]
fn a_file_shows_with_commit_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/deep/x.csv");
    let target = Target::new(path.to_str().unwrap(), Mode::Replace, ".csv").unwrap();
    let receipt = prepared(&target, "load-1", 0, "hello");
    assert_eq!(names(path.parent().unwrap()), [".x.csv.load-1.0.tmp"]);
    assert!(!path.exists());
    commit(&target, "load-1", std::slice::from_ref(&receipt)).unwrap();
    assert_eq!(names(path.parent().unwrap()), ["x.csv"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "hello");
    // Again, as after a crash.
    commit(&target, "load-1", std::slice::from_ref(&receipt)).unwrap();
    // And an abort that comes too late takes nothing back.
    abort(&target, "load-1", &[receipt]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "hello");
}

#[test]
fn a_new_file_takes_the_place_of_the_old() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    fs::write(&path, "the old one, longer").unwrap();
    let target = Target::new(path.to_str().unwrap(), Mode::Replace, ".csv").unwrap();
    let receipt = prepared(&target, "b", 0, "new");
    assert_eq!(fs::read_to_string(&path).unwrap(), "the old one, longer");
    commit(&target, "b", &[receipt]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
}

#[test]
fn abort_finds_files_by_name_and_leaves_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    fs::write(&path, "committed before").unwrap();
    let target = Target::new(path.to_str().unwrap(), Mode::Replace, ".csv").unwrap();
    prepared(&target, "mine", 0, "a");
    prepared(&target, "other", 0, "b");
    prepared(&target, "not-mine", 0, "b");
    fs::write(folder.path().join(".x.csv.mine.x.tmp"), "not ours").unwrap();
    abort(&target, "mine", &[]).unwrap();
    abort(&target, "mine", &[]).unwrap();
    assert_eq!(names(folder.path()), [".x.csv.mine.x.tmp", ".x.csv.not-mine.0.tmp", ".x.csv.other.0.tmp", "x.csv"]);
    let nowhere = Target::new(folder.path().join("gone/x.csv").to_str().unwrap(), Mode::Replace, ".csv").unwrap();
    abort(&nowhere, "mine", &[]).unwrap();
}

#[test]
fn a_second_try_replaces_what_the_first_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let target = Target::new(path.to_str().unwrap(), Mode::Replace, ".csv").unwrap();
    prepared(&target, "id", 0, "the first try, half done");
    let receipt = prepared(&target, "id", 0, "second");
    commit(&target, "id", &[receipt]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "second");
}

#[test]
fn append_adds_a_file_of_each_part_and_load() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows");
    let target = Target::new(path.to_str().unwrap(), Mode::Append, ".csv").unwrap();
    for id in ["a", "b"] {
        let receipts = [prepared(&target, id, 0, "x"), prepared(&target, id, 1, "y")];
        commit(&target, id, &receipts).unwrap();
        commit(&target, id, &receipts).unwrap();
    }
    prepared(&target, "c", 3, "z");
    abort(&target, "c", &[]).unwrap();
    assert_eq!(names(&path), ["a-0.csv", "a-1.csv", "b-0.csv", "b-1.csv"]);
}

#[test]
fn commit_refuses_what_was_not_prepared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let target = Target::new(path.to_str().unwrap(), Mode::Replace, ".csv").unwrap();
    let receipt = prepared(&target, "id", 0, "hello");
    let temporary = folder.path().join(".x.csv.id.0.tmp");

    fs::write(&temporary, "hello, changed").unwrap();
    let fault = commit(&target, "id", std::slice::from_ref(&receipt)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidData);
    assert!(fault.message.contains("holds 14 bytes and was prepared with 5"), "{fault}");

    fs::remove_file(&temporary).unwrap();
    let fault = commit(&target, "id", std::slice::from_ref(&receipt)).unwrap_err();
    assert!(fault.message.contains("is gone"), "{fault}");

    let fault = commit(&target, "id", &["{}".to_owned()]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Internal);

    // A receipt does not lead out of the target's folder, and not to another load.
    let other = Target::new(folder.path().join("sub/x.csv").to_str().unwrap(), Mode::Replace, ".csv").unwrap();
    assert!(commit(&other, "id", std::slice::from_ref(&receipt)).is_err());
    assert!(abort(&target, "other", &[receipt]).is_err());
    assert!(!path.exists());
}

#[test]
fn paths_that_cannot_be_are_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().to_str().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    let refused = |path: &str, mode| {
        let target = Target::new(path, mode, ".csv");
        target.and_then(|target| FileLoad::new(&target, Compression::None, "id", 0)).unwrap_err()
    };
    assert!(refused("", Mode::Replace).message.contains("empty"));
    assert!(refused("out/../../x.csv", Mode::Replace).message.contains(".."));
    assert!(refused(here, Mode::Replace).message.contains("mode = \"append\""));
    assert!(refused("out/", Mode::Replace).message.contains("a folder"));
    assert!(refused(&format!("{here}/file"), Mode::Append).message.contains("needs a folder"));
    let target = Target::new("x.csv", Mode::Replace, ".csv").unwrap();
    let fault = FileLoad::new(&target, Compression::None, "id", 1).unwrap_err();
    assert!(fault.message.contains("parallel = 1"), "{fault}");
    let below = Target::new(&format!("{here}/file/x.csv"), Mode::Replace, ".csv").unwrap();
    let fault = FileLoad::new(&below, Compression::None, "id", 0).unwrap().create().map(|_| ()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidConfig, "{fault}");
}

#[test]
fn load_ids_with_other_characters_stay_apart() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::new(folder.path().join("x").to_str().unwrap(), Mode::Replace, "").unwrap();
    prepared(&target, "run/1:out", 0, "a");
    prepared(&target, "run/1.out", 0, "b");
    assert_eq!(names(folder.path()).len(), 2);
    abort(&target, "run/1:out", &[]).unwrap();
    assert_eq!(names(folder.path()).len(), 1);
}

#[test]
fn gzip_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv.gz");
    let target = Target::new(path.to_str().unwrap(), Mode::Replace, ".csv.gz").unwrap();
    let load = FileLoad::new(&target, Compression::chosen(None, path.to_str().unwrap()), "id", 0).unwrap();
    let mut writer = load.create().unwrap();
    let text = "a line of text\n".repeat(100_000);
    for piece in text.as_bytes().chunks(1000) {
        writer.block().extend_from_slice(piece);
        writer.flush_full().unwrap();
    }
    let receipt = load.prepare(writer, 100_000).unwrap();
    commit(&target, "id", &[receipt]).unwrap();
    let mut back = String::new();
    flate2::read::GzDecoder::new(fs::File::open(&path).unwrap()).read_to_string(&mut back).unwrap();
    assert_eq!(back, text);
}
