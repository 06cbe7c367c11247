//! How long to wait before a call is tried again.

use sluicebox_model::pipeline::Retry;
use std::time::Duration;

/// No wait is longer.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(300);

/// The wait before `attempt` (2 is the first that waits): the backoff, doubled for each attempt after, of which the upper
/// half is left to chance, so that many stages do not come back at once. The chance comes from the arguments alone.
pub(crate) fn wait_before(retry: Retry, attempt: u32, seed: u64) -> Duration {
    let doublings = attempt.saturating_sub(2).min(31);
    let whole = retry.backoff.saturating_mul(1 << doublings).min(WAIT_MAX);
    let chance = mix(seed ^ u64::from(attempt));
    // 0 .. 1 in 2^16 steps
    let share = f64::from((chance >> 48) as u16) / 65_536.0;
    whole.mul_f64(0.5 + share / 2.0)
}

/// A number that depends on a text alone.
pub(crate) fn seed_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// splitmix64: every bit of the answer depends on every bit of the question.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
