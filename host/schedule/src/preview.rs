//! Fires as people are shown them: in local time, with a note where the clocks change.

use crate::timetable::{Rule, Timetable, floor};
use crate::zone::{Change, Place, wall};
use jiff::civil::DateTime;
use jiff::{Timestamp, Zoned};
use sluicebox_model::run::Interval;
use std::fmt;

/// A fire to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// When, in the time zone of the timetable.
    pub at: Zoned,
    /// The data interval of its run.
    pub interval: Interval,
    /// What the clocks do to it.
    pub note: Option<ClockNote>,
}

/// What a change of the clocks does to a fire. Times are of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockNote {
    /// Times of the schedule are skipped; it runs once, as the clocks have gone forward.
    Skipped {
        /// The first of them.
        first: DateTime,
        /// The last of them.
        last: DateTime,
        /// When it runs.
        runs: DateTime,
    },
    /// The time comes twice, and it runs the first time only.
    OnlyFirst {
        /// The time.
        local: DateTime,
    },
    /// The time comes twice, and it runs both times.
    Both {
        /// The time.
        local: DateTime,
        /// Whether this is the second.
        second: bool,
    },
}

impl fmt::Display for ClockNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped { first, last, runs } => {
                let whole = first.date() != runs.date();
                let time = |time: &DateTime| if whole { date_and_time(time) } else { time_of(time) };
                write!(f, "clocks go forward: {}", time(first))?;
                if first == last {
                    write!(f, " does not exist, runs at {}", time(runs))
                } else {
                    write!(f, " to {} do not exist, runs once at {}", time(last), time(runs))
                }
            }
            Self::OnlyFirst { local } => {
                write!(f, "clocks go back: {} comes twice, runs the first time only", time_of(local))
            }
            Self::Both { local, second } => {
                let which = if *second { "second" } else { "first" };
                write!(f, "clocks go back: {} comes twice, runs both times, this is the {which}", time_of(local))
            }
        }
    }
}

fn time_of(time: &DateTime) -> String {
    time.strftime(if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string()
}

fn date_and_time(time: &DateTime) -> String {
    time.strftime(if time.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
}

impl Timetable {
    /// The next fires after an instant.
    pub fn preview(&self, after: Timestamp, count: usize) -> Vec<Preview> {
        self.fires_after(after).take(count).map(|fire| self.preview_of(fire)).collect()
    }

    /// One fire as people are shown it.
    pub fn preview_of(&self, fire: Timestamp) -> Preview {
        let at = fire.to_zoned(self.zone().rules().clone());
        Preview { at, interval: self.interval(fire), note: self.note(fire) }
    }

    /// What the clocks do to a fire.
    pub fn note(&self, fire: Timestamp) -> Option<ClockNote> {
        let fire = floor(fire);
        let on_the_wall = || self.rules().iter().filter(|rule| rule.on_wall_clock());
        if let Some(change) = self.zone().change(fire)
            && let Some(note) = on_the_wall().find_map(|rule| skipped(rule, &change))
        {
            return Some(note);
        }
        let local = fire + self.zone().offset(fire)?;
        let Place::Fold(first, second) = self.zone().place(local)? else { return None };
        let mut of_now = on_the_wall().filter(|rule| rule.next_local(local - 1) == Some(local)).peekable();
        of_now.peek()?;
        let time = wall(local)?;
        if of_now.any(Rule::repeats) {
            return Some(ClockNote::Both { local: time, second: fire == second });
        }
        (fire == first).then_some(ClockNote::OnlyFirst { local: time })
    }
}

fn skipped(rule: &Rule, change: &Change) -> Option<ClockNote> {
    if !rule.falls_into_gap(change) {
        return None;
    }
    let (from, to) = (change.at + change.before, change.at + change.after);
    let first = wall(rule.next_local(from - 1)?)?;
    let last = wall(rule.previous_local(to)?)?;
    Some(ClockNote::Skipped { first, last, runs: wall(to)? })
}
