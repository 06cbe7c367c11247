//! `every = "15m"`: one fire in every such time.
//!
//! The rule: a time that goes into a day without rest, and any number of whole days, is counted on the wall clock of the
//! time zone, from midnight (days: from 1970-01-01). So `every = "6h"` runs at 00:00, 06:00, 12:00 and 18:00 local time,
//! all year round, and gaps and folds are handled as for cron; up to an hour it means every hour. Any other time, such as
//! `7h` or `25m`, is counted in elapsed time from 1970-01-01T00:00:00Z, whatever the time zone.

use std::time::Duration;

const DAY: i64 = 86_400;

/// A time between fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Every {
    seconds: i64,
}

/// Why a duration is no time between fires.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EveryError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Every {
    /// A time between fires of whole seconds, at least one and at most a year.
    ///
    /// # Errors
    /// It is none.
    pub fn new(length: Duration) -> Result<Self, EveryError> {
        let seconds = i64::try_from(length.as_secs()).unwrap_or(i64::MAX);
        let error = |message: &str, help: &str| Err(EveryError { message: message.to_owned(), help: help.to_owned() });
        if length.subsec_nanos() != 0 {
            return error("`every` counts whole seconds", "write e.g. \"1s\" or \"15m\"");
        }
        match seconds {
            0 => error("`every` has to be more than nothing", "write e.g. \"15m\""),
            1..=31_622_400 => Ok(Self { seconds }),
            _ => error("`every` is more than a year", "write `cron = \"@yearly\"` or less"),
        }
    }

    /// The time between fires.
    pub fn length(&self) -> Duration {
        Duration::from_secs(self.seconds.unsigned_abs())
    }

    /// Whether it is counted on the wall clock, and not in elapsed time.
    pub fn on_wall_clock(&self) -> bool {
        DAY % self.seconds == 0 || self.seconds % DAY == 0
    }

    /// Whether it runs in both halves of an hour that comes twice.
    pub(crate) fn repeats(&self) -> bool {
        self.seconds <= 3600
    }

    /// The first multiple after `time`, in seconds since 1970.
    pub(crate) fn next(&self, time: i64) -> Option<i64> {
        time.div_euclid(self.seconds).checked_add(1)?.checked_mul(self.seconds)
    }

    /// The last multiple before `time`, in seconds since 1970.
    pub(crate) fn previous(&self, time: i64) -> Option<i64> {
        time.checked_sub(1)?.div_euclid(self.seconds).checked_mul(self.seconds)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn multiples_before_and_after() {
        let every = Every::new(Duration::from_secs(900)).unwrap();
        for (time, before, after) in [(0, -900, 900), (1, 0, 900), (899, 0, 900), (900, 0, 1800), (-1, -900, 0)] {
            assert_eq!((every.previous(time), every.next(time)), (Some(before), Some(after)), "{time}");
        }
        assert!(every.on_wall_clock());
        for (seconds, wall) in [(7 * 3600, false), (1500, false), (2 * DAY, true), (90, true), (36 * 3600, false)] {
            assert_eq!(Every { seconds }.on_wall_clock(), wall, "{seconds}");
        }
    }

    #[test]
    fn what_is_no_time_between_fires_is_refused() {
        for (length, told) in [
            (Duration::ZERO, "`every` has to be more than nothing"),
            (Duration::from_millis(1500), "`every` counts whole seconds"),
            (Duration::from_secs(400 * 86_400), "`every` is more than a year"),
        ] {
            assert_eq!(Every::new(length).unwrap_err().message, told);
        }
    }
}
