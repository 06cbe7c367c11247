//! The folder of the target cannot be written, or is gone.

use super::world::{Stopped, World, bound_by_modes};
use super::{before, dies_before_it_shows, ended, holds_exactly, loaded_once, run, tells, untouched};
use sluicebox_tests::crash::orders;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn modes(folder: &Path, mode: u32) {
    fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_target_that_may_not_be_written() {
    let project = loaded_once();
    let was = before(&project);
    project.file("in/2.csv", orders(1_000, 2_000));
    let table = project.path().join("out/table");
    modes(&table, 0o555);
    let refused = ended(bound_by_modes(&project.command(&["run", "orders.toml"]))).with_code(1);
    tells(
        &refused,
        &["stage `table`", "cannot write to `out/table/", "see that the user who runs this may write there"],
    );
    untouched(&project, &was);
    modes(&table, 0o755);
    run(&project).with_code(0);
    holds_exactly(&project, 2_000);
}

#[test]
fn a_target_that_may_not_be_written_at_the_commit() {
    let project = loaded_once();
    project.file("in/2.csv", orders(1_000, 2_000));
    dies_before_it_shows(&project);
    let table = project.path().join("out/table");
    modes(&table, 0o555);
    let again = || ended(bound_by_modes(&project.command(&["run", "orders.toml"])));
    tells(
        &again().with_code(1),
        &["cannot show `out/table/", "make its folder writable", "the rows wait in `out/table/."],
    );
    // The other load is shown; this one waits, as often as it takes.
    assert_eq!(super::loaded(&project), [1_000, 2_000]);
    tells(&again().with_code(1), &["has prepared its loads and could not commit them"]);
    modes(&table, 0o755);
    again().with_code(0);
    holds_exactly(&project, 2_000);
}

/// As an administrator would have it: a file system that can only be read binds root, too.
#[test]
fn a_file_system_that_can_only_be_read() {
    let project = loaded_once();
    let was = before(&project);
    project.file("in/2.csv", orders(1_000, 2_000));
    let read_only = "mount --bind out out; mount -o remount,bind,ro out";
    let Some(world) = World::new(project.path(), read_only) else {
        return a_target_that_may_not_be_written();
    };
    let command = project.command(&["run", "orders.toml"]);
    let refused = ended(world.command(&command)).with_code(1);
    tells(&refused, &["cannot write to `out/", "can only be read"]);
    untouched(&project, &was);
    // And between the decision and the commit.
    dies_before_it_shows(&project);
    let refused = ended(world.command(&command)).with_code(1);
    tells(&refused, &["cannot show `out/", "then commit again: the rows wait in `out/"]);
    assert_eq!(super::loaded(&project), [1_000, 1_000]);
    run(&project).with_code(0);
    holds_exactly(&project, 2_000);
}

#[test]
fn a_file_where_the_folder_should_be() {
    let project = loaded_once();
    project.file("in/2.csv", orders(1_000, 2_000));
    let (table, aside) = (project.path().join("out/table"), project.path().join("aside"));
    fs::rename(&table, &aside).unwrap();
    fs::write(&table, "a file").unwrap();
    tells(&run(&project).with_code(2), &["`path` is \"out/table\", a file; mode = \"append\" needs a folder"]);
    assert_eq!(fs::read_to_string(&table).unwrap(), "a file", "it is nobody's to remove");
    fs::remove_file(&table).unwrap();
    fs::rename(&aside, &table).unwrap();
    run(&project).with_code(0);
    holds_exactly(&project, 2_000);
}

/// Gone while the rows are written, and what was written with it: the run fails, and the next one loads its rows.
#[test]
fn a_target_that_goes_away_before_it_is_prepared() {
    let project = loaded_once();
    // More than fits on the way to the loads: they have begun to write when the extract ends.
    project.file("in/2.csv", orders(1_000, 150_000));
    let stopped = Stopped::at("6", project.command(&["run", "orders.toml"]));
    let out = project.path().join("out");
    let written = |folder: &str| fs::read_dir(out.join(folder)).unwrap().count();
    assert_eq!((written("table"), written("lines")), (2, 2), "both loads have begun");
    fs::remove_dir_all(&out).unwrap();
    let lost = stopped.goes_on().with_code(1);
    tells(&lost, &["stage `", "cannot make durable `out/"]);
    assert_eq!(super::loaded(&project), [0, 0], "what was there is gone, by another's hand");
    run(&project).with_code(0);
    assert_eq!(super::loaded(&project), [149_000; 2]);
}

/// Moved away between the decision and the commit: the rows wait where they are.
#[test]
fn a_target_that_goes_away_before_it_is_shown() {
    let project = loaded_once();
    project.file("in/2.csv", orders(1_000, 2_000));
    dies_before_it_shows(&project);
    let (table, aside) = (project.path().join("out/table"), project.path().join("aside"));
    fs::rename(&table, &aside).unwrap();
    let refused = run(&project).with_code(1);
    tells(
        &refused,
        &["the folder `out/table` is gone, and what was prepared is in it; put it back", "then commit again"],
    );
    assert_eq!(super::loaded(&project), [0, 2_000]);
    fs::rename(&aside, &table).unwrap();
    run(&project).with_code(0);
    holds_exactly(&project, 2_000);
}

/// The folder of the grant itself, within one process.
#[test]
fn a_granted_folder_that_goes_away_before_it_is_shown() {
    let project = loaded_once();
    project.file("in/2.csv", orders(1_000, 2_000));
    let stopped = Stopped::at("10", project.command(&["run", "orders.toml"]));
    let (out, aside) = (project.path().join("out"), project.path().join("aside"));
    fs::rename(&out, &aside).unwrap();
    let refused = stopped.goes_on().with_code(1);
    tells(&refused, &["is gone", "put it back"]);
    let again = run(&project).with_code(1);
    tells(&again, &["is gone", "put it back"]);
    // Somebody puts it back.
    let _ = fs::remove_dir(&out);
    fs::rename(&aside, &out).unwrap();
    run(&project).with_code(0);
    holds_exactly(&project, 2_000);
}

/// What was prepared is gone for good: the user gives the commit up, and is told how its rows are loaded all the same.
#[test]
fn what_was_prepared_is_gone_for_good() {
    let project = loaded_once();
    project.file("in/2.csv", orders(1_000, 2_000));
    dies_before_it_shows(&project);
    let table = project.path().join("out/table");
    for file in fs::read_dir(&table).unwrap().flatten() {
        if file.file_name().as_encoded_bytes()[0] == b'.' {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let refused = run(&project).with_code(1);
    tells(&refused, &["was prepared and is gone", "sluicebox runs resolve"]);
    let resolved = project.sluicebox(&["runs", "resolve", "last", "abandon"]).with_code(0);
    tells(&resolved, &["to load its rows all the same: `sluicebox rerun"]);
    project.sluicebox(&["rerun", "last"]).with_code(0);
    holds_exactly(&project, 2_000);
    run(&project).with_code(0);
    holds_exactly(&project, 2_000);
}
