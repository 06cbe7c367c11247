//! What was decided of a pipeline, for people: when it ran by itself, when it did not, and why.

use super::human;
use sluicebox_model::house::HouseEvent;

/// The names of the events that tell of it.
pub(crate) const KINDS: [&str; 14] = [
    "fired",
    "caught-up",
    "skipped",
    "refused",
    "cancelled",
    "dependency-met",
    "dependency-missed",
    "file-triggered",
    "files-held",
    "requested",
    "paused",
    "resumed",
    "late",
    "deadline-missed",
];

/// Those of them that tell of something that did not run, or not as it should.
pub(crate) const LOSSES: [&str; 7] =
    ["skipped", "refused", "cancelled", "dependency-missed", "files-held", "late", "deadline-missed"];

/// Whether an event tells of something that did not run, or not as it should.
pub(crate) fn is_loss(event: &HouseEvent) -> bool {
    LOSSES.contains(&event.name())
}

/// Why, in a line; names and texts in it are not cleaned.
pub(crate) fn told(event: &HouseEvent) -> String {
    let files = |files: &[String]| match files {
        [] => String::new(),
        [one] => one.clone(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
    };
    match event {
        HouseEvent::Fired { nominal, reason, .. } if reason.is_empty() => format!("{nominal} is due"),
        HouseEvent::Fired { reason, .. }
        | HouseEvent::CaughtUp { reason, .. }
        | HouseEvent::Skipped { reason, .. }
        | HouseEvent::Refused { reason, .. }
        | HouseEvent::Cancelled { reason, .. } => reason.clone(),
        HouseEvent::DependencyMet { interval, upstream, .. } => {
            let runs = human::count(upstream.len() as u64, "run", "runs");
            format!("{runs} that it follows ended, for {}", human::time(interval.end))
        }
        HouseEvent::DependencyMissed { interval, reason } => format!("for {}: {reason}", human::time(interval.end)),
        HouseEvent::FileTriggered { files: arrived, .. } => format!("{} arrived", files(arrived)),
        HouseEvent::FilesHeld { files: arrived, reason } => format!("{} arrived: {reason}", files(arrived)),
        HouseEvent::Requested { by, .. } => format!("by {by}"),
        HouseEvent::Paused { by, reason } if reason.is_empty() => format!("by {by}"),
        HouseEvent::Paused { by, reason } => format!("by {by}: {reason}"),
        HouseEvent::Resumed { by } => format!("by {by}"),
        HouseEvent::Late { nominal, seconds, .. } => {
            let late = human::duration(std::time::Duration::from_secs(*seconds));
            format!("was due at {}, and waits since then: {late}", human::time(*nominal))
        }
        HouseEvent::DeadlineMissed { deadline, .. } => format!("had to have ended by {}", human::time(*deadline)),
        _ => String::new(),
    }
}
