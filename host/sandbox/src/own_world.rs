//! The world of a stage without grants for it: a clock that stands at its run's interval, randomness that comes from
//! its run's id. So the same input gives the same output.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use sha2::{Digest as _, Sha256};
use sluicebox_model::stage::RunContext;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// A wall clock that stands.
pub(crate) struct StandingClock(Duration);

impl StandingClock {
    /// Stands at the end of the run's interval, or at 1970 where that is earlier than a clock can say.
    pub(crate) fn new(context: &RunContext) -> Self {
        Self(Duration::try_from(context.interval_end.duration_since(jiff::Timestamp::UNIX_EPOCH)).unwrap_or_default())
    }
}

impl HostWallClock for StandingClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

/// Nanoseconds between two looks at a [`CountingClock`].
const STEP: u64 = 1000;

/// A monotonic clock that goes on by a microsecond whenever it is looked at.
#[derive(Default)]
pub(crate) struct CountingClock(AtomicU64);

impl HostMonotonicClock for CountingClock {
    fn resolution(&self) -> u64 {
        STEP
    }

    fn now(&self) -> u64 {
        self.0.fetch_add(STEP, Ordering::Relaxed)
    }
}

/// Random bytes that are the same whenever the run is.
pub(crate) fn randomness(context: &RunContext, purpose: &str) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(seed(context, purpose))
}

/// The seed that a guest may ask for.
pub(crate) fn insecure_seed(context: &RunContext) -> u128 {
    let seed = seed(context, "insecure-seed");
    seed.first_chunk::<16>().map_or(0, |half| u128::from_le_bytes(*half))
}

fn seed(context: &RunContext, purpose: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    // The lengths keep one name from running into the next.
    for part in ["sluicebox", purpose, &context.run_id, &context.stage] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
