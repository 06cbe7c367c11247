//! The flights job: on the sample, on the whole year, and on ten of them, read back by another tool.

use sluicebox_tests::{Project, binary, python, year};
use std::fs;

/// The example's pipeline with the whole year in place of its first week, and a CSV and a JSONL load beside the Parquet one.
fn whole_year() -> Project {
    let project = Project::flights();
    let text = project.read("flights.toml").replace("flights-2013-01-w1.csv", "flights.csv");
    let more = r#"
[[stage]]
name = "out-csv"
plugin = "load-csv"
inputs = ["speed"]
grants.write = ["out"]
config = { path = "out/flights.csv" }

[[stage]]
name = "out-jsonl"
plugin = "load-jsonl"
inputs = ["speed"]
grants.write = ["out"]
config = { path = "out/flights.jsonl" }
"#;
    project.file("flights.toml", text + more);
    fs::copy(year().join("flights.csv"), project.path().join("data/flights.csv")).unwrap();
    project
}

#[test]
fn the_sample_is_loaded() {
    let project = Project::flights();
    let run = project.sluicebox(&["run", "flights.toml", "--format", "json"]).with_code(0).json();
    assert_eq!(run["state"], "succeeded", "{run}");
    let script = "import pyarrow.parquet as p, sys; t = p.read_table(sys.argv[1]); \
                  print(t.num_rows, t.num_columns, ','.join(t.schema.names))";
    let out = project.path().join("out/flights.parquet");
    let said = python(script, &[&out.display().to_string()]);
    let lines = project.read("data/flights-2013-01-w1.csv").lines().count() - 1;
    let rows: usize = said.split(' ').next().unwrap().parse().unwrap();
    assert!(rows > lines * 9 / 10 && rows < lines, "{rows} of {lines} rows");
    assert!(said.ends_with(",carrier_name,speed"), "{said}");
}

#[test]
fn the_whole_year_is_loaded_as_seven_other_tools_do() {
    let project = whole_year();
    let run = project.sluicebox(&["run", "flights.toml", "--format", "json"]).with_code(0).json();
    let stage = |name: &str| {
        let stages = run["stages"].as_array().unwrap();
        stages.iter().find(|stage| stage["name"] == name).unwrap_or_else(|| panic!("no stage {name}: {run}"))["outcome"]
            .clone()
    };
    assert_eq!(stage("read")["rows-out"], 336_776);
    assert_eq!(stage("check")["rows-rejected"], 8_255);
    assert_eq!(stage("speed")["rows-in"].as_u64().unwrap() - stage("speed")["rows-out"].as_u64().unwrap(), 1_175);
    for load in ["out", "out-csv", "out-jsonl"] {
        assert_eq!(stage(load)["rows-out"], 327_346, "{load}");
    }
    let script = r"
import sys, pyarrow.parquet as parquet, pyarrow.csv as csv, pyarrow.json as json, pyarrow.compute as pc
folder = sys.argv[1]
tables = [parquet.read_table(folder + '/flights.parquet'), csv.read_csv(folder + '/flights.csv'), json.read_json(folder + '/flights.jsonl')]
for t in tables:
    assert t.schema.names == tables[0].schema.names, t.schema
    upper = pc.all(pc.equal(t['dest'], pc.utf8_upper(t['dest']))).as_py()
    print(t.num_rows, format(pc.sum(t['speed']).as_py(), '.3f'), pc.count(t['carrier_name']).as_py(), upper)
";
    let said = python(script, &[&project.path().join("out").display().to_string()]);
    let expected = "327346 129063903.956 327346 True";
    assert_eq!(said.lines().collect::<Vec<_>>(), [expected; 3]);
    let rejected = project.sluicebox(&["quarantine", "show", "last", "--format", "json"]).with_code(0);
    assert!(rejected.stdout.contains("dep_delay"), "{}", rejected.stdout);
}

/// The most memory that the process had of its own (heap, stacks, guests), and that it had in all with the pages of the program
/// and of compiled plugins, in KiB. The first is looked at every 5 ms.
fn peaks_kib(project: &Project) -> (u64, u64) {
    let script = r"
import os, resource, subprocess, sys, time
run = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
most = 0
while run.poll() is None:
    with open(f'/proc/{run.pid}/status') as status:
        own = [int(line.split()[1]) for line in status if line.startswith('RssAnon')]
    most = max([most, *own])
    time.sleep(0.005)
assert run.returncode == 0
print(most, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
";
    // Compiled before, so that the memory of the compiler does not count.
    project.sluicebox(&["check", "year.toml"]).with_code(0);
    let file = project.path().join("year.toml").display().to_string();
    let cache = binary().with_file_name("test-cache").display().to_string();
    let cache = format!("SLUICEBOX_CACHE={cache}");
    let told = python(script, &["env", &cache, &binary().display().to_string(), "run", &file]);
    let (own, all) = told.trim().split_once(' ').unwrap();
    (own.parse().unwrap(), all.parse().unwrap())
}

#[test]
fn memory_does_not_grow_with_the_data() {
    let project = Project::flights();
    let text = project.read("flights.toml").replace("data/flights-2013-01-w1.csv", "data/flights.csv");
    project.file("year.toml", text);
    let one = fs::read_to_string(year().join("flights.csv")).unwrap();
    let (header, rows) = one.split_once('\n').unwrap();
    project.file("data/flights.csv", &one);
    let (year_kib, _) = peaks_kib(&project);
    let ten = format!("{header}\n{}", rows.repeat(10));
    project.file("data/flights.csv", ten);
    let (ten_years_kib, all_kib) = peaks_kib(&project);
    assert!(ten_years_kib < 60_000 && all_kib < 120_000, "{ten_years_kib} KiB of {all_kib} KiB");
    assert!(ten_years_kib * 10 <= year_kib * 12, "{year_kib} KiB for a year, {ten_years_kib} KiB for ten");
}
