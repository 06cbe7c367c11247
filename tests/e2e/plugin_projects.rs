//! Plugins of one's own, from an empty folder to a pipeline, in every language with an SDK.

use sluicebox_tests::{Ended, Project, root, told};
use std::fs;
use std::path::Path;

/// Tools and what cargo builds are shared by all projects of the tests: they are installed and compiled once.
pub(crate) fn sluicebox(project: &Project, folder: &str, arguments: &[&str]) -> Ended {
    let tools = told("SLUICEBOX_TEST_TOOLS");
    let mut command = project.command(arguments);
    command.current_dir(project.path().join(folder));
    command.env("SLUICEBOX_TOOLS", &tools).env("CARGO_TARGET_DIR", tools.join("target"));
    command.output().expect("the binary starts").into()
}

/// Makes a project, builds it, tests it and runs its pipeline; answers with a file that is left.
fn made(language: &str, kind: &str, file: &str) -> String {
    let project = Project::new();
    let name = format!("my-{kind}-{language}");
    let new = sluicebox(&project, "", &["plugin", "new", &name, "--kind", kind, "--lang", language]).with_code(0);
    assert!(new.stdout.contains("sluicebox plugin test"), "{}", new.stdout);
    let built = sluicebox(&project, &name, &["plugin", "build", "--yes", "--format", "json"]).with_code(0).json();
    assert_eq!((built["name"].as_str(), built["kind"].as_str()), (Some(name.as_str()), Some(kind)), "{built}");
    let left: Vec<String> = fs::read_dir(project.path().join(&name).join("plugins"))
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left, [format!("{name}.wasm")], "nothing half made is left");
    let tested = sluicebox(&project, &name, &["plugin", "test"]).with_code(0);
    assert!(tested.stdout.ends_with(" cases passed, the project's own tests passed\n"), "{}", tested.stdout);
    assert!(!tested.stderr.contains("building"), "it was built just now: {}", tested.stderr);
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
fn typescript_projects_build_and_run() {
    assert!(made("typescript", "extract", "").contains("Nairobi,24.25"));
    let ratios = made("typescript", "transform", "sample.csv");
    assert!(ratios.starts_with("origin,dest,distance,air_time,miles_per_minute\n"), "{ratios}");
    assert!(!made("typescript", "validate", "sample.csv").contains("1576"));
    assert!(made("typescript", "load", "sample.tsv").contains("JFK\tMIA\t1089"));
}

#[test]
fn c_projects_build_and_run() {
    assert!(made("c", "extract", "").contains("Nairobi,24.25"));
    let ratios = made("c", "transform", "sample.csv");
    assert!(ratios.starts_with("origin,dest,distance,air_time,miles_per_minute\n"), "{ratios}");
    assert!(!made("c", "validate", "sample.csv").contains("1576"));
    assert!(made("c", "load", "sample.tsv").contains("JFK\tMIA\t1089"));
}

/// The header serves C++ as well.
#[test]
fn a_stage_in_cpp_builds_and_passes_its_cases() {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "ratio", "--kind", "transform", "--lang", "c"]).with_code(0);
    let text = project.read("ratio/stage.c");
    fs::remove_file(project.path().join("ratio/stage.c")).unwrap();
    let text = format!("#include <string>\n#include <vector>\n\nstatic std::vector<std::string> seen;\n\n{text}");
    let text = text.replace("(void)input;", "seen.push_back(std::to_string(input));");
    project.file("ratio/stage.cpp", text);
    let tested = sluicebox(&project, "ratio", &["plugin", "test", "--cases-only", "--yes"]).with_code(0).stdout;
    assert!(tested.ends_with("2 cases passed\n"), "{tested}");
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

/// A case that fails shows how; `--update` writes it anew.
#[test]
fn a_case_that_fails_shows_the_rows() {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "keep", "--kind", "transform", "--lang", "rust"]).with_code(0);
    sluicebox(&project, "keep", &["plugin", "build", "--yes"]).with_code(0);
    let text = project.read("keep/tests/cases.toml");
    project.file(
        "keep/tests/cases.toml",
        text.replace("MIA,150.0\n\"\"\"\nexpect.counters", "MIA,151.0\n\"\"\"\nexpect.counters"),
    );
    let test = ["plugin", "test", "--cases-only"];
    let failed = sluicebox(&project, "keep", &test).with_code(1).stdout;
    let wanted = "  failed   tests/cases.toml: keeps what is great enough\n    \
                  the rows are not as expected (- expected, + seen)\n    \
                  \x20  dest  air_time\n    \
                  \x20  IAH   227.0\n    \
                  -  MIA   151.0\n    \
                  +  MIA   150.0\n";
    let shown: String = failed.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    assert!(shown.contains(wanted), "{shown}");
    assert!(failed.ends_with("1 case passed, 1 failed\n"), "{failed}");

    let updated = sluicebox(&project, "keep", &[&test[..], &["--update"]].concat()).with_code(0).stdout;
    assert!(updated.contains("1 written anew"), "{updated}");
    assert_eq!(project.read("keep/tests/cases.toml"), text, "nothing else of the file changed");

    // A file of cases that cannot be read is told with its place.
    project.file("keep/tests/more.toml", "[[case]]\nname = \"a\"\nexpects.csv = \"\"\n");
    let wrong = sluicebox(&project, "keep", &test).with_code(2).stderr;
    assert!(wrong.contains("tests/more.toml") && wrong.contains("line 3") && wrong.contains("expects"), "{wrong}");
    project.file("keep/tests/more.toml", "[[case]]\nname = \"a\"\ninput.rows = [{ a = 1 }]\n");
    let wrong = sluicebox(&project, "keep", &test).with_code(1).stdout;
    assert!(wrong.contains("it expects nothing") && wrong.contains("--update"), "{wrong}");
    let none = sluicebox(&project, "keep", &["plugin", "test", "--case", "no such"]).with_code(2).stderr;
    assert!(none.contains("no case has `no such`"), "{none}");
}

/// The examples pass their cases and their own tests.
fn example(language: &str) {
    for what in ["numbers", "join-text", "known-values", "json-lines"] {
        let project = Project::new();
        copy(&root().join("examples/plugins").join(language).join(what), &project.path().join(what));
        let tested = sluicebox(&project, what, &["plugin", "test", "--yes"]).with_code(0).stdout;
        assert!(tested.ends_with(" cases passed, the project's own tests passed\n"), "{tested}");
    }
}

#[test]
fn examples_in_rust_pass() {
    example("rust");
}

#[test]
fn examples_in_python_pass() {
    example("python");
}

#[test]
fn examples_in_typescript_pass() {
    example("typescript");
}

#[test]
fn examples_in_c_pass() {
    example("c");
}

#[test]
fn examples_in_go_pass() {
    example("go");
}

/// Copies a folder without what is installed or made.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if [".tools", "plugins", "out", "target", "__pycache__"].iter().any(|left| name == *left) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(name));
        } else {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
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
