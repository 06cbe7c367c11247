//! Past intervals, and rows that were set aside: both are loaded in the end, once.

use sluicebox_tests::Project;
use std::fs;

/// Reads the file of its interval's day.
const DAYS: &str = r#"
[pipeline]
name = "days"

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["in"]
config = { path = "in/${interval.date}.csv" }

[[stage]]
name = "out"
plugin = "load-csv"
inputs = ["read"]
grants.write = ["out"]
config = { path = "out", mode = "append" }
"#;

fn day(number: u32) -> String {
    format!("id,day\n{number},{number}\n{},{number}\n", number + 100)
}

fn days(project: &Project, numbers: impl Iterator<Item = u32>) {
    for number in numbers {
        project.file(&format!("in/2026-01-{number:02}.csv"), day(number));
    }
}

/// The rows of all files in a folder, in order.
fn shown(project: &Project, folder: &str) -> Vec<String> {
    let Ok(files) = fs::read_dir(project.path().join(folder)) else { return Vec::new() };
    let mut rows: Vec<String> = files
        .map(Result::unwrap)
        .filter(|file| !file.file_name().to_string_lossy().starts_with('.'))
        .flat_map(|file| {
            fs::read_to_string(file.path()).unwrap().lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    rows.sort();
    rows
}

fn outcomes(answer: &serde_json::Value) -> Vec<String> {
    let intervals = answer["intervals"].as_array().unwrap();
    intervals.iter().map(|line| line["outcome"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_backfill_goes_on_where_it_stopped() {
    let project = Project::new();
    project.file("days.toml", DAYS);
    days(&project, [1, 2, 4].into_iter());
    let backfill = |more: &[&str]| {
        let mut arguments =
            vec!["backfill", "days.toml", "--from", "2026-01-01", "--to", "2026-01-05", "--format", "json"];
        arguments.extend(more);
        project.sluicebox(&arguments)
    };
    let planned = backfill(&["--dry-run"]).with_code(0).json();
    assert_eq!(outcomes(&planned), ["planned"; 4]);
    assert!(!project.has(".sluicebox"), "a dry run leaves nothing behind");

    // The third day has no file yet.
    let first = backfill(&[]).with_code(1).json();
    assert_eq!(outcomes(&first), ["succeeded", "succeeded", "failed", "succeeded"]);
    days(&project, [3].into_iter());
    let second = backfill(&[]).with_code(0).json();
    assert_eq!(outcomes(&second), ["skipped", "skipped", "succeeded", "skipped"]);
    let again = backfill(&["--again", "--parallel", "3"]).with_code(0).json();
    assert_eq!(outcomes(&again), ["succeeded"; 4]);
    // Every run replaced its own rows.
    assert_eq!(shown(&project, "out").len(), 8);

    let runs = project.sluicebox(&["runs", "--format", "json"]).with_code(0).json();
    assert!(runs["runs"].as_array().unwrap().iter().all(|run| run["trigger"] == "backfill"));
    let cut =
        project.sluicebox(&["backfill", "days.toml", "--from", "2026-01-01", "--to", "2026-01-05", "--every", "3d"]);
    assert!(cut.with_code(2).stderr.contains("would be cut"));
}

#[test]
fn a_killed_backfill_is_taken_up_again() {
    let project = Project::new();
    project.file("days.toml", DAYS);
    days(&project, 1..=6);
    let arguments = ["backfill", "days.toml", "--from", "2026-01-01", "--to", "2026-01-07", "--format", "json"];
    let killed = project.command(&arguments).env("SLUICEBOX_TEST_DIE_AT", "12").output().unwrap();
    assert!(!killed.status.success());
    let answer = project.sluicebox(&arguments).with_code(0).json();
    let outcomes = outcomes(&answer);
    assert!(outcomes.contains(&"skipped".to_owned()) && outcomes.contains(&"succeeded".to_owned()), "{outcomes:?}");
    let mut wanted: Vec<String> = (1..=6).flat_map(|n| [format!("{n},{n}"), format!("{},{n}", n + 100)]).collect();
    wanted.sort();
    assert_eq!(shown(&project, "out"), wanted);
}

#[test]
fn what_has_bookmarks_is_not_backfilled() {
    let project = Project::new();
    let incremental = DAYS.replace("in/${interval.date}.csv\"", "in/*.csv\", incremental = \"new-files\"");
    project.file("days.toml", &incremental);
    days(&project, 1..=3);
    let arguments = ["backfill", "days.toml", "--from", "2026-01-01", "--to", "2026-01-04", "--parallel", "2"];
    let first = project.sluicebox(&arguments).with_code(1);
    assert!(first.stderr.contains("cannot be backfilled: stage `read` has a bookmark"), "{}", first.stderr);
    let second = project.sluicebox(&arguments).with_code(2);
    assert!(second.stderr.contains("has a bookmark"), "{}", second.stderr);
    let runs = project.sluicebox(&["runs", "--format", "json"]).with_code(0).json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn the_data_interval_has_three_names() {
    let project = Project::new();
    project.file("days.toml", DAYS.replace("interval.date", "interval.foo"));
    let told = project.sluicebox(&["check", "days.toml"]).with_code(2).stderr;
    for name in ["${interval.start}", "${interval.end}", "${interval.date}"] {
        assert!(told.contains(name), "{told}");
    }
}

/// A check that rejects prices below nothing.
const ORDERS: &str = r#"
[pipeline]
name = "orders"

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["in"]
config = { path = "in/orders.csv" }

[[stage]]
name = "check"
plugin = "validate-rules"
inputs = ["read"]
config = { rules = [{ name = "price", column = "price", between = [0, 1000] }] }

[[stage]]
name = "out"
plugin = "load-csv"
inputs = ["check"]
grants.write = ["out"]
config = { path = "out", mode = "append" }
"#;

fn orders() -> Project {
    let project = Project::new();
    project.file("orders.toml", ORDERS);
    project.file("in/orders.csv", "id,price\n1,10\n2,-1\n3,30\n4,-20\n");
    project.sluicebox(&["run", "orders.toml"]).with_code(0);
    assert_eq!(shown(&project, "out"), ["1,10", "3,30"]);
    project
}

fn waiting(project: &Project) -> Vec<(String, u64)> {
    let list = project.sluicebox(&["quarantine", "list", "--format", "json"]).with_code(0).json();
    let found = list["set-aside"].as_array().unwrap();
    found.iter().map(|of| (of["stage"].as_str().unwrap().to_owned(), of["rows"].as_u64().unwrap())).collect()
}

#[test]
fn rejected_rows_have_a_second_life() {
    let project = orders();
    let first = project.sluicebox(&["runs", "--format", "json"]).json()["runs"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(waiting(&project), [("check".to_owned(), 2)]);

    // The author finds that a little below nothing is fine.
    project.file("orders.toml", ORDERS.replace("[0, ", "[-10, "));

    // With another plugin than the locked one nothing becomes of them.
    project.sluicebox(&["plugins", "lock"]).with_code(0);
    let lock = project.read("sluicebox.lock");
    let (before, of_rules) = lock.split_once("name = \"validate-rules\"").unwrap();
    let digest = of_rules.split("digest = \"").nth(1).unwrap().split('"').next().unwrap();
    let other = of_rules.replace(digest, &"0".repeat(digest.len()));
    project.file("sluicebox.lock", format!("{before}name = \"validate-rules\"{other}"));
    let refused = project.sluicebox(&["quarantine", "replay", "last", "--locked"]).with_code(2).stderr;
    assert!(refused.contains("plugin `validate-rules` is refused: it is not the one in sluicebox.lock"), "{refused}");
    assert_eq!(waiting(&project), [("check".to_owned(), 2)]);
    std::fs::remove_file(project.path().join("sluicebox.lock")).unwrap();
    let none = project.sluicebox(&["quarantine", "replay", "last", "--locked"]).with_code(2).stderr;
    assert!(none.contains("`--locked` needs a sluicebox.lock"), "{none}");

    let replayed = project.sluicebox(&["quarantine", "replay", "last", "--format", "json"]).with_code(0).json();
    assert_eq!((replayed["trigger"].as_str(), replayed["repeats"].as_str()), (Some("replay"), Some(first.as_str())));
    assert_eq!(shown(&project, "out"), ["1,10", "2,-1", "3,30"]);

    // What fell out again is that of the new run.
    assert_eq!(waiting(&project), [("check".to_owned(), 1)]);
    let all = project.sluicebox(&["quarantine", "list", "--all", "--format", "json"]).with_code(0).json();
    let old = all["set-aside"].as_array().unwrap().iter().find(|of| of["run"] == first.as_str()).unwrap().clone();
    assert_eq!((old["dealt"].as_str(), old["dealt-by"].as_str()), (Some("replayed"), replayed["id"].as_str()));

    // Once is enough, and a replay is not run as a whole.
    let told = project.sluicebox(&["quarantine", "replay", &first]).with_code(2).stderr;
    assert!(told.contains("waits to be replayed"), "{told}");
    let told = project.sluicebox(&["rerun", "last"]).with_code(2).stderr;
    assert!(told.contains("replayed rows"), "{told}");

    let dropped = project.sluicebox(&["quarantine", "drop", "last"]).with_code(0).stdout;
    assert!(dropped.starts_with("1 row of run"), "{dropped}");
    assert_eq!(waiting(&project), []);
}

fn last_id(project: &Project) -> String {
    let runs = project.sluicebox(&["runs", "--format", "json"]).with_code(0).json();
    runs["runs"][0]["id"].as_str().unwrap().to_owned()
}

/// Two checks of which the name of one begins with that of the other.
#[test]
fn a_replay_of_one_stage_settles_no_rows_of_another() {
    let project = Project::new();
    let second = r#"
[[stage]]
name = "check-2"
plugin = "validate-rules"
inputs = ["check"]
config = { rules = [{ name = "id", column = "id", between = [0, 2] }] }
"#;
    let two = ORDERS.replace("\n[[stage]]\nname = \"out\"", &format!("{second}\n[[stage]]\nname = \"out\""));
    let two = two.replace("inputs = [\"check\"]\ngrants", "inputs = [\"check-2\"]\ngrants");
    project.file("orders.toml", &two);
    project.file("in/orders.csv", "id,price\n1,10\n2,-1\n3,30\n");
    project.sluicebox(&["run", "orders.toml"]).with_code(0);
    let first = last_id(&project);
    assert_eq!(shown(&project, "out"), ["1,10"]);
    project.file("orders.toml", two.replace("[0, 2]", "[0, 9]").replace("[0, 1000]", "[-10, 1000]"));
    project.sluicebox(&["quarantine", "replay", &first, "--stage", "check-2"]).with_code(0);
    assert_eq!(shown(&project, "out"), ["1,10", "3,30"]);
    assert_eq!(waiting(&project), [("check".to_owned(), 1)]);
    project.sluicebox(&["quarantine", "replay", &first, "--stage", "check"]).with_code(0);
    assert_eq!(shown(&project, "out"), ["1,10", "2,-1", "3,30"]);
    assert_eq!(waiting(&project), []);
}

/// A rerun is given the rows again that the run had set aside: they are loaded by it or set aside by it, and wait no more in
/// the run before.
#[test]
fn what_a_rerun_was_given_again_does_not_wait_twice() {
    let project = orders();
    let first = last_id(&project);
    project.file("orders.toml", ORDERS.replace("[0, ", "[-10, "));
    project.sluicebox(&["rerun", "last", "--latest"]).with_code(0);
    assert_eq!(shown(&project, "out"), ["1,10", "2,-1", "3,30"]);
    assert_eq!(waiting(&project), [("check".to_owned(), 1)]);
    let told = project.sluicebox(&["quarantine", "replay", &first]).with_code(2).stderr;
    assert!(told.contains("waits to be replayed"), "{told}");
    // The rows that the rerun set aside have a second life of their own.
    project.file("orders.toml", ORDERS.replace("[0, ", "[-100, "));
    project.sluicebox(&["quarantine", "replay", "last"]).with_code(0);
    assert_eq!(shown(&project, "out"), ["1,10", "2,-1", "3,30", "4,-20"]);
    assert_eq!(waiting(&project), []);
}

#[test]
fn a_rerun_loads_no_row_that_a_replay_has_loaded() {
    let project = Project::new();
    let text = ORDERS.replace("inputs = [\"read\"]\n", "inputs = [\"read\"]\ncheckpoint = true\n");
    project.file("orders.toml", &text);
    project.file("in/orders.csv", "id,price\n1,10\n2,-1\n3,30\n4,-20\n");
    project.sluicebox(&["run", "orders.toml"]).with_code(0);
    let first = last_id(&project);
    project.file("orders.toml", text.replace("[0, ", "[-100, "));
    project.sluicebox(&["quarantine", "replay", "last"]).with_code(0);
    let replay = last_id(&project);
    let all = ["1,10", "2,-1", "3,30", "4,-20"];
    assert_eq!(shown(&project, "out"), all);
    for more in [&[][..], &["--latest"]] {
        let arguments = &[&["rerun", &first, "--from", "check"], more].concat();
        let told = project.sluicebox(arguments).with_code(2).stderr;
        assert!(told.contains("would load them a second time") && told.contains(&replay), "{told}");
        assert_eq!(shown(&project, "out"), all);
    }
    // Behind the check nothing comes twice.
    project.sluicebox(&["rerun", &first, "--from", "out"]).with_code(0);
    assert_eq!(shown(&project, "out"), all);
    // As the help says: out of the target, and said so.
    let added = fs::read_dir(project.path().join("out")).unwrap().map(|file| file.unwrap().path());
    let added: Vec<_> = added.filter(|path| path.to_string_lossy().contains("-replay-")).collect();
    assert_eq!(added.len(), 1, "{added:?}");
    fs::remove_file(&added[0]).unwrap();
    let dropped = project.sluicebox(&["quarantine", "drop", &first, "--stage", "check", "--replayed"]).with_code(0);
    assert!(dropped.stdout.starts_with("2 rows of run"), "{}", dropped.stdout);
    project.sluicebox(&["rerun", &first, "--from", "check", "--latest"]).with_code(0);
    assert_eq!(shown(&project, "out"), all);
}

#[test]
fn a_replay_never_replaces_what_is_there_unasked() {
    let project = Project::new();
    let text = ORDERS.replace("path = \"out\", mode = \"append\"", "path = \"out/orders.csv\"");
    project.file("orders.toml", &text);
    project.file("in/orders.csv", "id,price\n1,10\n2,-1\n");
    project.sluicebox(&["run", "orders.toml"]).with_code(0);
    project.file("orders.toml", text.replace("[0, ", "[-10, "));
    let told = project.sluicebox(&["quarantine", "replay", "last"]).with_code(2).stderr;
    assert!(told.contains("load `out` replaces its target") && told.contains("--replace-targets"), "{told}");
    assert_eq!(shown(&project, "out"), ["1,10"]);
    project.sluicebox(&["quarantine", "replay", "last", "--replace-targets"]).with_code(0);
    assert_eq!(shown(&project, "out"), ["2,-1"]);
}

#[test]
fn a_replay_that_fails_or_is_killed_leaves_the_rows() {
    let project = orders();
    let first = project.sluicebox(&["runs", "--format", "json"]).json()["runs"][0]["id"].as_str().unwrap().to_owned();
    // A rule for a column that the rows have not.
    project.file("orders.toml", ORDERS.replace("column = \"price\"", "column = \"cost\""));
    let told = project.sluicebox(&["quarantine", "replay", "last"]).with_code(2).stderr;
    assert!(told.contains("cost"), "{told}");
    assert_eq!(waiting(&project), [("check".to_owned(), 2)]);

    project.file("orders.toml", ORDERS.replace("[0, ", "[-100, "));
    let mut deaths = 0;
    for event in 1..40 {
        let output = project
            .command(&["quarantine", "replay", &first])
            .env("SLUICEBOX_TEST_DIE_AT", event.to_string())
            .output()
            .unwrap();
        if output.status.code().is_some() {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 3, "{deaths}");
    assert_eq!(shown(&project, "out"), ["1,10", "2,-1", "3,30", "4,-20"], "each once");
    assert_eq!(waiting(&project), []);
}

#[test]
fn rows_are_exported_with_their_reasons() {
    let project = orders();
    let export = |to: &str| project.sluicebox(&["quarantine", "export", "last", "--to", to]);
    export("bad.csv").with_code(0);
    let csv = project.read("bad.csv");
    assert!(csv.starts_with("sluicebox_stage,sluicebox_reason,id,price\ncheck,"), "{csv}");
    assert!(csv.contains(",2,-1\n") && csv.ends_with(",4,-20\n"), "{csv}");
    let told = export("bad.csv").with_code(2).stderr;
    assert!(told.contains("there already") && told.contains("--force"), "{told}");
    export("bad.jsonl").with_code(0);
    let lines: Vec<serde_json::Value> =
        project.read("bad.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["row"]["id"]), (2, &serde_json::json!(2)));
    export("bad.arrow").with_code(0);
    assert!(fs::read(project.path().join("bad.arrow")).unwrap().starts_with(b"ARROW1"));
    let told = export("bad.parquet").with_code(2).stderr;
    assert!(told.contains(".csv, .jsonl or .arrow"), "{told}");
}

#[test]
fn records_that_never_became_rows_can_only_be_exported() {
    let project = Project::new();
    let text = ORDERS.replace("in/orders.csv\"", "in/orders.csv\", broken-rows = \"quarantine\"");
    project.file("orders.toml", text);
    project.file("in/orders.csv", "id,price\n1,10\n2,20,what,is,this\n");
    project.sluicebox(&["run", "orders.toml"]).with_code(0);
    assert_eq!(waiting(&project), [("read".to_owned(), 1)]);
    let told = project.sluicebox(&["quarantine", "replay", "last"]).with_code(2).stderr;
    assert!(told.contains("never became rows") && told.contains("quarantine export"), "{told}");
    project.sluicebox(&["quarantine", "export", "last", "--to", "records.csv"]).with_code(0);
    assert!(project.read("records.csv").contains("\"2,20,what,is,this\""));
}
