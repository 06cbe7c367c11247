//! Three pipelines that hang together: two sources that share a pool, and a third that follows them; and the folder of the
//! example, which is such a house.

use super::catch_up::pretend_of;
use super::{assert_chained, intervals};
use serde_json::Value;
use sluicebox_tests::Project;
use sluicebox_tests::crash::shown;
use sluicebox_tests::serving::{Serving, at, text};

const SETTINGS: &str = r#"
[serve]
runs = 4

[pools]
warehouse = 1

[alert]
on = ["failure", "recovery"]
command = ["tee", "-a", "told.jsonl"]
"#;

fn source(name: &str) -> String {
    format!(
        r#"
[pipeline]
name = "{name}"
owner = "the team of {name}"
pool = "warehouse"

[schedule]
every = "3s"
overlap = "queue"

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["in"]
config = {{ path = "in/{name}.csv" }}

[[stage]]
name = "nap"
plugin = "evil"
config = {{ mode = "sleep", seconds = 0.2 }}

[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["warehouse"]
config = {{ path = "warehouse/{name}.csv" }}
"#
    )
}

const REPORT: &str = r#"
[pipeline]
name = "report"

[schedule]
after = { pipelines = ["orders", "customers"], within = "1h" }

[[stage]]
name = "orders"
plugin = "extract-csv"
grants.read = ["warehouse"]
config = { path = "warehouse/orders.csv" }

[[stage]]
name = "customers"
plugin = "extract-csv"
grants.read = ["warehouse"]
config = { path = "warehouse/customers.csv" }

[[stage]]
name = "named"
plugin = "transform-lookup"
inputs = ["orders", "customers"]
config = { on = "customer", take = { who = "name" } }

[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["report"]
config = { path = "report/rows", mode = "append" }
"#;

const ORDERS: &str = "id,customer,price\n1,a,1.5\n2,b,2.5\n3,a,3.5\n";

fn project() -> Project {
    let project = Project::new();
    project.file("sluicebox.toml", SETTINGS).file("report.toml", REPORT);
    project.file("orders.toml", source("orders")).file("customers.toml", source("customers"));
    project.file("in/orders.csv", ORDERS).file("in/customers.csv", "customer,name\na,Ada\nb,Bob\n");
    project
}

fn told(project: &Project) -> Vec<Value> {
    if !project.has("told.jsonl") {
        return Vec::new();
    }
    // The last line may be half written.
    project.read("told.jsonl").lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn three_pipelines_run_in_order_and_tell_of_a_failure_and_its_end() {
    let project = project();
    let serving = Serving::begin(&project);
    serving.runs("report", "succeeded", 2);

    // A broken row: the source fails, what follows it waits, and it is told.
    project.file("in/orders.csv", ORDERS.replace("2,b,2.5", "2,b"));
    let failed = serving.runs("orders", "failed", 2);
    let told_of =
        serving.until("the failure is told", || told(&project).into_iter().find(|it| it["kind"] == "failure"));
    let (run, said) = (text(&failed[0], "id"), text(&told_of, "text"));
    assert_eq!((text(&told_of, "pipeline"), text(&told_of, "run")), ("orders", run));
    assert_eq!(text(&told_of, "owner"), "the team of orders");
    assert!(said.contains("in/orders.csv:3") && said.contains("2 fields where there should be 3"), "{said}");
    assert!(said.contains("rows: "), "{said}");
    assert!(
        told_of["commands"].as_array().unwrap().iter().any(|it| it.as_str().unwrap().contains("sluicebox r")),
        "{said}"
    );

    project.file("in/orders.csv", ORDERS);
    let recovered =
        serving.until("the recovery is told", || told(&project).into_iter().find(|it| it["kind"] == "recovery"));
    assert_eq!(text(&recovered, "pipeline"), "orders");
    let reports = serving.store.runs("report").len();
    serving.runs("report", "succeeded", reports + 1);
    serving.signal("TERM");
    assert_eq!(serving.ended().code(), Some(0));
    let store = &serving.store;

    // Each of them told once.
    let told = told(&project);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(recovered["failures-in-a-row"].as_u64().unwrap() as usize, failed_before(&store.runs("orders")));
    assert!(store.alerts("orders").iter().all(|alert| alert["state"] == "delivered" && alert["attempts"] == 1));

    // The pool has one place.
    let mut all = [store.runs("orders"), store.runs("customers")].concat();
    all.sort_by_key(|run| at(run, "started_at"));
    for pair in all.windows(2) {
        assert!(at(&pair[0], "ended_at") <= at(&pair[1], "started_at"), "two in the pool at once: {pair:?}");
    }
    assert_chained(&store.runs("customers"));
    assert_chained(&store.runs("orders"));

    // A report for every interval for which both have run, behind both, with their rows.
    let of = |name: &str| store.runs(name).into_iter().filter(|run| run["state"] == "succeeded").collect::<Vec<_>>();
    let (orders, customers, reports) = (of("orders"), of("customers"), of("report"));
    let ended = |runs: &[Value], interval: (i64, i64)| -> i64 {
        let run = runs.iter().find(|run| intervals(std::slice::from_ref(run))[0] == interval);
        at(run.unwrap_or_else(|| panic!("no run for {interval:?}")), "ended_at")
    };
    for report in &reports {
        let interval = intervals(std::slice::from_ref(report))[0];
        let began = at(report, "started_at");
        assert!(ended(&orders, interval) <= began && ended(&customers, interval) <= began, "{report}");
    }
    let rows = shown(&project, "report/rows");
    assert_eq!(rows.len(), 3 * reports.len());
    assert!(rows[0].starts_with("1,a,1.5,Ada"), "{}", rows[0]);
}

/// How many failed one after the other before the first that ended well again.
fn failed_before(runs: &[Value]) -> usize {
    let first = runs.iter().position(|run| run["state"] == "failed").unwrap();
    runs[first..].iter().take_while(|run| run["state"] == "failed").count()
}

const DAY: i64 = 86_400;

/// As its README says: served, the day's data comes in, the report follows, and a failure is told and told to be over.
#[test]
fn the_example_runs_by_itself() {
    let project = crate::site::warehouse();
    // No midnight comes while the test runs: yesterday's was missed.
    Serving::begin(&project).end();
    for pipeline in ["flights", "carriers"] {
        pretend_of(&project, pipeline, DAY + 3600);
    }
    let serving = Serving::begin(&project);
    let report = serving.runs("report", "succeeded", 1);
    let flights = serving.runs("flights", "succeeded", 1);
    assert_eq!(intervals(&report), intervals(&flights), "for the same day");
    let late = project.read("out/late.csv");
    let mut lines = late.lines();
    assert_eq!(lines.next(), Some("year,month,day,carrier_name,origin,dest,arr_delay"));
    assert!(lines.clone().count() > 10 && late.contains("JetBlue Airways"), "{late}");
    let late = |line: &str| line.rsplit(',').next().unwrap().parse::<f64>().unwrap() > 15.0;
    assert!(lines.all(late));

    // The airline delivers half a file.
    let whole = project.read("data/flights.csv");
    project.file("data/flights.csv", whole.lines().take(50).map(|line| format!("{line}\n")).collect::<String>());
    serving.sluicebox(&["run", "flights.toml"]).with_code(1);
    let told = |kind: &str| {
        let file = "out/alerts.jsonl";
        let text = if project.has(file) { project.read(file) } else { String::new() };
        let alerts = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        alerts.filter(|alert| alert["kind"] == kind).collect::<Vec<_>>()
    };
    serving.until("the failure is told", || (!told("failure").is_empty()).then_some(()));
    let failure = &told("failure")[0];
    assert_eq!((text(failure, "pipeline"), text(failure, "owner")), ("flights", "operations"));
    assert!(text(failure, "text").contains("100"), "how many rows there should be: {failure}");
    project.file("data/flights.csv", whole);
    serving.sluicebox(&["run", "flights.toml"]).with_code(0);
    serving.until("it is told to be over", || (!told("recovery").is_empty()).then_some(()));
    serving.end();
}
