//! What a stage sees of the world: only what it was granted.

use super::{OUT, READ, evil, project, succeeds};
use sluicebox_tests::{Ended, Project};

fn granted(options: &str, grants: &str) -> Project {
    project(&format!("{READ}{}{OUT}", evil("evil", options, grants)))
}

fn log(project: &Project) -> String {
    project.sluicebox(&["logs", "last", "evil"]).with_code(0).stdout
}

#[test]
pub(super) fn the_clock_and_randomness_of_a_stage_are_the_runs() {
    let said = |options: &str, interval: &str, grants: &str| {
        let project = granted(options, grants);
        project.sluicebox(&["run", "pipeline.toml", "--interval", interval]).with_code(0);
        let logs = project.sluicebox(&["logs", "last", "evil", "--format", "json"]).with_code(0).stdout;
        logs.lines().find(|line| line.contains("evil: ")).unwrap_or_else(|| panic!("{logs}")).to_owned()
    };
    let at = "2025-01-01T00:00:00Z..2025-01-02T00:00:00Z";
    // The end of the interval, in seconds since 1970.
    assert!(said("mode = 'clock'", at, "").contains("clock 1735776000"));
    assert!(!said("mode = 'clock'", at, "grants.clock = true").contains("clock 1735776000"));
    // Another run for the same interval makes the same numbers, unless it was granted real ones.
    assert_eq!(said("mode = 'random'", at, ""), said("mode = 'random'", at, ""));
    let later = "2025-01-02T00:00:00Z..2025-01-03T00:00:00Z";
    assert_ne!(said("mode = 'random'", at, ""), said("mode = 'random'", later, ""));
    let granted = "grants.random = true";
    assert_ne!(said("mode = 'random'", at, granted), said("mode = 'random'", at, granted));
}

#[test]
pub(super) fn a_stage_sees_only_the_variables_it_was_granted() {
    let project = granted("mode = 'read-environment'", "grants.env = [\"GRANTED\"]");
    let ended: Ended = project
        .command(&["run", "pipeline.toml"])
        .env("GRANTED", "seen-by-the-stage")
        .env("SECRET", "not-to-be-seen")
        .output()
        .unwrap()
        .into();
    ended.with_code(0);
    let logs = log(&project);
    assert!(logs.contains("1 variables") && logs.contains("GRANTED"), "{logs}");
    assert!(!logs.contains("not-to-be-seen"), "{logs}");
}

/// The hostile plugin asks for nothing; what its author grants it all the same, it gets, and no more.
#[test]
fn a_granted_folder_is_seen_and_what_is_beside_it_is_not() {
    let project = granted("mode = 'list-folder', path = 'data'", "grants.read = [\"data\"]");
    project.file("secret/key", "not-to-be-seen");
    succeeds(&project);
    assert!(log(&project).contains("rows.csv"), "{}", log(&project));
    for path in ["secret/key", "data/../secret/key", "pipeline.toml", ".sluicebox/store.sqlite"] {
        let project = granted(&format!("mode = 'read-file', path = '{path}'"), "grants.read = [\"data\"]");
        project.file("secret/key", "not-to-be-seen");
        let fault = super::run(&project).with_code(1).json()["fault"].clone();
        assert!(["invalid-config", "denied"].contains(&fault["kind"].as_str().unwrap()), "{path}: {fault}");
        assert!(!log(&project).contains("evil: read"), "{path} was read: {}", log(&project));
    }
}

#[test]
fn a_folder_that_is_granted_to_read_is_not_written() {
    let project = granted("mode = 'write-file', path = 'data/rows.csv'", "grants.read = [\"data\"]");
    let before = project.read("data/rows.csv");
    let fault = super::run(&project).with_code(1).json()["fault"].clone();
    assert_eq!((&fault["stage"], &fault["call"]), (&"evil".into(), &"process".into()), "{fault}");
    assert_eq!(project.read("data/rows.csv"), before);
}

/// A link out of a granted folder leads nowhere.
#[cfg(unix)]
#[test]
fn a_link_out_of_a_granted_folder_is_not_followed() {
    let project = granted("mode = 'read-file', path = 'data/link'", "grants.read = [\"data\"]");
    project.file("secret/key", "not-to-be-seen");
    std::os::unix::fs::symlink("../secret/key", project.path().join("data/link")).unwrap();
    let fault = super::run(&project).with_code(1).json()["fault"].clone();
    assert_eq!((&fault["stage"], &fault["call"]), (&"evil".into(), &"process".into()), "{fault}");
    assert!(!log(&project).contains("evil: read"), "{}", log(&project));
}
