//! What was decided of a pipeline, for people: when it ran by itself, when it did not, and why.

use super::human;
use sluicebox_model::house::HouseEvent;

/// The names of the events that tell of it.
pub(crate) const KINDS: [&str; 18] = [
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
    "alert-queued",
    "alert-delivered",
    "alert-failed",
    "alert-given-up",
];

/// Those of them that tell of something that did not run, or not as it should.
pub(crate) const LOSSES: [&str; 7] =
    ["skipped", "refused", "cancelled", "dependency-missed", "files-held", "late", "deadline-missed"];

/// Whether an event tells of something that did not run, or not as it should, or that nobody could be told of.
pub(crate) fn is_loss(event: &HouseEvent) -> bool {
    let nobody_told = matches!(event, HouseEvent::AlertFailed { .. } | HouseEvent::AlertGivenUp { .. });
    nobody_told || LOSSES.contains(&event.name())
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
        HouseEvent::AlertQueued { alert, kind, target, .. } => {
            format!("alert {alert} of kind `{}` is to go to {}", kind.word(), to(target))
        }
        HouseEvent::AlertDelivered { alert, target, .. } => format!("alert {alert} was delivered to {}", to(target)),
        HouseEvent::AlertFailed { alert, target, reason, next_at, .. } => {
            format!("alert {alert} was not delivered to {}: {reason}; again at {}", to(target), human::time(*next_at))
        }
        HouseEvent::AlertGivenUp { alert, target, reason, .. } => {
            format!("alert {alert} to {} was given up: {reason}", to(target))
        }
        _ => String::new(),
    }
}

/// A target without the mark that tells it from others that look the same.
fn to(target: &str) -> &str {
    target.rsplit_once(" #").map_or(target, |(shown, _)| shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluicebox_model::alert::AlertOn;

    #[test]
    fn alerts_are_told_by_their_targets() {
        assert!(KINDS.iter().all(|kind| HouseEvent::NAMES.contains(kind)));
        let target = "the command `notify` #00c0ffee".to_owned();
        let queued = HouseEvent::AlertQueued { alert: 7, kind: AlertOn::Failure, target: target.clone(), run: None };
        assert_eq!(told(&queued), "alert 7 of kind `failure` is to go to the command `notify`");
        let reason = "it ended with 1".to_owned();
        let given_up = HouseEvent::AlertGivenUp { alert: 7, target, reason, attempt: 9 };
        assert_eq!(told(&given_up), "alert 7 to the command `notify` was given up: it ended with 1");
        assert!(is_loss(&given_up) && !is_loss(&queued));
    }
}
