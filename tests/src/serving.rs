//! A running `serve`, and what it keeps: tests wait until something can be seen in the store or the log, never for a time.

use crate::{Ended, Project};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything takes; whoever waits so long has failed.
const DEADLINE: Duration = Duration::from_secs(90);

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until there is something; fails the test if there is nothing for very long, and tells what `told` says.
#[track_caller]
pub fn until<T>(what: &str, told: impl Fn() -> String, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "waited in vain: {what}\n{}", told());
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A running `serve` in a project; killed with the value.
#[derive(Debug)]
pub struct Serving<'a> {
    project: &'a Project,
    child: RefCell<Child>,
    log: String,
    /// What it keeps.
    pub store: Store,
}

impl<'a> Serving<'a> {
    /// Starts it, and waits until it serves.
    #[track_caller]
    pub fn begin(project: &'a Project) -> Self {
        Self::begin_with(project, |_| {})
    }

    /// Starts it with more options or another environment, and waits until it serves.
    #[track_caller]
    pub fn begin_with(project: &'a Project, more: impl FnOnce(&mut Command)) -> Self {
        let serving = Self::start(project, more);
        serving.tells("the API answers at");
        serving
    }

    /// Starts it, and waits for nothing but its store.
    #[track_caller]
    pub fn start(project: &'a Project, more: impl FnOnce(&mut Command)) -> Self {
        Self::start_at(project, "127.0.0.1:0", more)
    }

    /// The same, with its API at another address.
    #[track_caller]
    pub fn start_at(project: &'a Project, address: &str, more: impl FnOnce(&mut Command)) -> Self {
        let number = (0..).find(|number| !project.has(&format!("serve-{number}.log"))).unwrap_or(0);
        let log = format!("serve-{number}.log");
        let to = fs::File::create(project.path().join(&log)).expect("a log");
        let mut command = project.command(&["serve", "--address", address]);
        more(&mut command);
        let child = command.stdout(Stdio::null()).stderr(to).spawn().expect("the binary starts");
        let child = RefCell::new(child);
        let is_over = || child.borrow_mut().try_wait().expect("a process").is_some();
        let store = until(
            "the store is there",
            || project.read(&log),
            || {
                assert!(!is_over(), "it ended:\n{}", project.read(&log));
                Store::of(project).filter(|store| store.is_made())
            },
        );
        Self { project, child, log, store }
    }

    /// Where its API answers, as it tells it.
    #[track_caller]
    pub fn url(&self) -> String {
        let line = self.tells("the API answers at ");
        let rest = line.split_once("the API answers at ").map_or("", |(_, rest)| rest);
        rest.split(';').next().unwrap_or_default().to_owned()
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.borrow().id()
    }

    /// What it has told.
    pub fn log(&self) -> String {
        self.project.read(&self.log)
    }

    /// Looks until there is something.
    #[track_caller]
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        until(
            what,
            || self.log(),
            || {
                let found = look();
                if found.is_none()
                    && let Ok(Some(status)) = self.child.borrow_mut().try_wait()
                {
                    panic!("it ended ({status}) before this: {what}\n{}", self.log());
                }
                found
            },
        )
    }

    /// Waits until it has told this; answers with the line.
    #[track_caller]
    pub fn tells(&self, text: &str) -> String {
        self.until(text, || self.log().lines().find(|line| line.contains(text)).map(str::to_owned))
    }

    /// Waits until there are so many events of a name about a pipeline; answers with them.
    #[track_caller]
    pub fn events(&self, pipeline: &str, kind: &str, count: usize) -> Vec<Value> {
        self.until(&format!("{count} events `{kind}` about `{pipeline}`"), || {
            let events = self.store.events(Some(pipeline), kind);
            (events.len() >= count).then_some(events)
        })
    }

    /// Waits until so many runs of a pipeline have this state; answers with them, the oldest first.
    #[track_caller]
    pub fn runs(&self, pipeline: &str, state: &str, count: usize) -> Vec<Value> {
        self.until(&format!("{count} runs of `{pipeline}` are {state}"), || {
            let mut runs = self.store.runs(pipeline);
            runs.retain(|run| run["state"] == state);
            (runs.len() >= count).then_some(runs)
        })
    }

    /// Sends it a signal, e.g. `TERM`.
    pub fn signal(&self, signal: &str) {
        let id = self.child.borrow().id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status().expect("kill starts");
        assert!(sent.success(), "no process {id}");
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(&self) -> ExitStatus {
        let look = || self.child.borrow_mut().try_wait().expect("a process");
        until("it ends", || self.log(), look)
    }

    /// Asks it to end, and waits until it has, in good order.
    #[track_caller]
    pub fn end(self) -> Store {
        self.signal("TERM");
        let status = self.ended();
        assert_eq!(status.code(), Some(0), "{}", self.log());
        Store::of(self.project).expect("a store")
    }

    /// Kills it.
    pub fn kill(self) {
        drop(self);
    }

    /// Runs a command beside it.
    pub fn sluicebox(&self, arguments: &[&str]) -> Ended {
        self.project.sluicebox(arguments)
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// What the store of a project holds, read only.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
}

impl Store {
    /// The store of a project; none if there is none yet.
    pub fn of(project: &Project) -> Option<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(project.path().join(".sluicebox/store.sqlite"), flags).ok()?;
        connection.busy_timeout(Duration::from_secs(30)).ok()?;
        Some(Self { connection })
    }

    /// Whether its tables are there.
    fn is_made(&self) -> bool {
        self.connection.prepare("SELECT 1 FROM house_events").is_ok()
    }

    /// The rows of a query, each an object; texts that are JSON objects are read as such.
    #[track_caller]
    pub fn rows(&self, query: &str, with: &[&dyn rusqlite::ToSql]) -> Vec<Value> {
        let mut select = self.connection.prepare_cached(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let names: Vec<String> = select.column_names().map(str::to_owned).collect();
        let row = |row: &rusqlite::Row<'_>| {
            let mut object = Map::new();
            for (at, name) in names.iter().enumerate() {
                object.insert(name.clone(), value(row.get_ref(at)?));
            }
            Ok(Value::Object(object))
        };
        let rows = select.query_map(with, row).and_then(Iterator::collect);
        rows.unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// The events of a name, the oldest first; about one pipeline, or any. Their time stands in `at`, in nanoseconds.
    #[track_caller]
    pub fn events(&self, pipeline: Option<&str>, kind: &str) -> Vec<Value> {
        let rows = self.rows(
            "SELECT at, pipeline, body FROM house_events WHERE kind = ?1 AND (?2 IS NULL OR pipeline = ?2) ORDER BY id",
            &[&kind, &pipeline],
        );
        let event = |mut row: Value| {
            let mut body = row["body"].take();
            body["at"] = row["at"].take();
            body["pipeline"] = row["pipeline"].take();
            body
        };
        rows.into_iter().map(event).collect()
    }

    /// The runs of a pipeline, the oldest first.
    #[track_caller]
    pub fn runs(&self, pipeline: &str) -> Vec<Value> {
        self.rows("SELECT * FROM runs WHERE pipeline = ?1 ORDER BY rowid", &[&pipeline])
    }

    /// The rows of the queue about a pipeline, the oldest first; also those that have left it.
    #[track_caller]
    pub fn queue(&self, pipeline: &str) -> Vec<Value> {
        self.rows("SELECT * FROM queue WHERE pipeline = ?1 ORDER BY ready_at, queued_at, run", &[&pipeline])
    }

    /// The alerts about a pipeline, the oldest first.
    #[track_caller]
    pub fn alerts(&self, pipeline: &str) -> Vec<Value> {
        self.rows("SELECT * FROM alerts WHERE pipeline = ?1 ORDER BY id", &[&pipeline])
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            let text = String::from_utf8_lossy(text);
            if text.starts_with('{') {
                serde_json::from_str(&text).unwrap_or_else(|_| text.into_owned().into())
            } else {
                text.into_owned().into()
            }
        }
    }
}

/// A pipeline that reads `in/rows.csv`, takes its time, and adds to `out/NAME`. `schedule` goes under `[schedule]`, `more`
/// behind it.
pub fn slow(name: &str, seconds: f64, schedule: &str, more: &str) -> String {
    format!(
        "[pipeline]\nname = '{name}'\n\n[schedule]\n{schedule}\n\n{more}\n\n\
         [[stage]]\nname = 'read'\nplugin = 'extract-csv'\ngrants.read = ['in']\nconfig = {{ path = 'in/rows.csv' }}\n\n\
         [[stage]]\nname = 'nap'\nplugin = 'evil'\nconfig = {{ mode = 'sleep', seconds = {seconds} }}\n\n\
         [[stage]]\nname = 'out'\nplugin = 'load-csv'\ngrants.write = ['out']\n\
         config = {{ path = 'out/{name}', mode = 'append' }}\n"
    )
}

/// The same without a nap.
pub fn quick(name: &str, schedule: &str, more: &str) -> String {
    slow(name, 0.0, schedule, more)
}

/// A project with the rows that these pipelines read.
pub fn project() -> Project {
    let project = Project::new();
    project.file("in/rows.csv", "id,name\n1,a\n2,b\n3,c\n");
    project
}

/// So many nanoseconds are a second.
pub const SECOND: i64 = 1_000_000_000;

/// A time in a row of the store, in nanoseconds.
#[track_caller]
pub fn at(row: &Value, key: &str) -> i64 {
    row[key].as_i64().unwrap_or_else(|| panic!("no `{key}` in {row}"))
}

/// A text in a row of the store.
#[track_caller]
pub fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {row}"))
}
