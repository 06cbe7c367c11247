//! Ways out of what was granted: other folders, other stages, other runs.

use super::{OUT, READ, evil, project, run, succeeds};
use crate::neighbours::{conduct, host};
use sluicebox_model::run::RunState;
use sluicebox_tests::Project;

/// The stage may read `data` and write `own`; beside them is `secret/key`.
fn reaching(options: &str) -> Project {
    let grants = "grants.read = [\"data\"]\ngrants.write = [\"own\"]";
    let project = project(&format!("{READ}{}{OUT}", evil("evil", options, grants)));
    project.file("secret/key", "not-to-be-seen").file("own/file", "own").file("out/rows.csv.old", "of the load");
    project
}

fn log(project: &Project) -> String {
    project.sluicebox(&["logs", "last", "evil"]).with_code(0).stdout
}

/// The run fails where the stage reaches out, and `said` never happened.
#[track_caller]
fn is_held(project: &Project, never: &str) {
    let before = ["secret/key", "own/file", "data/rows.csv", "out/rows.csv.old"].map(|file| project.read(file));
    let ended = run(project).with_code(1).json();
    let fault = &ended["fault"];
    assert_eq!((&fault["stage"], &fault["call"]), (&"evil".into(), &"process".into()), "{fault}");
    let kinds = ["denied", "internal", "invalid-config", "unavailable"];
    assert!(kinds.contains(&fault["kind"].as_str().unwrap()), "{fault}");
    assert!(!log(project).contains(never), "{}", log(project));
    assert!(!fault.to_string().contains("not-to-be-seen"), "{fault}");
    let after = ["secret/key", "own/file", "data/rows.csv", "out/rows.csv.old"].map(|file| project.read(file));
    assert_eq!(after, before, "no file was changed");
    assert!(!project.has("out/rows.csv"), "nothing was loaded");
}

#[test]
fn paths_out_of_a_granted_folder() {
    for path in [
        "own/../secret/key",
        "data/../../../../../../etc/passwd",
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/mem",
        "/proc/1/root/etc/passwd",
        "/dev/zero",
        "own//../secret/key",
        "./secret/key",
        ".sluicebox/store.sqlite",
        "out/rows.csv.old",
    ] {
        is_held(&reaching(&format!("mode = 'read-file', path = '{path}'")), "evil: read");
    }
    for path in ["secret/key", "out/rows.csv.old", "own/../secret/new", "/tmp/sluicebox-evil", "data/new"] {
        let project = reaching(&format!("mode = 'write-file', path = '{path}'"));
        is_held(&project, "evil: wrote");
        assert!(!project.has("secret/new") && !project.has("data/new"));
    }
    assert!(!std::path::Path::new("/tmp/sluicebox-evil").exists());
    for path in ["/", "/tmp", "/proc", ".", "own/..", "secret"] {
        is_held(&reaching(&format!("mode = 'list-folder', path = '{path}'")), "evil: found");
    }
}

#[test]
pub(super) fn a_file_of_a_read_grant_is_not_removed() {
    is_held(&reaching("mode = 'remove-file', path = 'data/rows.csv'"), "evil: removed");
    is_held(&reaching("mode = 'remove-file', path = 'own/../data/rows.csv'"), "evil: removed");
    let project = reaching("mode = 'remove-file', path = 'own/file'");
    succeeds(&project);
    assert!(!project.has("own/file"), "its own it may remove");
}

/// A link that the guest makes as it runs leads no further than one that was there before.
#[test]
pub(super) fn a_link_made_during_the_run_leads_nowhere() {
    for target in ["../secret/key", "/etc/passwd", "/proc/self/environ", "../data/../secret/key", "../out/rows.csv.old"]
    {
        let project = reaching(&format!("mode = 'make-link', path = 'own/link', target = '{target}'"));
        is_held(&project, "evil: read");
    }
    let project = reaching("mode = 'make-link', path = 'data/link', target = 'rows.csv'");
    is_held(&project, "evil: linked");
    let project = reaching("mode = 'make-link', path = 'own/link', target = 'file'");
    succeeds(&project);
    assert!(log(&project).contains("evil: read 3 bytes"), "within its folder it may: {}", log(&project));
}

/// A link to a folder, made before: what the guest does below it is done nowhere.
#[cfg(unix)]
#[test]
fn a_link_to_a_folder_is_not_followed_out() {
    for options in [
        "mode = 'read-file', path = 'own/away/key'",
        "mode = 'write-file', path = 'own/away/key'",
        "mode = 'remove-file', path = 'own/away/key'",
        "mode = 'list-folder', path = 'own/away'",
    ] {
        let project = reaching(options);
        std::os::unix::fs::symlink("../secret", project.path().join("own/away")).unwrap();
        is_held(&project, "evil: ");
    }
}

/// A second name for a file would make it writable where its first is not.
#[test]
pub(super) fn hard_links() {
    for target in ["data/rows.csv", "secret/key", "own/../secret/key", "/etc/passwd", "out/rows.csv.old"] {
        is_held(&reaching(&format!("mode = 'hard-link', path = 'own/link', target = '{target}'")), "evil: linked");
    }
}

#[test]
pub(super) fn renames_across_grants() {
    for (path, target) in [
        ("data/rows.csv", "own/rows.csv"),
        ("own/file", "data/file"),
        ("own/file", "secret/key"),
        ("own/file", "own/../out/rows.csv.old"),
        ("own/file", "/tmp/sluicebox-evil-renamed"),
    ] {
        let project = reaching(&format!("mode = 'rename', path = '{path}', target = '{target}'"));
        is_held(&project, "evil: renamed");
    }
    let project = reaching("mode = 'rename', path = 'own/file', target = 'own/other'");
    succeeds(&project);
    assert!(project.has("own/other") && !project.has("own/file"), "within its folder it may");
}

/// Many instances one after another and beside each other: none finds what another left in memory.
#[test]
pub(super) fn the_memory_of_another_instance() {
    let stages: String = ["evil", "evil-2", "evil-3"]
        .map(|name| {
            evil("evil", "mode = 'fresh-memory'", "parallel = 4").replacen("\"evil\"", &format!("\"{name}\""), 1)
        })
        .concat();
    let project = super::with_rows(&format!("{READ}{stages}{OUT}"), 300_000);
    for _ in 0..2 {
        succeeds(&project);
        let log = project.sluicebox(&["logs", "last"]).with_code(0).stdout;
        assert!(log.matches("evil: 0 of 8388608 bytes of fresh memory are not zero").count() >= 3, "{log}");
        assert_eq!(log.matches("bytes of fresh memory").count(), log.matches("evil: 0 of").count(), "{log}");
    }
}

/// In one process, with one engine: what an instance keeps in its memory is gone with it, and its run's files are not there for
/// the next.
#[test]
pub(super) fn the_memory_of_an_earlier_run() {
    let host = host();
    let told = |options: &str| {
        let project = reaching(options);
        let run = conduct(&host, &project, "pipeline.toml");
        (run.state, log(&project), project)
    };
    for _ in 0..3 {
        let (state, log, _) = told("mode = 'remember'");
        assert_eq!(state, RunState::Succeeded);
        assert!(log.contains("evil: 0 opened here before") && !log.contains("evil: 1 opened"), "{log}");
        let (state, log, _) = told("mode = 'fresh-memory'");
        assert_eq!(state, RunState::Succeeded);
        assert!(log.contains("evil: 0 of 8388608 bytes of fresh memory are not zero"), "{log}");
        // What it leaves in its own folder is there, and another run has no name for it.
        let (state, _, earlier) = told("mode = 'write-file', path = 'own/left'");
        assert_eq!(state, RunState::Succeeded);
        let left = earlier.path().join("own/left");
        assert!(left.is_file());
        for path in [left.to_str().unwrap(), "own/left"] {
            let (state, log, _) = told(&format!("mode = 'read-file', path = '{path}'"));
            assert_eq!(state, RunState::Failed, "{path}");
            assert!(!log.contains("evil: read"), "{log}");
        }
    }
}
