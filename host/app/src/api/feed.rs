//! Who follows which run: events are read once each time that a run has new ones, however many follow it.

use axum::body::Bytes;
use sluicebox_model::run::{Event, RunId};
use sluicebox_store::{Change, Store};
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
                Change::Run { run, .. } => feed.told(*run),
                Change::Queue => feed.queue_told(),
                _ => {}
            }
        });
        feed
    }

    fn told(&self, run: RunId) {
        let followed = self.runs().get(&run).and_then(Weak::upgrade);
        if let Some(followed) = followed {
            followed.version.send_modify(|version| *version += 1);
        }
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

/// Whether nothing follows this event.
pub(super) fn is_last(event: &Event) -> bool {
    matches!(event, Event::RunSucceeded | Event::RunFailed { .. } | Event::RunCancelled | Event::RunAbandoned { .. })
}
