//! What may go wrong, each with a message that says what to do, and nothing lost.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use sluicebox_stage::FaultKind;

use super::{Part, append, folder, names, prepared, replace};
use crate::disk::trips::failing;
use crate::{abort, commit};

#[test]
fn a_full_disk_never_makes_a_file_that_lacks_rows() {
    // Steps: folder, old file removed, made, two writes, sync, folder synced.
    for steps in 0..8 {
        let (_keep, folder) = folder();
        let target = replace(&folder.join("x.csv"));
        let mut load = Part::open(&target, "id", 0).unwrap();
        let mut call = |at| match at {
            0 => load.write(b"first,").map(|()| String::new()),
            1 => load.write(b"second").map(|()| String::new()),
            _ => load.prepare(),
        };
        let mut done = 0;
        let tried = failing(Some(steps), || {
            loop {
                match call(done) {
                    Ok(receipt) if done == 2 => break Ok(receipt),
                    Ok(_) => done += 1,
                    Err(fault) => break Err(fault),
                }
            }
        });
        let receipt = tried.or_else(|fault| {
            assert_eq!(fault.kind, FaultKind::Unavailable);
            assert!(fault.message.contains("the disk is full; free some space"), "{fault}");
            // There is room now, and the host asks the same instance again, from the call on that failed.
            (done..3).map(&mut call).collect::<Result<Vec<_>, _>>().map(|receipts| receipts.last().unwrap().clone())
        });
        match receipt {
            Ok(receipt) => {
                assert!(!(3..7).contains(&steps), "{steps}");
                commit(&target, "id", &[receipt]).unwrap();
                assert_eq!(fs::read_to_string(folder.join("x.csv")).unwrap(), "first,second");
            }
            Err(fault) => {
                assert!((3..7).contains(&steps), "{steps}: {fault}");
                assert!(fault.message.contains("the disk is full"), "{fault}");
                assert!(fault.message.contains("has to begin anew"), "{fault}");
                abort(&target, "id", &[]).unwrap();
                assert!(names(&folder).is_empty());
            }
        }
    }
}

#[test]
fn prepare_again_answers_the_same() {
    let (_keep, folder) = folder();
    let target = replace(&folder.join("x.csv"));
    let mut load = Part::open(&target, "id", 0).unwrap();
    load.write(b"rows").unwrap();
    let receipt = load.prepare().unwrap();
    assert_eq!(load.prepare().unwrap(), receipt);
    assert_eq!(load.write(b"more").unwrap_err().kind, FaultKind::Internal);
    commit(&target, "id", &[receipt]).unwrap();
    assert_eq!(fs::read_to_string(folder.join("x.csv")).unwrap(), "rows");
}

#[test]
fn the_folder_is_gone_for_a_while() {
    let (_keep, folder) = folder();
    let out = folder.join("out");
    for target in [replace(&out.join("x.csv")), append(&out)] {
        let receipts = [prepared(&target, "id", 0, "rows")];
        fs::rename(&out, folder.join("away")).unwrap();
        let fault = commit(&target, "id", &receipts).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unavailable);
        assert!(fault.message.contains("out` is gone") && fault.message.contains("put it back"), "{fault}");
        abort(&target, "other", &[]).unwrap();
        // As a disk that is not mounted: an empty folder.
        fs::create_dir(&out).unwrap();
        let fault = commit(&target, "id", &receipts).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unavailable);
        assert!(fault.message.contains("was prepared and is gone") && fault.message.contains("mounted"), "{fault}");
        fs::remove_dir(&out).unwrap();
        // Or a file.
        fs::write(&out, "").unwrap();
        let fault = commit(&target, "id", &receipts).unwrap_err();
        assert!(fault.message.contains("is a file now"), "{fault}");
        abort(&target, "id", &receipts).unwrap();
        fs::remove_file(&out).unwrap();
        fs::rename(folder.join("away"), &out).unwrap();
        commit(&target, "id", &receipts).unwrap();
        commit(&target, "id", &receipts).unwrap();
        assert_eq!(names(&out).len(), 1);
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn the_folder_cannot_be_written_to_for_a_while() {
    let (_keep, folder) = folder();
    let out = folder.join("out");
    let target = replace(&out.join("x.csv"));
    let receipts = [prepared(&target, "id", 0, "rows")];
    let mode = |mode| fs::set_permissions(&out, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    // Whoever may write everywhere cannot see this.
    if fs::write(out.join("probe"), "").is_err() {
        let fault = commit(&target, "id", &receipts).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unavailable);
        assert!(fault.message.contains("make its folder writable"), "{fault}");
        assert!(fault.message.contains("the rows wait in"), "{fault}");
    }
    mode(0o755);
    commit(&target, "id", &receipts).unwrap();
    assert_eq!(fs::read_to_string(out.join("x.csv")).unwrap(), "rows");
}

#[test]
fn a_folder_stands_where_the_file_goes() {
    let (_keep, folder) = folder();
    let path = folder.join("x.csv");
    let target = replace(&path);
    let receipts = [prepared(&target, "id", 0, "rows")];
    fs::create_dir(&path).unwrap();
    let fault = commit(&target, "id", &receipts).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(fault.message.contains("a folder of that name") && fault.message.contains("move it away"), "{fault}");
    assert!(Part::open(&target, "id", 0).is_err());
    // It does not keep another load from being taken back.
    prepared(&replace(&folder.join("y.csv")), "id", 0, "rows");
    abort(&replace(&folder.join("y.csv")), "id", &[]).unwrap();
    fs::remove_dir(&path).unwrap();
    commit(&target, "id", &receipts).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "rows");
    fs::remove_file(&path).unwrap();

    prepared(&target, "id", 0, "rows");
    fs::create_dir(&path).unwrap();
    abort(&target, "id", &[]).unwrap();
    assert_eq!(names(&folder), ["x.csv"]);
}

#[test]
fn a_link_is_replaced_and_what_it_leads_to_is_not() {
    let (_keep, folder) = folder();
    let path = folder.join("x.csv");
    fs::write(folder.join("elsewhere"), "not ours").unwrap();
    symlink("elsewhere", &path).unwrap();
    // Also where the temporary file goes.
    symlink("elsewhere", folder.join(".x.csv.id.0.tmp")).unwrap();
    let target = replace(&path);
    let receipts = [prepared(&target, "id", 0, "rows")];
    commit(&target, "id", &receipts).unwrap();
    commit(&target, "id", &receipts).unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(fs::read_to_string(&path).unwrap(), "rows");
    assert_eq!(fs::read_to_string(folder.join("elsewhere")).unwrap(), "not ours");
    // A link to the very bytes is not the file that was prepared: it may change.
    fs::rename(&path, folder.join("moved")).unwrap();
    symlink("moved", &path).unwrap();
    assert!(commit(&target, "id", &receipts).unwrap_err().message.contains("is not the file that was prepared"));
}

#[test]
fn another_file_of_the_same_length_is_told_apart() {
    let (_keep, folder) = folder();
    let path = folder.join("x.csv");
    let target = replace(&path);
    let receipts = [prepared(&target, "id", 0, "rows")];
    commit(&target, "id", &receipts).unwrap();
    fs::write(&path, "else").unwrap();
    let fault = commit(&target, "id", &receipts).unwrap_err();
    assert!(fault.message.contains("is not the file that was prepared"), "{fault}");
    // A receipt of a version that knew no digest goes by the length.
    let mut old: serde_json::Value = serde_json::from_str(&receipts[0]).unwrap();
    old.as_object_mut().unwrap().remove("digest");
    commit(&target, "id", &[old.to_string()]).unwrap();
}

#[test]
fn a_later_run_of_the_same_interval_replaces_all_parts_of_the_earlier() {
    let (_keep, folder) = folder();
    let target = append(&folder);
    let parts = |id: &str, count: u32, text: &str| -> Vec<String> {
        (0..count).map(|part| prepared(&target, id, part, text)).collect()
    };
    let strangers =
        ["id-00.csv", "id-1.csv.bak", "id-x.csv", "id-1-0.csv", "id.csv", "xid-1.csv", "notes.txt", "id-2.d"];
    for name in strangers {
        fs::write(folder.join(name), name).unwrap();
    }
    fs::create_dir(folder.join("id-7.csv")).unwrap();
    commit(&target, "id", &parts("id", 4, "old")).unwrap();
    commit(&target, "other", &parts("other", 2, "other")).unwrap();
    // Packed at that time, and of another kind; and what a run left that died.
    fs::write(folder.join("id-5.csv.gz"), "old").unwrap();
    fs::write(folder.join("id-6.parquet"), "old").unwrap();
    prepared(&target, "id", 9, "died");
    prepared(&target, "other", 9, "waits");
    let receipts = parts("id", 1, "new");
    let before = names(&folder);
    // Until the commit, all of the earlier run is there, and taking back the later one leaves it there.
    assert!(before.contains(&"id-3.csv".to_owned()) && before.contains(&"id-6.parquet".to_owned()));
    commit(&target, "id", &[]).unwrap();
    assert_eq!(names(&folder), before);
    abort(&target, "id", &receipts).unwrap();
    assert_eq!(fs::read_to_string(folder.join("id-0.csv")).unwrap(), "old");
    assert!(names(&folder).contains(&"id-3.csv".to_owned()));
    commit(&target, "id", &parts("id", 1, "new")).unwrap();
    let mut expected: Vec<&str> = strangers.to_vec();
    expected.extend([".other-9.csv.other.9.tmp", "id-0.csv", "id-7.csv", "other-0.csv", "other-1.csv"]);
    expected.sort_unstable();
    assert_eq!(names(&folder), expected);
    assert_eq!(fs::read_to_string(folder.join("id-0.csv")).unwrap(), "new");
}

#[test]
fn what_an_unfinished_run_left_does_not_hide_what_was_committed() {
    // A commit that died after its rename, and then another run that died as it wrote.
    let (_keep, folder) = folder();
    let target = replace(&folder.join("x.csv"));
    let receipts = [prepared(&target, "id", 0, "rows")];
    commit(&target, "id", &receipts).unwrap();
    fs::write(folder.join(".x.csv.id.0.tmp"), "hal").unwrap();
    commit(&target, "id", &receipts).unwrap();
    assert_eq!(names(&folder), ["x.csv"]);
    assert_eq!(fs::read_to_string(folder.join("x.csv")).unwrap(), "rows");
}

#[test]
fn long_names_and_ids_fit() {
    let (_keep, folder) = folder();
    let id = "a-pipeline-with-quite-a-long-name-20260101T000000Z-20260102T000000Z-".repeat(4);
    let path = folder.join(format!("{}ä.csv", "n".repeat(248)));
    for (target, part) in [(replace(&path), 0), (append(&folder.join("rows")), u32::MAX)] {
        let receipt = prepared(&target, &id, part, "rows");
        abort(&target, &id, &[receipt]).unwrap();
        let receipt = prepared(&target, &id, part, "rows");
        commit(&target, &id, &[receipt]).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "rows");
    assert_eq!(names(&folder.join("rows")).len(), 1);
}
