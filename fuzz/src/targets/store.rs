//! The store: events that are appended in any order, and a folder that was damaged.

use super::journal::{at, events, fold, id, split};
use crate::input::Input;
use arrow_array::RecordBatch;
use jiff::Timestamp;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::{FailedCall, Journal, Quarantined};
use sluicebox_model::run::{Event, RunId, RunRecord};
use sluicebox_model::stage::{BadRecord, Level, LogLine, LogSource};
use sluicebox_store::{HouseFilter, RunFilter, Store, StoreError};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The first byte chooses between events and damage.
pub fn run(bytes: &[u8]) {
    match split(bytes) {
        (0..=127, lines) => appended(&events(lines)),
        (_, patches) => damaged(&mut Input::new(patches)),
    }
}

/// Runs that share a store before there is a new one.
const RUNS_EACH: u64 = 200;

struct Shared {
    runs: u64,
    store: Store,
    folder: TempDir,
}

thread_local! {
    static SHARED: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

fn folder() -> TempDir {
    // In memory, where there is such a place: nothing here has to outlive anything.
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

/// The store keeps the events that the model allows, refuses the others, and reads back what it keeps.
fn appended(events: &[Event]) {
    SHARED.with_borrow_mut(|shared| {
        if shared.as_ref().is_none_or(|shared| shared.runs >= RUNS_EACH) {
            let folder = folder();
            let store = Store::open(&folder.path().join("state")).unwrap();
            *shared = Some(Shared { runs: 0, store, folder });
        }
        let Some(Shared { runs, store, folder }) = shared else { return };
        *runs += 1;
        let run = RunId::new(at(1), (u128::from(*runs) << 40).to_le_bytes()[..10].try_into().unwrap());
        let kept = fold(events);
        let mut written = Vec::new();
        for (second, event) in events.iter().enumerate() {
            let one = (at(second), event.clone());
            match store.append(run, one.0, std::slice::from_ref(event)) {
                Ok(()) => written.push(one),
                Err(error) => assert!(!kept.contains(&one), "the store refused what the model allows: {error}"),
            }
        }
        assert_eq!(written, kept);
        if kept.is_empty() {
            return;
        }
        let record = RunRecord::fold(run, &kept).unwrap();
        let read = |store: &Store| {
            assert_eq!(store.events(run).unwrap(), kept);
            assert_eq!(store.run(&run.to_string()).unwrap(), record);
            let summary = store.summary(&run.to_string()).unwrap();
            assert_eq!((summary.state, summary.ended_at), (record.state, record.ended_at));
            assert_eq!(store.unfinished().unwrap().iter().any(|other| other.id == run), record.is_unfinished());
        };
        read(store);
        if *runs % 16 == 0 {
            read(&Store::open(&folder.path().join("state")).unwrap());
        }
    });
}

/// A folder of a store with everything in it that a run leaves, by the path of each file.
fn template() -> &'static BTreeMap<PathBuf, Vec<u8>> {
    static TEMPLATE: OnceLock<BTreeMap<PathBuf, Vec<u8>>> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let folder = folder();
        fill(&Store::open(folder.path()).unwrap());
        let mut files = BTreeMap::new();
        collect(folder.path(), Path::new(""), &mut files);
        files
    })
}

fn collect(root: &Path, below: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let path = below.join(entry.unwrap().file_name());
        match root.join(&path) {
            folder if folder.is_dir() => collect(root, &path, files),
            file => drop(files.insert(path, fs::read(file).unwrap())),
        }
    }
}

/// A run that is loaded and one that failed.
fn fill(store: &Store) {
    let lines = include_bytes!("../../seeds/journal/a-run-that-is-loaded");
    let text = String::from_utf8_lossy(lines);
    let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (second, event) in events.iter().enumerate() {
        store.append(id(), at(second), std::slice::from_ref(event)).unwrap();
    }
    let failed = other();
    for (second, event) in events.iter().take(3).enumerate() {
        store.append(failed, at(second), std::slice::from_ref(event)).unwrap();
    }
    let fault = Fault::new(FaultKind::Trap, "process", "it died").with_help("tell whoever wrote it");
    let line = LogLine { level: Level::Warn, source: LogSource::Stderr, message: "a line".into() };
    store.log(failed, "read", at(3), &[line]).unwrap();
    let batch = batch();
    let rows = |reasons: &[&str]| reasons.iter().map(|reason| (*reason).to_owned()).collect();
    let rejected = Quarantined::Rejected { batch: batch.slice(0, 2), reasons: rows(&["rule", "other"]) };
    let record = BadRecord { origin: "a.csv:7".into(), content: "x;y".into(), reason: "two fields".into() };
    for set_aside in [
        rejected,
        Quarantined::Poison { batch: batch.clone(), fault: fault.clone() },
        Quarantined::Records(vec![record]),
    ] {
        Journal::quarantine(store, failed, "read", at(4), &set_aside).unwrap();
    }
    let call = FailedCall {
        stage: "read".into(),
        call: "process".into(),
        turn: 3,
        attempt: 1,
        before: 0,
        input: 0,
        inputs: vec![batch.schema()],
        batch: Some(batch),
        source: None,
        fault: fault.clone(),
    };
    store.keep_call(failed, &call).unwrap();
    store.append(failed, at(5), &[Event::RunFailed { fault }]).unwrap();
    store.pause("flights", "somebody", "it is broken", at(6)).unwrap();
    store.set_bookmark("flights", "read", at(7), Some("page 3")).unwrap();
}

fn other() -> RunId {
    RunId::new(at(1), [9; 10])
}

fn batch() -> RecordBatch {
    let arrays = crate::arrays::one_of_each().into_iter().take(5).enumerate();
    RecordBatch::try_from_iter_with_nullable(arrays.map(|(at, array)| (format!("c{at}"), array, true))).unwrap()
}

/// Some bytes of some file are others. Whatever is asked then is answered or refused, in words.
fn damaged(input: &mut Input<'_>) {
    let folder = folder();
    let files: Vec<(&PathBuf, &Vec<u8>)> = template().iter().collect();
    let hit = input.below(files.len());
    for (number, (path, bytes)) in files.iter().enumerate() {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if number == hit {
            fs::write(path, change(bytes, input)).unwrap();
        } else {
            fs::write(path, bytes).unwrap();
        }
    }
    let told = |error: &StoreError| assert!(!error.to_string().is_empty());
    let store = match Store::open(folder.path()) {
        Ok(store) => store,
        Err(error) => return told(&error),
    };
    macro_rules! ask {
        ($($question:expr),* $(,)?) => { $( if let Err(error) = $question { told(&error); } )* };
    }
    ask!(store.put_back(), store.unfinished(), store.runs(&RunFilter::default()), store.figures(), store.queued());
    for run in [id(), other()] {
        ask!(
            store.run(&run.to_string()),
            store.events(run),
            store.summary(&run.to_string()),
            store.logs(run, None, Level::Debug),
            store.quarantine(run, None, 0, 100),
            store.quarantine_counts(run),
            store.quarantine_files(run),
            store.failed_call(run, "read"),
            store.events_after(run, None, 100),
            store.set_aside_by(Some(run), true),
        );
    }
    ask!(
        store.history("flights", None, 20),
        store.last_loaded("flights"),
        store.last_of("flights"),
        store.bookmarks(None),
        store.remains(),
        store.components_since(Timestamp::UNIX_EPOCH),
        store.schedule_states(),
        store.house_events(&HouseFilter::default()),
        store.new_events(0, 100),
        store.due_alerts(at(1_000_000), 100),
        store.next_alert_at(),
    );
    // Writing on is refused or kept, too.
    let _ = store.append(id(), at(100), &[Event::RunCancelled]);
    let _ = store.append(RunId::new(at(2), [1; 10]), at(100), &[Event::RunCancelled]);
}

fn change(bytes: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + input.below(8) {
        if bytes.is_empty() {
            break;
        }
        let at = input.word() as usize % bytes.len();
        let count = 1 + input.below(16);
        let new = input.bytes(count);
        let end = (at + count).min(bytes.len());
        bytes[at..end].copy_from_slice(&new[..end - at]);
    }
    if input.one_in(8) {
        bytes.truncate(input.word() as usize % (bytes.len() + 1));
    }
    bytes
}
