//! The world goes wrong around a run: disks run full, folders go away, files are torn, the clock is set back, plugins are
//! replaced. Each time the user is told what is wrong and what to do, what was loaded before stays as it is, and once the
//! trouble is gone a run makes everything whole: no row lost, none twice.

mod clock;
mod disk;
mod plugin;
mod store;
mod target;
mod world;

use sluicebox_tests::crash::{Left, orders, shown};
use sluicebox_tests::{Ended, Project};
use std::process::Command;

/// How many orders are loaded at each of the two targets.
fn loaded(project: &Project) -> [usize; 2] {
    [shown(project, "out/table").len(), shown(project, "out/lines").len()]
}

/// The orders `0..until` at both targets, each once; and nothing that is temporary.
#[track_caller]
fn holds_exactly(project: &Project, until: u32) {
    assert_eq!(loaded(project), [until as usize; 2]);
    for folder in ["out/table", "out/lines"] {
        let mut rows = shown(project, folder);
        rows.dedup();
        assert_eq!(rows.len(), until as usize, "`{folder}` has rows twice");
        let files = std::fs::read_dir(project.path().join(folder)).into_iter().flatten().flatten();
        let hidden: Vec<_> =
            files.map(|file| file.file_name()).filter(|name| name.as_encoded_bytes()[0] == b'.').collect();
        assert!(hidden.is_empty(), "{hidden:?}");
    }
}

/// The orders pipeline, whose first file is loaded: the orders `0..1000`.
fn loaded_once() -> Project {
    let project = Project::new();
    project.file("orders.toml", sluicebox_tests::crash::PIPELINE).file("in/1.csv", orders(0, 1_000));
    run(&project).with_code(0);
    holds_exactly(&project, 1_000);
    project
}

fn run(project: &Project) -> Ended {
    project.sluicebox(&["run", "orders.toml"])
}

fn ended(mut command: Command) -> Ended {
    command.output().expect("it starts").into()
}

/// What was told, with this in it.
#[track_caller]
fn tells(ended: &Ended, said: &[&str]) {
    let told = format!("{}\n{}", ended.stderr, ended.stdout);
    for said in said {
        assert!(told.contains(said), "`{said}` is not in:\n{told}");
    }
}

/// Dies behind the decision to commit, before any load is shown.
fn dies_before_it_shows(project: &Project) {
    let mut command = project.command(&["run", "orders.toml"]);
    command.env("SLUICEBOX_TEST_DIE_AT", "10+");
    assert_eq!(ended(command).code, None, "killed");
    assert_eq!(sluicebox_tests::crash::runs(project)[0]["state"], "committing");
}

/// What is seen at the targets and where the extract resumes, before something goes wrong.
fn before(project: &Project) -> Left {
    Left::of(project)
}

/// All is as before.
#[track_caller]
fn untouched(project: &Project, before: &Left) {
    assert_eq!(Left::of(project).differences(before), Vec::<String>::new());
}
