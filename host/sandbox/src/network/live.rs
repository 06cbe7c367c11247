//! What an instance does with the network, as it goes.

use super::Access;
use super::refused::{Refusal, Refusals};
use crate::console::Console;
use crate::limiter::Passed;
use sluicebox_model::limits::Limits;
use sluicebox_model::stage::{Level, LogSource};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Addresses that names may have turned out to be; a name has a handful.
pub(super) const ANSWERS_MAX: usize = 4096;

/// The state of an instance's network; shared with the tasks that do its waiting.
pub(crate) struct Live {
    pub(super) access: Arc<Access>,
    /// Connections and lookups that are open now.
    open: AtomicU32,
    /// Those that were opened so far.
    opened: AtomicU32,
    used_bytes: AtomicU64,
    max_bytes: u64,
    passed: AtomicBool,
    /// What `grants.tcp` lets the instance connect to, as far as it has looked up names.
    answers: Mutex<BTreeSet<SocketAddr>>,
    refusals: Mutex<Refusals>,
    console: Console,
}

/// Counts as one connection until it is dropped.
pub(super) struct Permit(Arc<Live>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Live {
    pub(super) fn new(access: Arc<Access>, limits: &Limits, console: Console) -> Self {
        Self {
            access,
            open: AtomicU32::new(0),
            opened: AtomicU32::new(0),
            used_bytes: AtomicU64::new(0),
            max_bytes: limits.network_bytes_max,
            passed: AtomicBool::new(false),
            answers: Mutex::default(),
            refusals: Mutex::default(),
            console,
        }
    }

    /// A call begins: what was refused before has nothing to do with it.
    pub(crate) fn start_call(&self, call: &'static str) {
        self.refusals().start_call(call);
    }

    /// The limit that was passed, which ends the call.
    pub(crate) fn passed(&self) -> Option<Passed> {
        self.passed.load(Ordering::Relaxed).then_some(Passed::Network { max: self.max_bytes })
    }

    /// What to do about what was refused in the call, for people.
    pub(crate) fn help(&self) -> Option<String> {
        self.refusals().help()
    }

    /// Counts bytes that were sent or received. The error says that they were too many.
    pub(super) fn count(&self, bytes: usize) -> std::io::Result<()> {
        let bytes = bytes as u64;
        let used = self.used_bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if used > self.max_bytes {
            self.passed.store(true, Ordering::Relaxed);
            return Err(std::io::Error::other("more bytes than `limits.network` allows"));
        }
        Ok(())
    }

    /// One connection or lookup more; none if there are too many.
    pub(super) fn open(self: &Arc<Self>) -> Option<Permit> {
        let Access { connections_max, connections_total_max, .. } = *self.access;
        let open = |now: u32| (now < connections_max).then_some(now + 1);
        if self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, open).is_err() {
            self.refuse(Refusal::Connections { max: connections_max });
            return None;
        }
        let permit = Permit(Arc::clone(self));
        let opened = |so_far: u32| (so_far < connections_total_max).then_some(so_far + 1);
        if self.opened.fetch_update(Ordering::Relaxed, Ordering::Relaxed, opened).is_err() {
            self.refuse(Refusal::ConnectionsTotal { max: connections_total_max });
            return None;
        }
        Some(permit)
    }

    /// Notes what was refused, and tells it in the log unless that was done before.
    pub(super) fn refuse(&self, refusal: Refusal) {
        let told = self.refusals().note(&self.access, refusal);
        if let Some(line) = told {
            self.console.log(Level::Warn, LogSource::Host, &line);
        }
    }

    /// Notes a file that is none.
    pub(crate) fn refuse_file(&self, path: &str, what: &'static str) {
        self.refuse(Refusal::NoFile { path: path.to_owned(), what });
    }

    /// Tells what failed, once.
    pub(super) fn tell(&self, line: &str) {
        let told = self.refusals().tell(line);
        if told {
            self.console.log(Level::Warn, LogSource::Host, line);
        }
    }

    /// Notes an address that a granted name stands for, at a granted port.
    pub(super) fn answered(&self, address: SocketAddr) {
        let mut answers = self.answers();
        if answers.len() < ANSWERS_MAX {
            answers.insert(address);
        }
    }

    /// Whether a granted name was found to stand for the address.
    pub(super) fn was_answered(&self, address: SocketAddr) -> bool {
        self.answers().contains(&address)
    }

    fn answers(&self) -> MutexGuard<'_, BTreeSet<SocketAddr>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
