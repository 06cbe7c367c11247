//! Whoever shows what happens while it happens is told of it, instead of asking again and again.

use crate::store::Store;
use jiff::Timestamp;
use sluicebox_model::run::{Event, RunId};
use std::sync::{Arc, PoisonError, RwLock};

/// Something was written by this process. What other processes write is told nobody.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Events of a run. Those of one run are told in their order.
    Run {
        /// The run.
        run: RunId,
        /// When.
        at: Timestamp,
        /// The number of the first of them within the run, counted from 0.
        sequence: u64,
        /// The place of the first of them among the events of all runs.
        position: u64,
        /// They follow each other.
        events: &'a [Event],
    },
    /// Lines of a run's log.
    Log {
        /// The run.
        run: RunId,
    },
    /// Events of the house.
    House {
        /// The id of the last of them.
        last: u64,
    },
    /// Runs joined the queue, or changed their state there.
    Queue,
    /// Alerts wait that did not, or are settled.
    Alerts,
}

type Watcher = Arc<dyn Fn(&Change<'_>) + Send + Sync>;

/// Those who are told.
#[derive(Default)]
pub(crate) struct Watchers(RwLock<Vec<Watcher>>);

impl Store {
    /// Has `watcher` told of every change, from now on and as long as the store is open: after the change can be read, on the
    /// thread that made it, which waits meanwhile. It must be quick, and must not write to the store.
    pub fn on_change(&self, watcher: impl Fn(&Change<'_>) + Send + Sync + 'static) {
        self.watchers.0.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(watcher));
    }

    pub(crate) fn tell(&self, change: &Change<'_>) {
        // Nobody is told while the list is locked: one who is told may ask to have another told.
        let watchers = self.watchers.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        for watcher in watchers {
            watcher(change);
        }
    }
}
