//! Killing `serve` while runs are under way and others wait, and holding what is left against what should be. The short form
//! is a test of the end-to-end tests, the long one `cargo xtask crash --serve N`.

use crate::Project;
use crate::serving::{Serving, Store, at, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

/// Runs at once.
const PLACES: usize = 10;

/// Pipelines: more than may run at once, so that five wait while ten run, for a while.
const PIPELINES: usize = 20;

/// Kills between two looks at all that is left. Fewer than the deaths after which a host does not start a run again: the longest
/// runs of this test live through none of a series.
const SERIES: u32 = 7;

/// Rows of a run, and those that it sets aside.
const ROWS: usize = 3;

/// What was done, and what came of it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Hosts killed.
    pub kills: u32,
    /// Runs under way when the host was killed, by their state.
    pub states: BTreeMap<String, u32>,
    /// Runs that waited then.
    pub waiting: u32,
    /// Fires of schedules in all.
    pub fires: u32,
    /// Runs in all.
    pub runs: u32,
    /// Runs that took the place of one that was interrupted.
    pub repeated: u32,
    /// The longest chain of runs for one fire.
    pub longest: u32,
    /// Rows at the targets in all.
    pub rows: usize,
    /// Alerts in all.
    pub alerts: u32,
    /// Alerts that were delivered a second time since the host died before it knew of the first: with the same id.
    pub delivered_again: u32,
    /// All that was otherwise than it should be, in words.
    pub wrong: Vec<String>,
}

impl Tally {
    fn wrong(&mut self, what: String) {
        eprintln!("{what}");
        self.wrong.push(what);
    }
}

/// Kills a host so many times.
pub fn kill_hosts(kills: u32, tally: &mut Tally) {
    let until = tally.kills + kills;
    while tally.kills < until {
        series(SERIES.min(until - tally.kills), tally);
    }
}

fn name(number: usize) -> String {
    format!("p{number:02}")
}

/// A pipeline that takes its own time, sets a row aside and tells of it.
fn pipeline(number: usize, schedule: &str) -> String {
    let name = name(number);
    let seconds = 0.1 * (number % PLACES + 1) as f64;
    format!(
        r#"
[pipeline]
name = "{name}"

[schedule]
{schedule}
catch-up = "all"
overlap = "queue"

[[alert]]
on = ["failure", "recovery", "quarantine"]
command = ["tee", "-a", "told/{name}.jsonl"]

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["in"]
config = {{ path = "in/rows.csv", broken-rows = "quarantine" }}

[[stage]]
name = "nap"
plugin = "evil"
config = {{ mode = "sleep", seconds = {seconds} }}

[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["out"]
config = {{ path = "out/{name}", mode = "append" }}
"#
    )
}

/// One state folder, several hosts after each other, all but the last killed.
fn series(kills: u32, tally: &mut Tally) {
    let project = Project::new();
    project.file("in/rows.csv", "id,name\n1,a\n2,b\n3,c\n4\n").file("told/here", "");
    project.file("sluicebox.toml", format!("[serve]\nruns = {PLACES}\ngrace = '2m'\n"));
    for number in 0..PIPELINES {
        project.file(&format!("{}.toml", name(number)), pipeline(number, "every = '5s'"));
    }
    for number in 0..kills {
        let serving = Serving::start(&project, |_| {});
        kill(serving, number, tally);
    }
    // The last one: no more times, and all that is left is done.
    for number in 0..PIPELINES {
        project.file(&format!("{}.toml", name(number)), pipeline(number, "when = { file = 'in/never' }"));
    }
    let serving = Serving::begin(&project);
    serving.until("nothing waits or runs, and all is told", || {
        let open = serving.store.rows(
            "SELECT (SELECT count(*) FROM queue WHERE settled_at IS NULL) AS queue,
                    (SELECT count(*) FROM alerts WHERE settled_at IS NULL) AS alerts",
            &[],
        );
        (open[0]["queue"] == 0 && open[0]["alerts"] == 0).then_some(())
    });
    let store = serving.end();
    look(&project, &store, tally);
}

/// Kills the host while ten runs are under way and five or more wait: as they are about to begin, when all have begun, when
/// some have ended and others took their places, or while one commits.
fn kill(serving: Serving<'_>, number: u32, tally: &mut Tally) {
    let open = |state: &str| {
        serving.store.rows(
            "SELECT queue.run, coalesce(runs.state, 'not in the journal') AS state
             FROM queue LEFT JOIN runs ON runs.id = queue.run WHERE queue.state = ?1",
            &[&state],
        )
    };
    let is_full = |running: &[Value], waiting: &[Value]| running.len() >= PLACES && waiting.len() >= 5;
    let ended = || serving.store.rows("SELECT 1 FROM queue WHERE state = 'ended'", &[]).len();
    let count = |running: &[Value], state: &str| running.iter().filter(|run| text(run, "state") == state).count();
    let (before, behind) = (ended(), (number / 4 % 5) as usize);
    let (running, waiting) = serving.until("ten run and five wait, as they should", || {
        let share = (f64::from(number) * 0.618_033_988_75).fract();
        let instant = Instant::now() + Duration::from_millis(40).mul_f64(share);
        loop {
            let (running, waiting) = (open("started"), open("waiting"));
            let is_so = match number % 4 {
                0 => true,
                1 => count(&running, "running") >= PLACES,
                2 => ended() >= before + behind,
                _ => count(&running, "committing") > 0,
            };
            match is_full(&running, &waiting) {
                true if is_so && (number % 4 == 3 || Instant::now() >= instant) => return Some((running, waiting)),
                // Looked for without a pause: it does not last.
                true => std::thread::yield_now(),
                false => return None,
            }
        }
    });
    serving.kill();
    tally.kills += 1;
    for run in &running {
        *tally.states.entry(text(run, "state").to_owned()).or_default() += 1;
    }
    tally.waiting += u32::try_from(waiting.len()).unwrap_or(u32::MAX);
}

/// Holds what is left against what should be.
fn look(project: &Project, store: &Store, tally: &mut Tally) {
    for number in 0..PIPELINES {
        let name = name(number);
        let (queue, runs) = (store.queue(&name), store.runs(&name));
        tally.runs += u32::try_from(runs.len()).unwrap_or(u32::MAX);
        let fires = fires(&name, store, tally);
        tally.fires += u32::try_from(fires.len()).unwrap_or(u32::MAX);
        let mut good = 0;
        for (nominal, first) in &fires {
            good += chain(&name, *nominal, first, &queue, &runs, tally);
        }
        let ends: Vec<i64> =
            runs.iter().filter(|run| run["state"] == "succeeded").map(|run| at(run, "interval_end")).collect();
        if !ends.is_sorted() {
            tally.wrong(format!("{name}: not in the order of their times: {ends:?}"));
        }
        let known: BTreeSet<&str> = queue.iter().map(|row| text(row, "run")).collect();
        for run in runs.iter().filter(|run| !known.contains(text(run, "id"))) {
            tally.wrong(format!("{name}: run {} is of no fire", text(run, "id")));
        }
        let rows = crate::crash::shown(project, &format!("out/{name}")).len();
        tally.rows += rows;
        if rows != ROWS * good || good != fires.len() {
            tally.wrong(format!("{name}: {rows} rows of {good} good runs for {} fires", fires.len()));
        }
        alerts(&name, project, store, &runs, tally);
    }
    let temporary = walk(&project.path().join("out")).into_iter().filter(|file| file.starts_with('.')).count();
    if temporary > 0 {
        tally.wrong(format!("{temporary} temporary files are left"));
    }
}

/// The times of a pipeline's schedule with the run that each made; tells of times that are missing or there twice.
fn fires(name: &str, store: &Store, tally: &mut Tally) -> BTreeMap<i64, String> {
    let mut fires = BTreeMap::new();
    for row in store.queue(name).iter().filter(|row| text(row, "trigger") == "schedule") {
        if fires.insert(at(row, "nominal"), text(row, "run").to_owned()).is_some() {
            tally.wrong(format!("{name}: two runs for {}", at(row, "nominal")));
        }
    }
    let nominal: Vec<i64> = fires.keys().copied().collect();
    let every = 5 * crate::serving::SECOND;
    for pair in nominal.windows(2) {
        if let [one, next] = pair
            && next - one != every
        {
            tally.wrong(format!("{name}: no fire between {one} and {next}"));
        }
    }
    let events = store.events(Some(name), "fired").len() + store.events(Some(name), "caught-up").len();
    if events != fires.len() || !store.events(Some(name), "skipped").is_empty() {
        tally.wrong(format!("{name}: {events} events of {} fires", fires.len()));
    }
    fires
}

/// Follows a run and those that took its place; answers with how many of them ended well, which has to be one.
fn chain(name: &str, nominal: i64, first: &str, queue: &[Value], runs: &[Value], tally: &mut Tally) -> usize {
    let (mut at_run, mut length, mut good) = (first.to_owned(), 1, 0);
    loop {
        let run = runs.iter().find(|run| text(run, "id") == at_run);
        let state = run.map_or("not there", |run| text(run, "state"));
        good += usize::from(state == "succeeded");
        if run.is_some_and(|run| at(run, "interval_end") != nominal) {
            tally.wrong(format!("{name}: run {at_run} is for another time than {nominal}"));
        }
        let next: Vec<&Value> = queue.iter().filter(|row| row["repeats"] == at_run.as_str()).collect();
        match next.as_slice() {
            [] if state == "succeeded" => break,
            [next] if state == "failed" => {
                length += 1;
                tally.repeated += 1;
                at_run = text(next, "run").to_owned();
            }
            more => {
                let how = more.len();
                tally.wrong(format!("{name}, {nominal}: run {at_run} {state}, and {how} take its place"));
                break;
            }
        }
    }
    tally.longest = tally.longest.max(length);
    if good != 1 {
        tally.wrong(format!("{name}, {nominal}: {good} runs of its chain of {length} ended well"));
    }
    good
}

/// One alert for each run that ended well, since each sets a row aside; none of failures.
fn alerts(name: &str, project: &Project, store: &Store, runs: &[Value], tally: &mut Tally) {
    let alerts = store.alerts(name);
    tally.alerts += u32::try_from(alerts.len()).unwrap_or(u32::MAX);
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for alert in &alerts {
        if text(alert, "kind") != "quarantine" || alert["state"] != "delivered" || !told.insert(text(alert, "run")) {
            tally.wrong(format!("{name}: {alert}"));
        }
    }
    let good: BTreeSet<&str> =
        runs.iter().filter(|run| run["state"] == "succeeded").map(|run| text(run, "id")).collect();
    if told != good {
        tally.wrong(format!("{name}: {} alerts of {} runs", told.len(), good.len()));
    }
    let file = format!("told/{name}.jsonl");
    let lines = if project.has(&file) { project.read(&file) } else { String::new() };
    let mut ids: BTreeMap<String, u32> = BTreeMap::new();
    for line in lines.lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        *ids.entry(message["id"].as_str().unwrap_or("half a line").to_owned()).or_default() += 1;
    }
    tally.delivered_again += ids.values().map(|times| times - 1).sum::<u32>();
    if ids.len() != alerts.len() && !ids.contains_key("half a line") {
        tally.wrong(format!("{name}: {} ids were told of {} alerts", ids.len(), alerts.len()));
    }
}

/// The names of all files below a folder.
fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            names.extend(walk(&entry.path()));
        }
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names
}
