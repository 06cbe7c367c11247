//! Killing the program, and holding what is left after the next start against an undisturbed run. The short form is a test
//! of the end-to-end tests, the long one `cargo xtask crash`.

use crate::{Ended, Project};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// `orders`: two loads behind an extract that gives only new files.
pub const PIPELINE: &str = r#"
[pipeline]
name = "orders"

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["in"]
config = { path = "in/*.csv", incremental = "new-files" }

[[stage]]
name = "table"
plugin = "load-csv"
inputs = ["read"]
grants.write = ["out"]
config = { path = "out/table", mode = "append" }

[[stage]]
name = "lines"
plugin = "load-jsonl"
inputs = ["read"]
grants.write = ["out"]
config = { path = "out/lines", mode = "append" }
"#;

/// A CSV file of orders, those with the ids `from..to`.
pub fn orders(from: u32, to: u32) -> String {
    let rows: Vec<String> = (from..to).map(|id| format!("{id},item {id},{}.25", id % 100)).collect();
    format!("id,item,price\n{}\n", rows.join("\n"))
}

/// The pipeline with its first two files, 3,000 orders: `orders.toml` loads into `out/table` and `out/lines`.
pub fn project() -> Project {
    let project = Project::new();
    project.file("orders.toml", PIPELINE);
    input(&project, "in/1.csv", &orders(0, 2_000));
    input(&project, "in/2.csv", &orders(2_000, 3_000));
    project
}

/// A file to be read: of the same age in every project, since bookmarks name it and are compared from project to project.
fn input(project: &Project, name: &str, content: &str) {
    project.file(name, content);
    let file = fs::File::options().append(true).open(project.path().join(name)).expect("a file");
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).expect("a time");
}

/// The rows that can be seen at a target, in order.
pub fn shown(project: &Project, folder: &str) -> Vec<String> {
    shown_in(&project.path().join(folder))
}

fn shown_in(folder: &Path) -> Vec<String> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let mut rows = Vec::new();
    for file in files.flatten().filter(|file| !file.file_name().to_string_lossy().starts_with('.')) {
        let text = fs::read_to_string(file.path()).expect("text");
        rows.extend(text.lines().filter(|line| !line.starts_with("id,")).map(str::to_owned));
    }
    rows.sort();
    rows
}

/// All that a pipeline leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The rows that can be seen at each of the two targets.
    pub rows: [Vec<String>; 2],
    /// Its bookmarks, as the program tells them.
    pub bookmarks: Vec<String>,
}

impl Left {
    /// What can be seen now.
    pub fn of(project: &Project) -> Self {
        Self::at(project, project.path())
    }

    /// What can be seen now where the project's targets are seen below another folder.
    pub fn at(project: &Project, folder: &Path) -> Self {
        let told = project.sluicebox(&["bookmarks", "--format", "json"]).json();
        let bookmarks = told.get("bookmarks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Self {
            rows: [shown_in(&folder.join("out/table")), shown_in(&folder.join("out/lines"))],
            bookmarks: bookmarks.iter().map(|bookmark| bookmark["bookmark"].to_string()).collect(),
        }
    }

    /// Where this is otherwise than wanted, in words; how many rows, not which thousands.
    pub fn differences(&self, wanted: &Self) -> Vec<String> {
        let mut told = Vec::new();
        for ((is, wanted), target) in self.rows.iter().zip(&wanted.rows).zip(["table", "lines"]) {
            if is != wanted {
                let (is, wanted) = (is.len(), wanted.len());
                told.push(format!("rows of `{target}`: {is} where {wanted} are wanted, or others"));
            }
        }
        if self.bookmarks != wanted.bookmarks {
            told.push(format!("bookmarks: {:?} where {:?} are wanted", self.bookmarks, wanted.bookmarks));
        }
        told
    }
}

/// When a process is killed.
#[derive(Debug)]
enum Moment {
    /// At a boundary of an event that it writes: `N` right before the event, `N+` right after.
    At(String),
    /// So long after its start.
    After(Duration),
    /// So long after it has begun to write to its journal.
    AfterFirstEvent(Duration),
}

/// What was done, and what came of it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Kills at boundaries of events, before and after, of the run and of restarts.
    pub boundaries: u32,
    /// Kills at random instants.
    pub random: u32,
    /// Kills by the state in which the run was found.
    pub states: BTreeMap<String, u32>,
    /// What the restarts told of the run that they found, and how often.
    pub told: BTreeMap<String, u32>,
    /// Processes started after a kill.
    pub restarts: u32,
    /// Processes that had ended before they were to be killed.
    pub too_late: u32,
    /// Times that rows were otherwise than after an undisturbed run.
    pub wrong_rows: u32,
    /// Times that bookmarks were otherwise.
    pub wrong_bookmarks: u32,
    /// All that was otherwise than it should be, in words.
    pub wrong: Vec<String>,
}

impl Tally {
    /// Kills of all sorts.
    pub fn kills(&self) -> u32 {
        self.boundaries + self.random
    }

    fn wrong(&mut self, what: String) {
        eprintln!("{what}");
        self.wrong.push(what);
    }
}

/// The same start for every kill: a project whose first file is loaded already, and whose second is new.
#[derive(Debug)]
pub struct Crash {
    base: Project,
    wanted: Left,
    /// How long an undisturbed run takes, and how long until its first event; those of the quickest of the last.
    whole: Duration,
    until_first_event: Duration,
}

impl Default for Crash {
    fn default() -> Self {
        Self::new()
    }
}

impl Crash {
    /// Makes the start, and finds out what an undisturbed run leaves.
    pub fn new() -> Self {
        let base = Project::new();
        base.file("orders.toml", PIPELINE);
        input(&base, "in/1.csv", &orders(0, 1_000));
        base.sluicebox(&["run", "orders.toml"]).with_code(0);
        input(&base, "in/2.csv", &orders(1_000, 3_000));
        let none = Left { rows: [Vec::new(), Vec::new()], bookmarks: Vec::new() };
        let mut crash = Self { base, wanted: none, whole: Duration::ZERO, until_first_event: Duration::ZERO };
        let calm = crash.calm();
        crash.wanted = Left::of(&calm);
        assert_eq!(crash.wanted.rows.each_ref().map(Vec::len), [3_000, 3_000], "rows after an undisturbed run");
        assert_eq!(crash.wanted.bookmarks.len(), 1, "bookmarks after an undisturbed run");
        crash.measure();
        crash
    }

    fn project(&self) -> Project {
        let project = Project::new();
        copy(self.base.path(), project.path());
        project
    }

    fn calm(&self) -> Project {
        let project = self.project();
        project.sluicebox(&["run", "orders.toml"]).with_code(0);
        project
    }

    /// How long a run takes now: others may be at work on the machine.
    fn measure(&mut self) {
        let took = |_| {
            let project = self.project();
            let start = Instant::now();
            let mut run = project.command(&["run", "orders.toml"]);
            let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
            let is_over = |run: &mut Child| run.try_wait().expect("a process").is_some();
            while wal(&project) == 0 && !is_over(&mut run) {
                std::thread::yield_now();
            }
            let first = start.elapsed();
            run.wait().expect("a process");
            (start.elapsed(), first)
        };
        (self.whole, self.until_first_event) = (0..3).map(took).min().unwrap_or_default();
    }

    /// Kills a run right before and right after each of its events; answers with how many events it has.
    pub fn at_boundaries(&self, tally: &mut Tally) -> u32 {
        let mut events = 0;
        for event in 1.. {
            let mut is_there = false;
            for at in [format!("{event}"), format!("{event}+")] {
                let project = self.project();
                if self.kill(&project, &Moment::At(at.clone()), tally) {
                    is_there = true;
                    tally.boundaries += 1;
                    self.restart(&project, &format!("killed at {at}"), tally);
                }
            }
            if !is_there {
                break;
            }
            events = event;
        }
        events
    }

    /// Kills a run in each of its phases, and then the restart right before and right after each of its own events.
    pub fn restarts_at_boundaries(&self, tally: &mut Tally) {
        // Before any stage, before the commit, behind the decision, and between the two loads.
        for first in ["2+", "10", "10+", "11+"] {
            for event in 1.. {
                let mut is_there = false;
                for at in [format!("{event}"), format!("{event}+")] {
                    let project = self.project();
                    if !self.kill(&project, &Moment::At(first.to_owned()), tally) {
                        break;
                    }
                    tally.boundaries += 1;
                    tally.restarts += 1;
                    if self.kill(&project, &Moment::At(at.clone()), tally) {
                        is_there = true;
                        tally.boundaries += 1;
                    }
                    self.restart(&project, &format!("killed at {first}, and the restart at {at}"), tally);
                }
                if !is_there {
                    break;
                }
            }
        }
    }

    /// Kills so many runs at random instants, and every fourth restart, too.
    pub fn at_random(&mut self, kills: u32, tally: &mut Tally) {
        let until = tally.random + kills;
        let tries = kills.saturating_mul(20).max(200);
        for number in 0..tries {
            if tally.random >= until {
                return;
            }
            if number % 25 == 24 {
                self.measure();
            }
            let project = self.project();
            let instant = self.instant(number);
            if !self.kill(&project, &instant, tally) {
                tally.too_late += 1;
                self.hold(&project, &format!("not killed {instant:?}"), tally);
                continue;
            }
            tally.random += 1;
            let mut when = format!("killed {instant:?} of {:?}", self.whole);
            if number % 4 == 3 && tally.random < until {
                let second = self.instant(number.wrapping_mul(7).wrapping_add(3));
                tally.restarts += 1;
                if self.kill(&project, &second, tally) {
                    tally.random += 1;
                } else {
                    tally.too_late += 1;
                }
                when = format!("{when}, and the restart {second:?}");
            }
            self.restart(&project, &when, tally);
        }
        tally.wrong(format!("only {} of {until} kills in {tries} tries: runs end too soon", tally.random));
    }

    /// Spread over a run, and not the same for any two numbers: the golden ratio. Most of them after the first event, since
    /// it takes a process longer to start than to run so few rows.
    fn instant(&self, number: u32) -> Moment {
        let share = (f64::from(number) * 0.618_033_988_75).fract();
        if number.is_multiple_of(5) {
            return Moment::After(self.whole.mul_f64(share));
        }
        Moment::AfterFirstEvent(self.whole.saturating_sub(self.until_first_event).mul_f64(share))
    }

    /// Starts a run and kills it; false if it had ended by itself.
    fn kill(&self, project: &Project, moment: &Moment, tally: &mut Tally) -> bool {
        let mut command = project.command(&["run", "orders.toml"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        if let Moment::At(event) = moment {
            command.env("SLUICEBOX_TEST_DIE_AT", event);
        }
        // What a process that was killed left.
        let earlier = wal(project);
        let start = Instant::now();
        let mut run = command.spawn().expect("the binary starts");
        let mut is_over = || run.try_wait().expect("a process").is_some();
        let (after, start) = match moment {
            Moment::At(_) => (None, start),
            Moment::After(time) => (Some(*time), start),
            Moment::AfterFirstEvent(time) => {
                while wal(project) == earlier && !is_over() {
                    std::thread::yield_now();
                }
                (Some(*time), Instant::now())
            }
        };
        if let Some(after) = after {
            while start.elapsed() < after && !is_over() {
                std::thread::yield_now();
            }
            run.kill().expect("a process");
        }
        let ended = Ended::from(run.wait_with_output().expect("a process"));
        match ended.code {
            None => {
                *tally.states.entry(state(project)).or_default() += 1;
                true
            }
            Some(0) => false,
            Some(code) => {
                tally.wrong(format!("a run that was to be killed ended with {code}:\n{}", ended.stderr));
                false
            }
        }
    }

    /// Starts the program again, and holds what is left against what should be.
    fn restart(&self, project: &Project, when: &str, tally: &mut Tally) {
        tally.restarts += 1;
        let again = project.sluicebox(&["run", "orders.toml"]);
        if again.code != Some(0) {
            tally.wrong(format!("{when}: the restart ended with {:?}:\n{}{}", again.code, again.stdout, again.stderr));
        }
        let told = again.stderr.lines().find(|line| line.starts_with("note: run"));
        let told = told.and_then(|line| line.split(" was interrupted").nth(1)).unwrap_or(": nothing");
        *tally.told.entry(format!("was interrupted{told}")).or_default() += 1;
        self.hold(project, when, tally);
        let open =
            runs(project).iter().filter(|run| !matches!(run["state"].as_str(), Some("succeeded" | "failed"))).count();
        if open > 0 {
            tally.wrong(format!("{when}: {open} runs have no end"));
        }
        let temporary = ["out/table", "out/lines"].iter().any(|folder| {
            let files = fs::read_dir(project.path().join(folder)).into_iter().flatten().flatten();
            files.into_iter().any(|file| file.file_name().to_string_lossy().starts_with('.'))
        });
        if temporary {
            tally.wrong(format!("{when}: a temporary file is left"));
        }
    }

    fn hold(&self, project: &Project, when: &str, tally: &mut Tally) {
        let left = Left::of(project);
        tally.wrong_rows += u32::from(left.rows != self.wanted.rows);
        tally.wrong_bookmarks += u32::from(left.bookmarks != self.wanted.bookmarks);
        for difference in left.differences(&self.wanted) {
            tally.wrong(format!("{when}: {difference}"));
        }
    }
}

/// The runs, the newest first.
pub fn runs(project: &Project) -> Vec<Value> {
    let told = project.sluicebox(&["runs", "--format", "json"]).with_code(0).json();
    told.get("runs").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The state of the run that was killed; the project has one of before.
fn state(project: &Project) -> String {
    let runs = runs(project);
    match runs.first() {
        Some(run) if runs.len() > 1 => run["state"].as_str().unwrap_or_default().to_owned(),
        _ => "no run yet".to_owned(),
    }
}

/// The size of what was written to the journal and is not yet in its place.
fn wal(project: &Project) -> u64 {
    fs::metadata(project.path().join(".sluicebox/store.sqlite-wal")).map_or(0, |found| found.len())
}

/// A folder with all that is in it. Components are shared: nobody changes them.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir_all(&to).expect("a folder");
            copy(&path, &to);
        } else if path.extension().is_none_or(|extension| extension != "wasm") || fs::hard_link(&path, &to).is_err() {
            fs::copy(&path, &to).expect("a copy");
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).expect("a time");
            let file = fs::File::options().append(true).open(&to).expect("a file");
            file.set_modified(modified).expect("a time");
        }
    }
}
