//! Stopping a run: one flag, and everybody who waits is woken.

use sluicebox_model::cancel::Cancel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Locks, also after a panic of another thread: the panic is told as a fault of its own, and all that is behind locks
/// here stays whole between statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody who may be waiting on a condition variable.
pub(crate) trait Wake: Send + Sync {
    /// Makes whoever waits look at the flag again.
    fn wake(&self);
}

/// The run's own flag, apart from the user's: a failure stops the other stages too.
#[derive(Default)]
pub(crate) struct Stop {
    cancel: Cancel,
    waiting: Mutex<Vec<Weak<dyn Wake>>>,
    pause: Mutex<()>,
    bell: Condvar,
}

impl Stop {
    /// The flag as instances take it.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Sets the flag and wakes everybody.
    pub(crate) fn stop(&self) {
        self.cancel.cancel();
        drop(lock(&self.pause));
        self.bell.notify_all();
        let waiting: Vec<_> = lock(&self.waiting).iter().filter_map(Weak::upgrade).collect();
        for one in waiting {
            one.wake();
        }
    }

    /// Has somebody woken when the run stops.
    pub(crate) fn register<W: Wake + 'static>(&self, one: &Arc<W>) {
        let weak = Arc::downgrade(one);
        let mut waiting = lock(&self.waiting);
        waiting.retain(|other| other.strong_count() > 0);
        waiting.push(weak);
    }

    /// Waits so long; true: the run stopped meanwhile.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        let mut guard = lock(&self.pause);
        loop {
            if self.is_stopped() {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            guard = self.bell.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
