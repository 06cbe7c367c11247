//! What becomes of a fire while a run of its pipeline is under way or waits.

use crate::decision::{SkipReason, Start};
use sluicebox_model::pipeline::{CatchUp, Overlap};

/// How many runs of a pipeline may wait.
pub const QUEUE_LIMIT: u32 = 1000;

/// The runs of a pipeline that have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// Under way.
    pub running: u32,
    /// Waiting to start.
    pub queued: u32,
    /// Whether one of them makes up for a missed fire.
    pub catching_up: bool,
}

impl Busy {
    /// Whether all runs have ended.
    pub fn is_idle(self) -> bool {
        self.running == 0 && self.queued == 0
    }
}

/// How a run starts that is due on time. While `catch-up = "all"` makes up for missed fires, nothing is left out or cancelled,
/// whatever `overlap` says: else it would lose intervals.
///
/// # Errors
/// It is left out, and why.
pub fn on_time(overlap: Overlap, catch_up: CatchUp, busy: Busy) -> Result<Start, SkipReason> {
    let overlap = if busy.catching_up && catch_up == CatchUp::All { Overlap::Queue } else { overlap };
    match overlap {
        _ if busy.is_idle() => Ok(Start::Now),
        Overlap::Skip => Err(SkipReason::Overlap),
        Overlap::Queue if busy.queued >= QUEUE_LIMIT => Err(SkipReason::QueueFull),
        Overlap::Queue => Ok(Start::Queue),
        Overlap::Cancel => Ok(Start::Cancel),
    }
}

/// How a run starts that makes up for a missed fire: never at once with another, and never left out, whatever `overlap`
/// says of fires on time; else `catch-up = "all"` would lose intervals.
pub fn catching_up(busy: Busy) -> Start {
    if busy.is_idle() { Start::Now } else { Start::Queue }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_has_its_way() {
        let idle = Busy::default();
        let busy = |running, queued| Busy { running, queued, catching_up: false };
        let (running, full) = (busy(1, 0), busy(1, QUEUE_LIMIT));
        for (overlap, busy, decided) in [
            (Overlap::Skip, idle, Ok(Start::Now)),
            (Overlap::Skip, running, Err(SkipReason::Overlap)),
            (Overlap::Skip, busy(0, 1), Err(SkipReason::Overlap)),
            (Overlap::Queue, idle, Ok(Start::Now)),
            (Overlap::Queue, running, Ok(Start::Queue)),
            (Overlap::Queue, full, Err(SkipReason::QueueFull)),
            (Overlap::Cancel, idle, Ok(Start::Now)),
            (Overlap::Cancel, full, Ok(Start::Cancel)),
        ] {
            for catch_up in [CatchUp::None, CatchUp::Latest, CatchUp::All] {
                assert_eq!(on_time(overlap, catch_up, busy), decided, "{overlap:?} {catch_up:?} {busy:?}");
            }
        }
        let behind = Busy { running: 1, queued: 2, catching_up: true };
        for overlap in [Overlap::Skip, Overlap::Queue, Overlap::Cancel] {
            assert_eq!(on_time(overlap, CatchUp::All, behind), Ok(Start::Queue), "{overlap:?}");
        }
        assert_eq!(on_time(Overlap::Skip, CatchUp::Latest, behind), Err(SkipReason::Overlap));
        let full = Busy { catching_up: true, ..full };
        assert_eq!(on_time(Overlap::Skip, CatchUp::All, full), Err(SkipReason::QueueFull));
        assert_eq!((catching_up(idle), catching_up(full)), (Start::Now, Start::Queue));
    }
}
