//! Who follows which run: its events are sent as they are told, and read once where they were told before anybody followed,
//! however many do.

use axum::body::Bytes;
use sluicebox_model::run::{Event, RunId};
use sluicebox_store::{Change, JournalEntry, Store};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::watch;

/// Tells those who follow a run that it has new events.
#[derive(Debug, Default)]
pub(super) struct Feed {
    runs: Mutex<HashMap<RunId, Weak<Followed>>>,
}

impl Feed {
    /// The feed of a store, for as long as somebody has it.
    pub(super) fn of(store: &Store) -> Arc<Self> {
        let feed = Arc::new(Self::default());
        let told = Arc::downgrade(&feed);
        store.on_change(move |change| {
            let Some(feed) = told.upgrade() else { return };
            match change {
                Change::Run { run, at, sequence, position, events } => {
                    let entry = |(number, event): (u64, &Event)| JournalEntry {
                        position: position + number,
                        run: *run,
                        sequence: sequence + number,
                        at: *at,
                        event: event.clone(),
                    };
                    feed.told(*run, *sequence, (0..).zip(*events).map(entry));
                }
                Change::Queue => feed.queue_told(),
                _ => {}
            }
        });
        feed
    }

    /// New events of a run, the first with this number.
    fn told(&self, run: RunId, first: u64, entries: impl Iterator<Item = JournalEntry>) {
        let followed = self.runs().get(&run).and_then(Weak::upgrade);
        let Some(followed) = followed else { return };
        // Where somebody reads just now, or has to, these are read as well.
        if let Ok(mut known) = followed.known.try_lock() {
            let version = *followed.version.borrow();
            if known.version == version && known.frames.len() as u64 == first {
                entries.for_each(|entry| known.push(&entry));
                known.version = version + 1;
                followed.begun.store(true, Ordering::Relaxed);
            }
        }
        followed.version.send_modify(|version| *version += 1);
    }

    /// Runs that are followed from before their start may have left the queue without one.
    fn queue_told(&self) {
        let all: Vec<Arc<Followed>> = self.runs().values().filter_map(Weak::upgrade).collect();
        for followed in all.iter().filter(|followed| !followed.begun.load(Ordering::Relaxed)) {
            followed.version.send_modify(|version| *version += 1);
        }
    }

    /// Follows a run for as long as the answer is kept.
    pub(super) fn follow(&self, run: RunId) -> Arc<Followed> {
        let mut runs = self.runs();
        if let Some(followed) = runs.get(&run).and_then(Weak::upgrade) {
            return followed;
        }
        runs.retain(|_, followed| followed.strong_count() > 0);
        let followed = Arc::new(Followed {
            run,
            version: watch::Sender::new(1),
            begun: AtomicBool::new(false),
            known: tokio::sync::Mutex::default(),
        });
        runs.insert(run, Arc::downgrade(&followed));
        followed
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, Weak<Followed>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run that somebody follows.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) run: RunId,
    /// Grows when something happens to the run.
    pub(super) version: watch::Sender<u64>,
    /// Whether the journal has an event of it.
    pub(super) begun: AtomicBool,
    pub(super) known: tokio::sync::Mutex<Known>,
}

/// What is known of the events of a run.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The version that was looked at last; 0: none yet.
    pub(super) version: u64,
    /// The events, as they are sent.
    pub(super) frames: Vec<Bytes>,
    /// Nothing follows.
    pub(super) ended: bool,
}

impl Known {
    /// One more event.
    pub(super) fn push(&mut self, entry: &JournalEntry) {
        self.frames.push(frame(entry));
        self.ended |= is_last(&entry.event);
    }
}

/// An event as it is sent: its number, and itself as one line of JSON.
fn frame(entry: &JournalEntry) -> Bytes {
    // What cannot be told is told as nothing: the number is not lost.
    let json = serde_json::to_string(entry).unwrap_or_else(|_| "null".to_owned());
    Bytes::from(format!("id: {}\ndata: {json}\n\n", entry.sequence))
}

/// Whether nothing follows this event.
fn is_last(event: &Event) -> bool {
    matches!(event, Event::RunSucceeded | Event::RunFailed { .. } | Event::RunCancelled | Event::RunAbandoned { .. })
}
