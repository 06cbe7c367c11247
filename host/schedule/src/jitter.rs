//! A steady delay for each pipeline, so that those of one time do not all begin at once. A fire is known by its nominal
//! time, whatever the delay.

use sha2::{Digest, Sha256};
use std::time::Duration;

/// The delay of a pipeline: from nothing up to, but not, `jitter`; in whole milliseconds; always the same for the same
/// name and `jitter`.
pub fn delay(pipeline: &str, jitter: Duration) -> Duration {
    let digest = Sha256::digest(pipeline.as_bytes());
    let number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    // The upper half of the product: spreads the names evenly over the milliseconds.
    let milliseconds = (u128::from(number) * jitter.as_millis()) >> 64;
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_steady_and_spread() {
        let jitter = Duration::from_secs(60);
        assert_eq!(delay("flights", jitter), delay("flights", jitter));
        assert_eq!(delay("flights", Duration::from_millis(43)), Duration::from_millis(33));
        assert_eq!(delay("flights", Duration::ZERO), Duration::ZERO);
        let mut tenths = [0; 10];
        for number in 0..1000 {
            let delay = delay(&format!("pipeline-{number}"), jitter);
            assert!(delay < jitter);
            if let Some(tenth) = tenths.get_mut(delay.as_secs() as usize / 6) {
                *tenth += 1;
            }
        }
        assert!(tenths.iter().all(|count| (60..140).contains(count)), "{tenths:?}");
    }
}
