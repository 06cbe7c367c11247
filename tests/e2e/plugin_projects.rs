//! Plugins of one's own, from an empty folder to a pipeline, in every language with an SDK.

use sluicebox_tests::{Ended, Project, told};
use std::fs;

/// Tools and what cargo builds are shared by all projects of the tests: they are installed and compiled once.
fn sluicebox(project: &Project, folder: &str, arguments: &[&str]) -> Ended {
    let tools = told("SLUICEBOX_TEST_TOOLS");
    let mut command = project.command(arguments);
    command.current_dir(project.path().join(folder));
    command.env("SLUICEBOX_TOOLS", &tools).env("CARGO_TARGET_DIR", tools.join("target"));
    command.output().expect("the binary starts").into()
}

/// Makes a project, builds it and runs its pipeline; answers with a file that is left.
fn made(language: &str, kind: &str, file: &str) -> String {
    let project = Project::new();
    let name = format!("my-{kind}-{language}");
    let new = sluicebox(&project, "", &["plugin", "new", &name, "--kind", kind, "--lang", language]).with_code(0);
    assert!(new.stdout.contains("sluicebox plugin build"), "{}", new.stdout);
    let built = sluicebox(&project, &name, &["plugin", "build", "--yes", "--format", "json"]).with_code(0).json();
    assert_eq!((built["name"].as_str(), built["kind"].as_str()), (Some(name.as_str()), Some(kind)), "{built}");
    let left: Vec<String> = fs::read_dir(project.path().join(&name).join("plugins"))
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left, [format!("{name}.wasm")], "nothing half made is left");
    sluicebox(&project, &name, &["run", "pipeline.toml"]).with_code(0);
    let out = project.path().join(&name).join("out");
    if file.is_empty() {
        // One file a load, named after it.
        let folder = fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
        let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        return fs::read_to_string(file).unwrap();
    }
    fs::read_to_string(out.join(file)).unwrap()
}

#[test]
fn rust_projects_build_and_run() {
    assert_eq!(made("rust", "extract", "").lines().count(), 1 + 1000);
    let long = made("rust", "transform", "sample.csv");
    assert_eq!(long.lines().count(), 1 + 3, "{long}");
    let checked = made("rust", "validate", "sample.csv");
    assert!(checked.lines().count() == 1 + 4 && !checked.contains("BQN"), "{checked}");
    assert_eq!(made("rust", "load", "rows.txt"), "5\n");
}

#[test]
fn go_projects_build_and_run() {
    assert!(made("go", "extract", "").contains("Nairobi,24.25"));
    let ratios = made("go", "transform", "sample.csv");
    assert!(ratios.starts_with("origin,dest,distance,air_time,miles_per_minute\n"), "{ratios}");
    assert!(!made("go", "validate", "sample.csv").contains("1576"));
    assert!(made("go", "load", "sample.tsv").contains("JFK\tMIA\t1089"));
}

#[test]
fn python_projects_build_and_run() {
    let ratios = made("python", "transform", "sample.csv");
    assert!(ratios.starts_with("origin,dest,distance,air_time,miles_per_minute\n"), "{ratios}");
    assert!(made("python", "load", "sample.tsv").contains("JFK\tMIA\t1089"));
}

#[test]
fn what_is_wrong_with_a_project_is_told() {
    let project = Project::new();
    let new = ["plugin", "new", "stamp", "--kind", "transform", "--lang", "rust"];
    sluicebox(&project, "", &new).with_code(0);
    let tells = |ended: &Ended, words: &[&str]| {
        for word in words {
            assert!(ended.stderr.contains(word), "no `{word}`: {}", ended.stderr);
        }
    };
    tells(&sluicebox(&project, "", &new).with_code(2), &["is there already", "--into"]);
    let bad = ["plugin", "new", "Stamp 2", "--kind", "transform", "--lang", "rust"];
    tells(&sluicebox(&project, "", &bad).with_code(2), &["no name for a plugin", "joined by hyphens"]);
    tells(&sluicebox(&project, "", &["plugin", "build"]).with_code(2), &["no plugin's project", "plugin new"]);

    // What the compiler says comes first, and is its own.
    let source = project.read("stamp/src/lib.rs");
    project.file("stamp/src/lib.rs", source.replace("count(", "cuont("));
    let broken = sluicebox(&project, "stamp", &["plugin", "build", "--yes"]).with_code(1);
    tells(&broken, &["error[E04", "src/lib.rs:", "`stamp` does not build"]);
    assert!(!project.has("stamp/plugins/stamp.wasm"));
    project.file("stamp/src/lib.rs", source);

    // A stage that is not what its project says is not kept.
    let text = project.read("stamp/plugin.toml");
    project.file("stamp/plugin.toml", text.replace("transform", "load"));
    let other = sluicebox(&project, "stamp", &["plugin", "build", "--yes"]).with_code(2);
    tells(&other, &["the stage is of kind transform, and plugin.toml says load"]);
    assert!(!project.has("stamp/plugins/stamp.wasm"));
}

/// Nothing is installed without being asked for.
#[test]
fn nothing_is_installed_unasked() {
    let project = Project::new();
    let new = ["plugin", "new", "stamp", "--kind", "transform", "--lang", "python"];
    project.sluicebox(&new).with_code(0);
    let mut command = project.command(&["plugin", "build", "stamp"]);
    command.env("SLUICEBOX_TOOLS", project.path().join("none"));
    let refused: Ended = command.output().expect("the binary starts").into();
    let refused = refused.with_code(2);
    for word in ["componentize-py 0.25.1", "--yes"] {
        assert!(refused.stderr.contains(word), "{}", refused.stderr);
    }
    assert!(!project.path().join("none/pip").exists());
}
