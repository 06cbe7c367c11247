//! `plugins add`, `remove`, `lock`, `verify`, and `--locked`.

use super::{STAMPED, pipeline, project, stamp, stamp_of};
use sluicebox_tests::{Ended, Project};
use std::fs;

#[test]
fn a_plugin_is_added_used_replaced_and_removed() {
    let project = project();
    let wrong = project.sluicebox(&["check", "stamps.toml"]).with_code(2);
    assert!(wrong.stderr.contains("there is no plugin `stamp`"), "{}", wrong.stderr);
    project.file("from/some.wasm", stamp());
    let added = project.sluicebox(&["plugins", "add", "from/some.wasm"]).with_code(0);
    assert_eq!(added.stdout, "added: stamp 4.1.0 (transform), plugins/stamp.wasm\nlocked: sluicebox.lock\n");
    project.sluicebox(&["run", "stamps.toml"]).with_code(0);
    assert_eq!(project.read("out/stamps.csv"), STAMPED);
    // The lock has it, and all others that were there.
    let lock = project.read("sluicebox.lock");
    assert!(lock.contains("name = \"stamp\"\nversion = \"4.1.0\"\n"), "{lock}");
    assert!(lock.contains("name = \"extract-csv\""), "{lock}");
    project.sluicebox(&["run", "stamps.toml", "--locked"]).with_code(0);

    let again = project.sluicebox(&["plugins", "add", "from"]).with_code(0);
    assert!(again.stdout.starts_with("unchanged: stamp 4.1.0"), "{}", again.stdout);
    project.file("from/some.wasm", stamp_of("4.2.0"));
    let replaced = project.sluicebox(&["plugins", "add", "from", "--name", "stamp"]).with_code(0);
    assert!(replaced.stdout.starts_with("replaced: stamp 4.1.0 by 4.2.0, plugins/stamp.wasm\n"), "{}", replaced.stdout);
    assert!(project.read("sluicebox.lock").contains("name = \"stamp\"\nversion = \"4.2.0\"\n"));

    // Nobody is there to be asked.
    project.file("deeper/more.toml", pipeline("more"));
    let unasked = project.sluicebox(&["plugins", "remove", "stamp"]).with_code(2);
    let told = "pipelines `more` (more.toml, stage number), `stamps` (stamps.toml, stage number) need `stamp`";
    assert!(unasked.stderr.contains(told) && unasked.stderr.contains("add `--yes`"), "{}", unasked.stderr);
    assert!(project.has("plugins/stamp.wasm"));
    let removed = project.sluicebox(&["plugins", "remove", "stamp", "--yes", "--format", "json"]).with_code(0).json();
    assert_eq!(removed["needed-by"], serde_json::json!(["more", "stamps"]));
    assert!(!project.has("plugins/stamp.wasm") && !project.read("sluicebox.lock").contains("\"stamp\""));
    let gone = project.sluicebox(&["check", "stamps.toml"]).with_code(2);
    assert!(gone.stderr.contains("there is no plugin `stamp`; `more` needs it, too"), "{}", gone.stderr);
    let left: Vec<_> = fs::read_dir(project.path().join("plugins")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What stands in `plugins/` by the name of a plugin was meant, though another folder has one that works.
#[test]
fn a_plugin_of_another_folder_does_not_stand_in_unseen() {
    let project = Project::flights();
    project.sluicebox(&["check", "flights.toml"]).with_code(0);
    project.file("plugins/extract-csv.wasm", "no component");
    let checked = project.sluicebox(&["check", "flights.toml", "--format", "json"]).with_code(0).json();
    let problems = checked["problems"].as_array().unwrap();
    // One for each stage that is of it.
    let [problem, _] = problems.as_slice() else { panic!("{problems:?}") };
    let message = problem["message"].as_str().unwrap();
    assert_eq!(problem["level"], "warning", "{message}");
    assert!(message.starts_with("plugin `extract-csv` is taken from /"), "{message}");
    assert!(message.contains("plugins/extract-csv.wasm cannot be used: it is not WebAssembly"), "{message}");
}

#[test]
fn what_is_no_plugin_is_not_added() {
    let project = project();
    project.file("bad/none.wasm", "no component").file("two/a.wasm", stamp()).file("two/b.wasm", stamp());
    project.file("empty/readme.txt", "").file("unbuilt/plugin.toml", "[plugin]\n");
    let told = |arguments: &[&str]| {
        let ended = project.sluicebox(&[&["plugins", "add"], arguments].concat()).with_code(2);
        project.normalise(&ended.stderr)
    };
    insta::assert_snapshot!(
        "not-added",
        [
            told(&["bad/none.wasm"]),
            told(&["bad"]),
            told(&["two"]),
            told(&["two/a.wasm", "--name", "other"]),
            told(&["empty"]),
            told(&["unbuilt"]),
            told(&["nowhere.wasm"]),
        ]
        .concat()
    );
    assert!(!project.has("sluicebox.lock"), "nothing was added");
}

/// Runs a command without the plugins of the tests, among which are some that cannot be locked.
fn alone(project: &Project, arguments: &[&str]) -> Ended {
    project.command(arguments).env_remove("SLUICEBOX_PLUGINS").output().expect("the binary starts").into()
}

#[test]
fn every_file_is_held_against_the_lock() {
    let project = project();
    project.file("plugins/stamp.wasm", stamp());
    let none = alone(&project, &["plugins", "verify"]).with_code(2);
    assert!(none.stderr.contains("there is no sluicebox.lock here or above"), "{}", none.stderr);
    alone(&project, &["plugins", "lock"]).with_code(0);
    let states = |code: i32| {
        let found = alone(&project, &["plugins", "verify", "--format", "json"]).with_code(code).json();
        assert_eq!(found["sound"], code == 0);
        let files = found["files"].as_array().unwrap().iter();
        let odd = files.filter(|file| file["state"] != "ok");
        odd.map(|file| format!("{} {}", file["plugin"].as_str().unwrap(), file["state"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(states(0), Vec::<String>::new());

    // One byte, with size and time as before: nothing but reading it tells.
    let path = project.path().join("plugins/stamp.wasm");
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, stamp_of("4.1.1")).unwrap();
    fs::File::open(&path).unwrap().set_modified(before).unwrap();
    assert_eq!(states(2), ["stamp changed"]);
    // What changed is not compiled, to say nothing of being used.
    let refused = alone(&project, &["run", "stamps.toml", "--locked"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("plugin `stamp` is refused: it is not the one in sluicebox.lock"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("`sluicebox plugins verify` tells all that differs"), "{}", refused.stderr);
    assert!(!project.has("out/stamps.csv"));
    for command in
        [&["check", "stamps.toml"][..], &["backfill", "stamps.toml", "--from", "2026-01-01", "--to", "2026-01-02"]]
    {
        let ended = alone(&project, &[command, &["--locked"]].concat());
        assert_ne!(ended.code, Some(0));
        assert!(ended.stderr.contains("not the one in sluicebox.lock"), "{}", ended.stderr);
    }

    fs::remove_file(&path).unwrap();
    project.file("plugins/other.wasm", stamp_of("4.3.0"));
    assert_eq!(states(2), ["other not locked", "stamp missing"]);
    alone(&project, &["plugins", "lock"]).with_code(0);
    assert_eq!(states(0), Vec::<String>::new());
    alone(&project, &["run", "stamps.toml", "--locked"]).with_code(0);

    project.file("sluicebox.lock", "version = 1\n[[plugin]]\nname = 'stamp'\n");
    let damaged = alone(&project, &["run", "stamps.toml", "--locked"]).with_code(2);
    assert!(damaged.stderr.contains("sluicebox.lock is damaged: missing field"), "{}", damaged.stderr);
    fs::remove_file(project.path().join("sluicebox.lock")).unwrap();
    let none = alone(&project, &["run", "stamps.toml", "--locked"]).with_code(2);
    assert!(none.stderr.contains("`--locked` needs a sluicebox.lock"), "{}", none.stderr);
}

#[test]
fn a_run_is_not_repeated_with_what_is_not_locked() {
    let project = project();
    project.file("plugins/stamp.wasm", stamp());
    project.sluicebox(&["run", "stamps.toml"]).with_code(0);
    project.sluicebox(&["plugins", "lock"]).with_code(0);
    project.sluicebox(&["rerun", "last", "--locked"]).with_code(0);
    project.file("new.wasm", stamp_of("4.2.0"));
    project.sluicebox(&["plugins", "add", "new.wasm"]).with_code(0);
    // It would be repeated with the component that it was made with.
    let refused = project.sluicebox(&["rerun", "last", "--locked"]).with_code(2);
    assert!(refused.stderr.contains("plugin `stamp` is not the one in sluicebox.lock"), "{}", refused.stderr);
    project.sluicebox(&["rerun", "last", "--locked", "--latest"]).with_code(0);
    project.sluicebox(&["rerun", "last"]).with_code(0);
}

#[test]
fn a_plugin_is_shown_with_what_it_imports() {
    let project = project();
    project.file("plugins/stamp.wasm", stamp());
    let shown = project.sluicebox(&["plugins", "show", "stamp"]).with_code(0);
    insta::assert_snapshot!("shown", project.normalise(&shown.stdout));
    let shown = project.sluicebox(&["plugins", "show", "stamp", "--format", "json"]).with_code(0).json();
    assert_eq!(shown["contract"], "0.1.0");
    let imports = shown["imports"].as_array().unwrap();
    assert!(imports.contains(&"sluicebox:stage/batches@0.1.0".into()), "{imports:?}");
}
