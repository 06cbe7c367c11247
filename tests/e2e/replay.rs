//! The call that failed, made again.

use sluicebox_tests::Project;

/// `evil` panics on the row whose number is its option, and says the clock and a random number first.
const PIPELINE: &str = r#"
[pipeline]
name = "orders"

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["in"]
config = { path = "in/orders.csv" }

[[stage]]
name = "price"
plugin = "transform-select"
config.columns = { half = "cast(price as int64) / 2" }

[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["out"]
config = { path = "out/orders.csv" }
"#;

fn project() -> Project {
    let project = Project::new();
    let rows: Vec<String> =
        (0..500).map(|id| if id == 321 { format!("{id},cheap") } else { format!("{id},{id}") }).collect();
    project.file("orders.toml", PIPELINE).file("in/orders.csv", format!("id,price\n{}\n", rows.join("\n")));
    project
}

#[test]
fn the_call_that_failed_is_made_again_and_its_rows_are_written() {
    let project = project();
    let run = project.sluicebox(&["run", "orders.toml", "--format", "json"]).with_code(1).json();
    assert_eq!(run["fault"]["stage"], "price", "{run}");
    let again = project.sluicebox(&["replay", "last", "--rows", "bad.csv"]).with_code(1);
    assert!(again.stdout.contains("`process` of stage `price` with 500 rows, on a fresh instance"), "{}", again.stdout);
    assert!(again.stdout.contains("it failed as it did in the run"), "{}", again.stdout);
    assert!(again.stdout.contains(run["fault"]["message"].as_str().unwrap()), "{}", again.stdout);
    assert_eq!(project.read("bad.csv").lines().count(), 501);
    assert!(project.read("bad.csv").contains("321,cheap"));
    let json = project.sluicebox(&["replay", "last", "price", "--format", "json"]).with_code(1).json();
    assert_eq!(
        (json["same"].as_bool(), json["rows"].as_u64(), json["call"].as_str()),
        (Some(true), Some(500), Some("process"))
    );

    // A name that no load writes, a stage that failed in no call, and one that is none.
    let name = project.sluicebox(&["replay", "last", "--rows", "bad.xlsx"]).with_code(2);
    assert!(name.stderr.contains("let it end in .csv, .jsonl or .parquet"), "{}", name.stderr);
    let none = project.sluicebox(&["replay", "last", "read"]).with_code(2);
    assert!(none.stderr.contains("no call of stage `read` is kept"), "{}", none.stderr);
    let wrong = project.sluicebox(&["replay", "last", "prise"]).with_code(2);
    assert!(wrong.stderr.contains("did you mean `price`?"), "{}", wrong.stderr);
}
