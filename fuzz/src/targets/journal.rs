//! Events of a run, as JSON, in any order.

use crate::input::Input;
use jiff::Timestamp;
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Event, RunId, RunRecord, RunState, StageState};

/// One event a line; a line may also be the number of a line before it, which is told again.
pub fn run(bytes: &[u8]) {
    let events = events(bytes);
    for event in &events {
        let told = serde_json::to_string(event).unwrap();
        assert_eq!(&serde_json::from_str::<Event>(&told).unwrap(), event, "{told}");
        assert!(told.contains(event.name()));
    }
    fold(&events);
}

/// The events of a text of lines.
pub fn events(bytes: &[u8]) -> Vec<Event> {
    let text = String::from_utf8_lossy(bytes);
    let mut events: Vec<Event> = Vec::new();
    for line in text.lines() {
        if let Ok(number) = line.trim().parse::<usize>() {
            if let Some(event) = events.get(number).filter(|_| events.len() < 200) {
                events.push(event.clone());
            }
        } else if let Ok(event) = serde_json::from_str(line) {
            events.push(event);
        }
    }
    events
}

/// The id of every run here.
pub fn id() -> RunId {
    RunId::new(at(1), [7; 10])
}

/// A moment.
pub fn at(second: usize) -> Timestamp {
    Timestamp::from_second(second as i64).unwrap()
}

/// Applies them all: those that do not fit are refused and change nothing, and the rest is what it has to be. Answers with
/// those that fit.
pub fn fold(events: &[Event]) -> Vec<(Timestamp, Event)> {
    let mut kept = Vec::new();
    let mut record: Option<RunRecord> = None;
    for (second, event) in events.iter().enumerate() {
        let one = (at(second), event.clone());
        match record.as_mut() {
            None => record = RunRecord::fold(id(), std::slice::from_ref(&one)).ok().inspect(|_| kept.push(one)),
            Some(record) => {
                let before = record.clone();
                match record.apply(one.0, &one.1) {
                    Ok(()) => kept.push(one),
                    Err(error) => {
                        assert!(!error.reason.is_empty());
                        assert_eq!(*record, before, "an event that was refused changed the run: {event:?}");
                    }
                }
                holds(record);
            }
        }
    }
    if let Some(record) = record {
        assert_eq!(RunRecord::fold(id(), &kept).as_ref(), Ok(&record), "the fold of the same events");
        serde_json::to_string(&record).unwrap();
    }
    kept
}

/// What holds of every run.
fn holds(record: &RunRecord) {
    let is_over = !matches!(record.state, RunState::Queued | RunState::Running | RunState::Committing);
    assert_eq!(record.ended_at.is_some(), is_over);
    let ended_well = |state: StageState| matches!(state, StageState::Succeeded | StageState::Skipped);
    if record.committing_at.is_some() {
        assert!(record.stages.iter().all(|stage| ended_well(stage.state)), "half a run is committed");
        assert!(!matches!(record.state, RunState::Failed | RunState::Cancelled), "a committing run was undone");
    } else {
        assert!(!matches!(record.state, RunState::Committing | RunState::Succeeded));
        assert!(record.receipts.is_empty() && record.bookmarks.is_empty());
    }
    for stage in record.stages.iter().filter(|stage| stage.committed) {
        assert!(record.committing_at.is_some());
        assert_eq!((stage.entry.kind, stage.state), (Kind::Load, StageState::Succeeded));
    }
    if record.state == RunState::Succeeded {
        let loads = record.stages.iter().filter(|stage| stage.entry.kind == Kind::Load);
        assert!(loads.into_iter().all(|load| load.committed || load.state == StageState::Skipped));
    }
    assert!(!(record.is_unfinished() && record.state.is_final()));
}

/// A first byte chooses; used where some of the bytes are not events.
pub fn split(bytes: &[u8]) -> (u8, &[u8]) {
    let mut input = Input::new(bytes);
    (input.byte(), input.rest())
}
