//! What becomes of a fire while a run of its pipeline is under way or waits.

use crate::decision::{SkipReason, Start};
use sluicebox_model::pipeline::Overlap;

/// How many runs of a pipeline may wait.
pub const QUEUE_LIMIT: u32 = 1000;

/// The runs of a pipeline that have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// Under way.
    pub running: u32,
    /// Waiting to start.
    pub queued: u32,
}

impl Busy {
    /// Whether all runs have ended.
    pub fn is_idle(self) -> bool {
        self.running == 0 && self.queued == 0
    }
}

/// How a run starts that is due on time.
///
/// # Errors
/// It is left out, and why.
pub fn on_time(overlap: Overlap, busy: Busy) -> Result<Start, SkipReason> {
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
        let running = Busy { running: 1, queued: 0 };
        let full = Busy { running: 1, queued: QUEUE_LIMIT };
        for (overlap, busy, decided) in [
            (Overlap::Skip, idle, Ok(Start::Now)),
            (Overlap::Skip, running, Err(SkipReason::Overlap)),
            (Overlap::Skip, Busy { running: 0, queued: 1 }, Err(SkipReason::Overlap)),
            (Overlap::Queue, idle, Ok(Start::Now)),
            (Overlap::Queue, running, Ok(Start::Queue)),
            (Overlap::Queue, full, Err(SkipReason::QueueFull)),
            (Overlap::Cancel, idle, Ok(Start::Now)),
            (Overlap::Cancel, full, Ok(Start::Cancel)),
        ] {
            assert_eq!(on_time(overlap, busy), decided, "{overlap:?} {busy:?}");
        }
        assert_eq!((catching_up(idle), catching_up(full)), (Start::Now, Start::Queue));
    }
}
