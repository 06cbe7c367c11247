//! The world of a stage without grants for it: a clock that stands at its run's interval, randomness that comes from
//! what its run is for, not from which run it is. So the same input gives the same output.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{SeedableRng, TryRng};
use sha2::{Digest as _, Sha256};
use sluicebox_model::stage::RunContext;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
/// Nanoseconds between the beginnings of two turns, about four seconds.
const TURN: u64 = 1 << 32;

/// A monotonic clock that goes on by a microsecond whenever it is looked at.
#[derive(Clone, Default)]
struct CountingClock(Arc<AtomicU64>);

impl HostMonotonicClock for CountingClock {
    fn resolution(&self) -> u64 {
        STEP
    }

    fn now(&self) -> u64 {
        self.0.fetch_add(STEP, Ordering::Relaxed)
    }
}

/// What an instance without grants for clock and randomness sees of them. Both begin anew with each call, so that an
/// answer depends on the input of its call and not on which instance gave it, nor on what was asked before.
pub(crate) struct OwnWorld {
    context: RunContext,
    clock: CountingClock,
    secure: Randomness,
    insecure: Randomness,
}

impl OwnWorld {
    /// The world of an instance of the run and stage.
    pub(crate) fn new(context: &RunContext) -> Self {
        Self {
            clock: CountingClock::default(),
            secure: Randomness::new(context, "secure"),
            insecure: Randomness::new(context, "insecure"),
            context: context.clone(),
        }
    }

    /// A call of this name begins; `turn` tells it from others of the name.
    pub(crate) fn begin(&self, call: &str, turn: u64) {
        // It never goes back.
        self.clock.0.fetch_max(turn.saturating_mul(TURN), Ordering::Relaxed);
        self.secure.begin(&self.context, "secure", call, turn);
        self.insecure.begin(&self.context, "insecure", call, turn);
    }

    pub(crate) fn monotonic_clock(&self) -> impl HostMonotonicClock + use<> {
        self.clock.clone()
    }

    pub(crate) fn secure_random(&self) -> Randomness {
        self.secure.clone()
    }

    pub(crate) fn insecure_random(&self) -> Randomness {
        self.insecure.clone()
    }
}

/// Random bytes that are the same whenever what the run is for, the stage and the call are.
#[derive(Clone)]
pub(crate) struct Randomness(Arc<Mutex<ChaCha20Rng>>);

impl Randomness {
    fn new(context: &RunContext, purpose: &str) -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::from_seed(seed(context, &[purpose, "instantiate"])))))
    }

    fn begin(&self, context: &RunContext, purpose: &str, call: &str, turn: u64) {
        *self.lock() = ChaCha20Rng::from_seed(seed(context, &[purpose, call, &turn.to_string()]));
    }

    fn lock(&self) -> MutexGuard<'_, ChaCha20Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TryRng for Randomness {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.lock().try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.lock().try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.lock().try_fill_bytes(bytes)
    }
}

/// The seed that a guest may ask for.
pub(crate) fn insecure_seed(context: &RunContext) -> u128 {
    let seed = seed(context, &["insecure-seed"]);
    seed.first_chunk::<16>().map_or(0, |half| u128::from_le_bytes(*half))
}

fn seed(context: &RunContext, purpose: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    // The lengths keep one name from running into the next.
    for part in ["sluicebox", &context.randomness, &context.stage].iter().chain(purpose) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
