//! Files that are none, too many files, and the disk of the host.

use super::{OUT, READ, evil, fails, project, rows_loaded, succeeds, with_rows};
use sluicebox_tests::Project;
use std::process::Command;

/// The stage may read `data` and write `own`.
fn reaching(options: &str, more: &str) -> Project {
    let grants = format!("grants.read = [\"data\"]\ngrants.write = [\"own\"]\n{more}");
    project(&format!("{READ}{}{OUT}", evil("evil", options, &grants)))
}

fn logs(project: &Project, stage: &str) -> String {
    project.sluicebox(&["logs", "last", stage]).with_code(0).stdout
}

/// Nobody ever writes into it: whoever waits for it waits for ever.
fn pipe(project: &Project, path: &str) {
    let path = project.path().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_pipe_in_a_granted_folder() {
    for (path, modes) in [
        ("data/pipe", &["read-file", "many-files"][..]),
        ("own/pipe", &["read-file", "write-file"]),
        ("own/link", &["read-file", "write-file"]),
    ] {
        for mode in modes {
            let project = reaching(&format!("mode = '{mode}', path = '{path}'"), "");
            pipe(&project, "data/pipe");
            pipe(&project, "own/pipe");
            std::os::unix::fs::symlink("pipe", project.path().join("own/link")).unwrap();
            let name = path.split('/').nth(1).unwrap();
            fails(
                &project,
                "internal",
                "process",
                &[&format!("was refused `{name}`, which is a pipe"), "take it out of"],
            );
        }
    }
}

/// Not even to examine a pipeline is a pipe opened.
#[test]
fn a_pipe_where_a_file_is_read() {
    let project = project(&format!("{READ}{OUT}"));
    std::fs::remove_file(project.path().join("data/rows.csv")).unwrap();
    pipe(&project, "data/rows.csv");
    for (verb, code) in [("check", 2), ("run", 1)] {
        let told = project.sluicebox(&[verb, "pipeline.toml"]).with_code(code);
        let told = told.stdout + &told.stderr;
        assert!(told.contains("rows.csv") && told.contains("which is a pipe"), "{told}");
    }
}

#[test]
fn a_device_in_a_granted_folder() {
    for device in ["zero", "null", "tty"] {
        let options = format!("mode = 'read-file', path = '/dev/{device}'");
        let project = project(&format!("{READ}{}{OUT}", evil("evil", &options, "grants.read = [\"/dev\"]")));
        fails(&project, "internal", "process", &[&format!("`{device}`, which is a device")]);
    }
}

#[test]
pub(super) fn many_files() {
    let project = reaching("mode = 'many-files', path = 'data/rows.csv', times = 100000", "");
    fails(&project, "limit", "process", &["it has 256 files and folders open", "raise `limits.files`, now 256"]);
    let project = reaching("mode = 'many-files', path = 'data/rows.csv', times = 20", "limits.files = 20");
    succeeds(&project);
    assert!(logs(&project, "evil").contains("20 files are open"));
    let project = reaching("mode = 'many-files', path = 'own', times = 21", "limits.files = 20");
    fails(&project, "limit", "process", &["it has 20 files and folders open"]);
    // What is closed does not count.
    let project = reaching("mode = 'small-batches', times = 10", "limits.files = 1");
    succeeds(&project);
}

/// A folder is read as a whole as it is listed.
#[test]
fn a_folder_of_too_many_files() {
    let project = reaching("mode = 'list-folder', path = 'own'", "limits = { call = '1m', log = '64KiB' }");
    let own = project.path().join("own");
    std::fs::create_dir(&own).unwrap();
    // Links to one file, which are made quicker than files.
    std::fs::write(own.join("0"), "").unwrap();
    let links = |from: usize, to: usize| {
        for number in from..to {
            // So many names as one file may have.
            let first = own.join((number / 50_000 * 50_000).to_string());
            if number % 50_000 == 0 {
                std::fs::write(own.join(number.to_string()), "").unwrap();
            } else {
                std::fs::hard_link(first, own.join(number.to_string())).unwrap();
            }
        }
    };
    links(1, 99_990);
    succeeds(&project);
    links(99_990, 100_010);
    std::fs::remove_dir_all(project.path().join("out")).unwrap();
    fails(&project, "limit", "process", &["more than 100000 entries", "in several folders"]);
}

/// A checkpoint that would be too large is not kept; the run is none the worse.
#[test]
fn fills_the_disk_with_what_it_passes_on() {
    let extract = |max: &str| {
        let options = "mode = 'pass', pages = 100, rows = 1000";
        let limits = format!("limits.checkpoint = \"{max}\"");
        project(&format!("{}{OUT}", evil("evil-extract", options, &limits)))
    };
    let project = extract("100KiB");
    let run = succeeds(&project);
    assert_eq!(rows_loaded(&project), 100_000);
    let told = logs(&project, "evil");
    assert!(told.contains("would have more than 100KiB, and is not kept; raise `limits.checkpoint`"), "{told}");
    let folder = format!(".sluicebox/runs/{}/checkpoints", run["id"].as_str().unwrap());
    assert!(!project.has(&format!("{folder}/evil.arrows")) && !project.has(&format!("{folder}/evil.half")));
    let project = extract("10MiB");
    let run = succeeds(&project);
    assert!(project.has(&format!(".sluicebox/runs/{}/checkpoints/evil.arrows", run["id"].as_str().unwrap())));
}

#[test]
fn fills_the_disk_with_what_it_sets_aside() {
    let options = "mode = 'flood-quarantine', times = 10000";
    let project = reaching(options, "limits.quarantine = \"50KiB\"");
    fails(&project, "limit", "quarantine", &["set aside more than 50KiB", "raise `limits.quarantine`, now 50KiB"]);
    let project = with_rows(&format!("{READ}{}{OUT}", evil("evil", options, "limits.quarantine = \"50MiB\"")), 10);
    succeeds(&project);
}

/// Its rows wait on the disk while a stage behind it reads another input to its end.
#[test]
fn fills_the_disk_with_what_waits() {
    let stages = |max: &str| {
        let evil = evil("evil", "mode = 'answer-many', times = 2000", &format!("limits.spill = \"{max}\""));
        let join = "\n[[stage]]\nname = \"join\"\nplugin = \"transform-lookup\"\ninputs = [\"evil\", \"read\"]\n\
                    config = { on = \"id\", take = { other = \"name\" }, missing = \"null\" }\n";
        format!("{READ}{evil}{join}{OUT}")
    };
    let project = with_rows(&stages("10KiB"), 60_000);
    fails(&project, "limit", "spill", &["more than 10KiB of its rows wait on the disk", "raise `limits.spill`"]);
}
