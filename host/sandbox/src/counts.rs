//! How much the sandbox does, for whoever watches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a sandbox did since its start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Instances that are there now.
    pub instances: u64,
    /// Instances ever made.
    pub instances_total: u64,
    /// Components that came from the compile cache.
    pub compile_hits: u64,
    /// Components that had to be compiled.
    pub compile_misses: u64,
}

/// Where it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    made: AtomicU64,
    gone: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Counters {
    /// What was counted so far.
    pub(crate) fn read(&self) -> Counts {
        // What is gone first: whatever is made in between is only counted as there.
        let gone = self.gone.load(Ordering::Acquire);
        let instances_total = self.made.load(Ordering::Acquire);
        Counts {
            instances: instances_total.saturating_sub(gone),
            instances_total,
            compile_hits: self.hits.load(Ordering::Relaxed),
            compile_misses: self.misses.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts an instance as there until it is dropped.
#[derive(Debug)]
pub(crate) struct Living(Arc<Counters>);

impl Living {
    pub(crate) fn new(counters: &Arc<Counters>) -> Self {
        counters.made.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(counters))
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        self.0.gone.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_counts_until_it_is_gone() {
        let counters = Arc::new(Counters::default());
        let (first, second) = (Living::new(&counters), Living::new(&counters));
        assert_eq!((counters.read().instances, counters.read().instances_total), (2, 2));
        drop(first);
        counters.hit();
        counters.missed();
        counters.missed();
        assert_eq!(counters.read(), Counts { instances: 1, instances_total: 2, compile_hits: 1, compile_misses: 2 });
        drop(second);
        assert_eq!(counters.read().instances, 0);
    }
}
