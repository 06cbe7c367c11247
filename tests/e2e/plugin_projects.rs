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
    made_with(language, kind, file, |_, _| {})
}

/// The same of a project that was changed before it was built.
fn made_with(language: &str, kind: &str, file: &str, change: impl Fn(&Project, &str)) -> String {
    let project = Project::new();
    let name = format!("my-{kind}-{language}");
    let new = sluicebox(&project, "", &["plugin", "new", &name, "--kind", kind, "--lang", language]).with_code(0);
    assert!(new.stdout.contains("sluicebox plugin test"), "{}", new.stdout);
    change(&project, &name);
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
    // A process of its own: what was compiled is kept for it.
    let ran = sluicebox(&project, &name, &["run", "pipeline.toml"]).with_code(0);
    assert!(!ran.stderr.contains(&format!("compiling {name}")), "{}", ran.stderr);
    let out = project.path().join(&name).join("out");
    if file.is_empty() {
        // One file a load, named after it.
        let folder = fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
        let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        return fs::read_to_string(file).unwrap();
    }
    fs::read_to_string(out.join(file)).unwrap()
}

// The transforms stand in one pipeline: see sdks.rs.

/// The cities of the sample, of which one line is broken.
fn has_cities(read: &str) {
    assert_eq!(read.lines().next(), Some("city,celsius"), "{read}");
    assert!(read.contains("Nairobi,24.25") && read.lines().count() > 3, "{read}");
}

/// Four of five rows; the one of 1,576 miles is out of bounds.
fn has_short_flights(checked: &str) {
    assert_eq!(checked.lines().next(), Some("origin,dest,distance,air_time"), "{checked}");
    assert!(checked.lines().count() == 1 + 4 && checked.contains("LGA,ATL,762,116"), "{checked}");
    assert!(!checked.contains("1576"), "{checked}");
}

/// All rows of the sample with tabs between their values.
fn has_tabs(written: &str) {
    assert!(written.lines().count() == 1 + 5 && written.contains("JFK\tMIA\t1089"), "{written}");
}

#[test]
fn rust_projects_build_and_run() {
    assert_eq!(made("rust", "extract", "").lines().count(), 1 + 1000);
    let checked = made("rust", "validate", "sample.csv");
    assert!(checked.lines().count() == 1 + 4 && !checked.contains("BQN"), "{checked}");
    assert_eq!(made("rust", "load", "rows.txt"), "5\n");
}

#[test]
fn go_projects_build_and_run() {
    has_cities(&made("go", "extract", ""));
    has_short_flights(&made("go", "validate", "sample.csv"));
    has_tabs(&made("go", "load", "sample.tsv"));
}

#[test]
fn typescript_projects_build_and_run() {
    has_cities(&made("typescript", "extract", ""));
    has_short_flights(&made("typescript", "validate", "sample.csv"));
    has_tabs(&made("typescript", "load", "sample.tsv"));
}

#[test]
fn c_projects_build_and_run() {
    has_cities(&made("c", "extract", ""));
    has_short_flights(&made("c", "validate", "sample.csv"));
    has_tabs(&made("c", "load", "sample.tsv"));
}

#[test]
fn python_projects_build_and_run() {
    has_cities(&made("python", "extract", ""));
    // With a package of PyPI, which its own tests find, too.
    let checked = made_with("python", "validate", "sample.csv", |project, name| {
        project.file(&format!("{name}/requirements.txt"), "# Words.\ninflection==0.5.1\n");
        let stage = project.read(&format!("{name}/stage.py"));
        let stage = stage.replace("from sluicebox import", "import inflection\nfrom sluicebox import");
        let changed = stage.replace("\"there are rows\"", "f\"there are {inflection.pluralize('row')}\"");
        assert_ne!(changed, stage);
        project.file(&format!("{name}/stage.py"), changed);
        project.file(
            &format!("{name}/tests/packages.toml"),
            "[[case]]\nname = \"said by a package\"\nconfig = { column = \"n\", low = 0, high = 1 }\ninput.rows = [{ n = 1 }]\n\
             expect.rules = [{ name = \"bounds\" }, { name = \"any-rows\", summary = \"there are rows\" }]\n",
        );
    });
    has_short_flights(&checked);
    has_tabs(&made("python", "load", "sample.tsv"));
}

/// A stage in plain JavaScript, without types: `stage.js`.
#[test]
fn a_stage_in_plain_javascript_builds_and_runs() {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "plain", "--kind", "transform", "--lang", "javascript"]).with_code(0);
    for file in ["stage.ts", "stage.test.ts", "tsconfig.json"] {
        fs::remove_file(project.path().join("plain").join(file)).unwrap();
    }
    project.file("plain/stage.js", include_str!("plugin_projects/plain.js"));
    let cases = project.read("plain/tests/cases.toml");
    let first = cases.split("\n[[case]]").next().unwrap().to_owned();
    project.file("plain/tests/cases.toml", first);
    let tested = sluicebox(&project, "plain", &["plugin", "test", "--yes"]).with_code(0).stdout;
    assert!(tested.ends_with("1 case passed, no tests of its own\n"), "{tested}");
    sluicebox(&project, "plain", &["run", "pipeline.toml"]).with_code(0);
    assert!(project.read("plain/out/sample.csv").contains("JFK,MIA,1089,160,6.80625"));
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

    // What the compiler says comes first, its errors before its warnings: see plugin_dev.rs for each language.
    let source = project.read("stamp/src/lib.rs");
    project
        .file("stamp/src/lib.rs", format!("{}\nuse std::collections::BTreeMap;\n", source.replace("count(", "cuont(")));
    let broken = sluicebox(&project, "stamp", &["plugin", "build", "--yes"]).with_code(1);
    let said = &broken.stderr[broken.stderr.find('\n').unwrap() + 1..];
    assert!(said.starts_with("error[E04") && said.contains("unused import"), "{said}");
    tells(&broken, &["src/lib.rs:", "`stamp` does not build"]);
    assert!(!project.has("stamp/plugins/stamp.wasm"));
    project.file("stamp/src/lib.rs", source);

    // A stage that is not what its project says is not kept.
    let text = project.read("stamp/plugin.toml");
    project.file("stamp/plugin.toml", text.replace("transform", "load"));
    let other = sluicebox(&project, "stamp", &["plugin", "build", "--yes"]).with_code(2);
    tells(&other, &["the stage is of kind transform, and plugin.toml says load"]);
    assert!(!project.has("stamp/plugins/stamp.wasm"));

    // Nor one of another name, nor a module that is no stage at all.
    project.file("stamp/plugin.toml", &text);
    let manifest = project.read("stamp/Cargo.toml");
    let named = manifest.replace("name = \"stamp\"", "name = \"other\"").replace("[lib]", "[lib]\nname = \"stamp\"");
    project.file("stamp/Cargo.toml", named);
    let other = sluicebox(&project, "stamp", &["plugin", "build", "--yes"]).with_code(2);
    tells(&other, &["the stage calls itself `other`, and the project `stamp`", "give both the same name"]);
    project.file("stamp/Cargo.toml", manifest);
    project.file("stamp/src/lib.rs", "");
    let none = sluicebox(&project, "stamp", &["plugin", "build", "--yes"]).with_code(2);
    tells(&none, &["what was built is no stage: "]);
    let left: Vec<_> = fs::read_dir(project.path().join("stamp/plugins")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Options whose schema is none are told before anybody writes a pipeline with them.
#[test]
fn a_schema_that_is_none_is_told() {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "odd", "--kind", "transform", "--lang", "c"]).with_code(0);
    let source = project.read("odd/stage.c");
    let wrong = "    {.name = \"more\", .type = SB_JSON, .description = \"More.\", .fallback = \"[]\", .schema = \"{\\\"type\\\":\\\"lots\\\"}\"},\n};";
    let source = source.replacen("};", wrong, 1);
    assert!(source.contains("lots"), "{source}");
    project.file("odd/stage.c", source);
    let told = sluicebox(&project, "odd", &["plugin", "build", "--yes"]).with_code(2).stderr;
    assert!(told.contains("what the stage says of its options is no JSON Schema"), "{told}");
    assert!(told.contains("/properties/more/type") || told.contains("lots"), "{told}");
    assert!(!project.has("odd/plugins/odd.wasm"));
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
        let project = example_of(language, what);
        if what == "join-text" {
            memory_is_flat(&project, what);
        }
    }
}

fn example_of(language: &str, what: &str) -> Project {
    let project = Project::new();
    copy(&root().join("examples/plugins").join(language).join(what), &project.path().join(what));
    let tested = sluicebox(&project, what, &["plugin", "test", "--yes"]).with_code(0).stdout;
    assert!(tested.ends_with(" cases passed, the project's own tests passed\n"), "{tested}");
    project
}

/// An instance that was given 100,000 batches has no more memory than one that was given 10,000: nothing of a batch is kept.
fn memory_is_flat(project: &Project, what: &str) {
    let mut cases = String::new();
    for batches in [10_000, 100_000] {
        let rows: String = (0..batches).map(|row| format!("a{row},b{}\n", row % 7)).collect();
        project.file(&format!("{what}/tests/{batches}.csv"), format!("origin,dest\n{rows}"));
        cases.push_str(&format!(
            "[[case]]\nname = \"{batches} batches\"\nbatch-rows = 1\nconfig = {{ columns = [\"origin\", \"dest\"] }}\n\
             input.csv-file = \"{batches}.csv\"\n\
             expect.columns = {{ origin = \"utf8\", dest = \"utf8\", joined = \"utf8\" }}\n\n"
        ));
    }
    project.file(&format!("{what}/tests/flat.toml"), cases);
    let test = ["plugin", "test", "--cases-only", "--case", "0 batches", "--format", "json"];
    let told = sluicebox(project, what, &test).with_code(0).json();
    let peak = |at: usize| told["cases"][at]["memory-peak-bytes"].as_u64().unwrap();
    assert_eq!(told["cases"].as_array().unwrap().len(), 2, "{told}");
    let (some, many) = (peak(0), peak(1));
    assert!(some > 0 && many <= some + (1 << 20), "{some} bytes after 10,000 batches, {many} after 100,000");
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

/// The header serves C++ as well; its own tests are in C++, too.
#[test]
fn the_example_in_cpp_passes() {
    example_of("cpp", "join-text");
}

/// Templates, examples and conformance stages in Rust stand outside of the workspace: they are formatted and without warnings, too.
#[test]
fn sources_in_rust_are_clean() {
    let project = Project::new();
    let tools = told("SLUICEBOX_TEST_TOOLS");
    for kind in ["extract", "transform", "validate", "load"] {
        let name = format!("new-{kind}");
        sluicebox(&project, "", &["plugin", "new", &name, "--kind", kind, "--lang", "rust"]).with_code(0);
    }
    // Brings the SDK.
    sluicebox(&project, "new-transform", &["plugin", "build", "--yes"]).with_code(0);
    for folder in ["examples/plugins/rust", "tests/conformance/rust"] {
        for entry in fs::read_dir(root().join(folder)).unwrap().flatten() {
            copy(&entry.path(), &project.path().join(entry.file_name()));
        }
    }
    let sdk = format!("path = \"{}/sdk/rust\"", tools.display());
    let (mut members, mut sources) = (0, Vec::new());
    for entry in fs::read_dir(project.path()).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        // One workspace for all of them, so that what they stand on is checked once.
        let folder = entry.file_name().to_string_lossy().into_owned();
        let manifest = format!("{folder}/Cargo.toml");
        let text = project.read(&manifest).replace("path = \".tools/sdk/rust\"", &sdk);
        let own = text.find("[profile").into_iter().chain(text.find("[workspace")).min().unwrap_or(text.len());
        project.file(&manifest, &text[..own]);
        sources.push(format!("{folder}/src/lib.rs"));
        members += 1;
    }
    assert_eq!(members, 12);
    project.file("Cargo.toml", "[workspace]\nmembers = [\"*\"]\nresolver = \"3\"\n");
    let succeeds = |command: &mut std::process::Command| {
        let ended = Ended::from(command.current_dir(project.path()).output().expect("it starts"));
        assert_eq!(ended.code, Some(0), "{command:?}:\n{}\n{}", ended.stdout, ended.stderr);
    };
    let mut rustfmt = std::process::Command::new("rustfmt");
    succeeds(rustfmt.args(["--check", "--edition", "2024", "--config-path"]).arg(root()).args(&sources));
    let mut clippy = std::process::Command::new("cargo");
    clippy.args(["clippy", "--quiet", "--all-targets", "--", "--deny", "warnings"]);
    succeeds(clippy.env("CARGO_TARGET_DIR", tools.join("target")));
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

/// Runs a command on a terminal; answers with what it showed there.
fn on_terminal(project: &Project, folder: &str, tools: &Path, line: &str, answer: &str) -> Ended {
    let mut command = std::process::Command::new("script");
    let program = sluicebox_tests::binary();
    command.args(["-qec", &format!("{} {line}", program.display()), "/dev/null"]);
    command.current_dir(project.path().join(folder)).env("TERM", "xterm").env("SLUICEBOX_TOOLS", tools);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().expect("script, of bsdutils, starts");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), answer.as_bytes()).unwrap();
    child.wait_with_output().expect("it ends").into()
}

/// On a terminal a line moves while the compiler is at work, and is gone afterwards.
#[test]
fn a_build_shows_how_far_it_is() {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "ratio", "--kind", "transform", "--lang", "go"]).with_code(0);
    let tools = told("SLUICEBOX_TEST_TOOLS");
    let first = on_terminal(&project, "ratio", &tools, "plugin build --yes", "").with_code(0).stdout;
    assert!(first.contains("building `ratio`") && first.contains("s of about 10 s"), "{first:?}");
    let last = first.rfind(" of about ").unwrap();
    // Compiling it for the machine, if no other test has done that already, comes after it, on a line of its own.
    assert!(first.find("compiling ratio (").is_none_or(|at| at > last), "{first:?}");
    assert!(first.trim_end().ends_with("Adds the ratio of two columns"), "{first:?}");
    // The next time, as long as this one took.
    let main = project.read("ratio/main.go");
    project.file("ratio/main.go", format!("{main}\n// changed\n"));
    let second = on_terminal(&project, "ratio", &tools, "plugin test", "").with_code(0).stdout;
    assert!(second.contains("building `ratio`") && !second.contains(" of about 10 s"), "{second:?}");
    assert!(second.contains("testing"), "{second:?}");
}

/// On a terminal it is asked what is to be installed, and no is an answer.
#[test]
fn what_is_installed_is_asked_for() {
    let project = Project::new();
    project.sluicebox(&["plugin", "new", "stamp", "--kind", "transform", "--lang", "python"]).with_code(0);
    let none = project.path().join("none");
    let ended = on_terminal(&project, "", &none, "plugin build stamp", "n\n").with_code(2);
    for told in ["componentize-py 0.25.1", "go on? [y/N]", "nothing was installed"] {
        assert!(ended.stdout.contains(told), "{}", ended.stdout);
    }
    assert!(!project.has("none/pip"));
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
