//! A plugin is replaced under a run, and two hosts want the same state folder.

use super::world::Stopped;
use super::{dies_before_it_shows, holds_exactly, run, tells};
use sluicebox_tests::crash::{PIPELINE, orders, runs};
use sluicebox_tests::{Project, binary};
use std::fs;

/// A project with plugins of its own, whose first file is loaded.
fn with_plugins() -> Project {
    let project = Project::new();
    for name in ["load-csv.wasm", "load-jsonl.wasm"] {
        project.file(&format!("plugins/{name}"), fs::read(binary().with_file_name("plugins").join(name)).unwrap());
    }
    project.file("orders.toml", PIPELINE).file("in/1.csv", orders(0, 1_000));
    run(&project).with_code(0);
    project.file("in/2.csv", orders(1_000, 2_000));
    project
}

/// The same plugin in another version: a custom section makes it another component.
fn replace(project: &Project) {
    for name in ["plugins/load-csv.wasm", "plugins/load-jsonl.wasm"] {
        let mut component = fs::read(project.path().join(name)).unwrap();
        component.extend([0, 8, 5, b'o', b't', b'h', b'e', b'r', 1, 2]);
        fs::write(project.path().join("half"), component).unwrap();
        fs::rename(project.path().join("half"), project.path().join(name)).unwrap();
    }
}

/// Which components the loads of a run had.
fn digests(project: &Project, run: &str) -> Vec<String> {
    let record = project.sluicebox(&["runs", "show", run, "--format", "json"]).with_code(0).json();
    let stages = record["stages"].as_array().unwrap();
    stages[1..].iter().map(|stage| stage["digest"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_plugin_is_replaced_between_prepare_and_commit() {
    let project = with_plugins();
    let first = digests(&project, "last");
    dies_before_it_shows(&project);
    let interrupted = runs(&project)[0]["id"].as_str().unwrap().to_owned();
    replace(&project);
    let again = run(&project).with_code(0);
    tells(&again, &["was interrupted while it committed; it is committed now"]);
    holds_exactly(&project, 2_000);
    assert_eq!(digests(&project, &interrupted), first, "finished with what it was made with");
    assert!(digests(&project, "last").iter().all(|digest| !first.contains(digest)), "the new run has the new ones");
}

/// No component at all: what a run was made with is kept.
#[test]
fn a_plugin_becomes_rubbish_between_prepare_and_commit() {
    let project = with_plugins();
    dies_before_it_shows(&project);
    for name in ["plugins/load-csv.wasm", "plugins/load-jsonl.wasm"] {
        project.file(name, "rubbish");
    }
    project.sluicebox(&["runs", "resolve", "last", "commit"]).with_code(0);
    holds_exactly(&project, 2_000);
}

/// Within one process: stages that have prepared are committed by what they were opened as.
#[test]
fn a_plugin_is_replaced_under_a_run() {
    let project = with_plugins();
    let first = digests(&project, "last");
    let stopped = Stopped::at("10", project.command(&["run", "orders.toml"]));
    replace(&project);
    stopped.goes_on().with_code(0);
    holds_exactly(&project, 2_000);
    assert_eq!(digests(&project, "last"), first);
}

/// Two hosts at once, for real: the second is refused, and the first ends as if nothing had been.
#[test]
fn a_second_host_is_refused_while_the_first_commits() {
    let project = with_plugins();
    let first = Stopped::at("10+", project.command(&["run", "orders.toml"]));
    let refused = run(&project).with_code(2);
    let holder = format!("process {} (sluicebox run orders.toml), since ", first.id());
    tells(&refused, &["are being run by", &holder, "--state DIR"]);
    first.goes_on().with_code(0);
    holds_exactly(&project, 2_000);
}
