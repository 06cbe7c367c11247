//! When a delivery that failed is tried again.

use jiff::Timestamp;
use std::time::Duration;

/// How long an alert is tried, from when it was decided.
pub const GIVEN_UP_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The wait before the second attempt; doubled for each one after.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// The longest wait, whatever the other side wishes.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// When the next attempt is due after `attempts` of them (at least 1); none: the alert is given up, 24 hours after it was
/// decided.
///
/// The wait is doubled from 10 seconds up to an hour, give or take a fifth: always the same for one seed and attempt, so
/// that many alerts that failed at once are not tried again at once. `wish` is how long the other side wants to be left
/// alone; more than an hour is not granted.
pub fn next_attempt(
    attempts: u32,
    decided_at: Timestamp,
    now: Timestamp,
    seed: u64,
    wish: Option<Duration>,
) -> Option<Timestamp> {
    let doubled = FIRST_WAIT.saturating_mul(2u32.saturating_pow(attempts.saturating_sub(1)));
    let wait = doubled.min(LONGEST_WAIT);
    // From 0.8 to 1.2.
    let share = mixed(seed ^ u64::from(attempts).wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 11;
    let factor = 0.8 + 0.4 * (share as f64 / (1u64 << 53) as f64);
    let wait = wait.mul_f64(factor).max(wish.unwrap_or_default().min(LONGEST_WAIT));
    let next = now.checked_add(wait).ok()?;
    let end = decided_at.checked_add(GIVEN_UP_AFTER).ok()?;
    (next <= end).then_some(next)
}

/// A seed for [`next_attempt`] of a text, e.g. the alert's id.
pub fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// SplitMix64.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The waits of an alert that is never delivered, in seconds.
    fn waits(seed: u64) -> Vec<f64> {
        let (start, mut now, mut waits) = (at(0), at(0), Vec::new());
        while let Some(next) = next_attempt(waits.len() as u32 + 1, start, now, seed, None) {
            waits.push(next.duration_since(now).as_secs_f64());
            now = next;
        }
        waits
    }

    #[test]
    fn waits_double_up_to_an_hour_and_end_after_a_day() {
        for number in 0..200 {
            let waits = waits(number);
            assert!((28..=42).contains(&waits.len()), "{waits:?}");
            assert!(waits.iter().sum::<f64>() <= 86_400.0);
            for (at, wait) in waits.iter().enumerate() {
                let plain = (10.0 * 2f64.powi(at as i32)).min(3600.0);
                assert!((plain * 0.8..=plain * 1.2).contains(wait), "{at}: {wait}");
            }
        }
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
    }

    #[test]
    fn a_wish_is_granted_within_bounds() {
        let next = |wish: u64| next_attempt(1, at(0), at(0), 1, Some(Duration::from_secs(wish))).unwrap();
        assert_eq!(next(120), at(120));
        assert_eq!(next(86_400 * 30), at(3600));
        assert!(next(0) >= at(8));
        // The clock was set back, or far ahead.
        assert!(next_attempt(1, at(1_000_000), at(0), 1, None).is_some());
        assert_eq!(next_attempt(1, at(0), at(86_400), 1, None), None);
        assert!(next_attempt(u32::MAX, at(0), at(0), u64::MAX, None).is_some());
        assert_eq!(next_attempt(1, Timestamp::MAX, Timestamp::MAX, 1, None), None);
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(seed("a"), seed("b"));
    }
}
