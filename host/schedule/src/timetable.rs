//! When a pipeline runs: the union of its schedules, in one time zone.
//!
//! # The rule for clocks that are put forward and back
//! Schedules are matched on the wall clock of the time zone. Then each match becomes an instant:
//! 1. A time that comes once runs at that time.
//! 2. A time that is skipped as the clocks go forward runs when they have gone forward, at the end of the gap: once,
//!    however many times of the schedule are skipped.
//! 3. A time that comes twice as the clocks go back runs the first time only, unless the schedule means every hour or
//!    every minute ([`Cron::repeats`]): then it runs both times.

use crate::cron::{Cron, CronError};
use crate::every::{Every, EveryError};
use crate::zone::{Change, Place, Zone, ZoneError};
use jiff::Timestamp;
use sluicebox_model::run::Interval;
use std::time::Duration;

/// One schedule of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Times as in crontab.
    Cron(Cron),
    /// One fire in every such time.
    Every(Every),
}

/// When a pipeline runs: schedules and the time zone they are meant in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timetable {
    rules: Vec<Rule>,
    zone: Zone,
}

/// What is wrong with a timetable's texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimetableError {
    /// A cron text.
    #[error("{error}")]
    Cron {
        /// Which of them, from 0.
        index: usize,
        /// What is wrong with it.
        error: CronError,
    },
    /// The time between fires.
    #[error(transparent)]
    Every(EveryError),
    /// The time zone.
    #[error(transparent)]
    Zone(ZoneError),
}

impl TimetableError {
    /// What to write instead.
    pub fn help(&self) -> &str {
        match self {
            Self::Cron { error, .. } => &error.help,
            Self::Every(error) => &error.help,
            Self::Zone(error) => &error.help,
        }
    }
}

impl Timetable {
    /// Reads the schedules and the name of the time zone.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn parse(crons: &[&str], every: Option<Duration>, timezone: &str) -> Result<Self, Vec<TimetableError>> {
        let mut errors = Vec::new();
        let mut rules = Vec::new();
        for (index, text) in crons.iter().enumerate() {
            match Cron::parse(text) {
                Ok(cron) => rules.push(Rule::Cron(cron)),
                Err(error) => errors.push(TimetableError::Cron { index, error }),
            }
        }
        match every.map(Every::new) {
            Some(Ok(every)) => rules.push(Rule::Every(every)),
            Some(Err(error)) => errors.push(TimetableError::Every(error)),
            None => {}
        }
        match Zone::named(timezone) {
            Ok(zone) if errors.is_empty() => return Ok(Self { rules, zone }),
            Ok(_) => {}
            Err(error) => errors.push(TimetableError::Zone(error)),
        }
        Err(errors)
    }

    /// A timetable of schedules that were read.
    pub fn new(rules: Vec<Rule>, zone: Zone) -> Self {
        Self { rules, zone }
    }

    /// The schedules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The time zone that they are meant in.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The first fire after an instant; none after the year 2100.
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        Timestamp::from_second(self.next(floor(instant))?).ok()
    }

    /// The last fire before an instant; none before the year 1970.
    pub fn prev_before(&self, instant: Timestamp) -> Option<Timestamp> {
        Timestamp::from_second(self.previous(ceiling(instant))?).ok()
    }

    /// The fires after an instant, in order.
    pub fn fires_after(&self, instant: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        let first = self.next_after(instant);
        std::iter::successors(first, |last| self.next_after(*last))
    }

    /// The data interval of a fire: from the fire before it until the fire itself.
    pub fn interval(&self, fire: Timestamp) -> Interval {
        Interval { start: self.prev_before(fire).unwrap_or(fire), end: fire }
    }

    pub(crate) fn next(&self, instant: i64) -> Option<i64> {
        self.rules.iter().filter_map(|rule| rule.next(&self.zone, instant)).min()
    }

    pub(crate) fn previous(&self, instant: i64) -> Option<i64> {
        self.rules.iter().filter_map(|rule| rule.previous(&self.zone, instant)).max()
    }
}

/// Whole seconds up to an instant: all fires are at whole seconds.
pub(crate) fn floor(instant: Timestamp) -> i64 {
    instant.as_nanosecond().div_euclid(1_000_000_000) as i64
}

/// Whole seconds from an instant on.
pub(crate) fn ceiling(instant: Timestamp) -> i64 {
    (instant.as_nanosecond() + 999_999_999).div_euclid(1_000_000_000) as i64
}

impl Rule {
    /// Whether it means every hour or every minute, and so runs in both halves of an hour that comes twice.
    pub fn repeats(&self) -> bool {
        match self {
            Self::Cron(cron) => cron.repeats(),
            Self::Every(every) => every.repeats(),
        }
    }

    /// Whether it is matched on the wall clock.
    pub(crate) fn on_wall_clock(&self) -> bool {
        match self {
            Self::Cron(_) => true,
            Self::Every(every) => every.on_wall_clock(),
        }
    }

    pub(crate) fn next_local(&self, local: i64) -> Option<i64> {
        match self {
            Self::Cron(cron) => cron.next(local),
            Self::Every(every) => every.next(local),
        }
    }

    pub(crate) fn previous_local(&self, local: i64) -> Option<i64> {
        match self {
            Self::Cron(cron) => cron.previous(local),
            Self::Every(every) => every.previous(local),
        }
    }

    fn next(&self, zone: &Zone, instant: i64) -> Option<i64> {
        match self {
            _ if !self.on_wall_clock() => self.next_local(instant),
            _ if self.repeats() => self.next_repeating(zone, instant),
            _ => self.next_fixed(zone, instant),
        }
    }

    fn previous(&self, zone: &Zone, instant: i64) -> Option<i64> {
        match self {
            _ if !self.on_wall_clock() => self.previous_local(instant),
            _ if self.repeats() => self.previous_repeating(zone, instant),
            _ => self.previous_fixed(zone, instant),
        }
    }

    /// Times that run once each: the instants are in the order of the wall clock's times.
    fn next_fixed(&self, zone: &Zone, instant: i64) -> Option<i64> {
        let mut local = instant + zone.offset(instant)?;
        loop {
            local = self.next_local(local)?;
            let fire = once(zone.place(local)?);
            // In the second half of a fold the times of the first are still ahead on the wall clock.
            if fire > instant {
                return Some(fire);
            }
        }
    }

    fn previous_fixed(&self, zone: &Zone, instant: i64) -> Option<i64> {
        let mut local = instant + zone.offset(instant)?;
        if let Some(Place::Fold(first, second)) = zone.place(local)
            && instant == second
        {
            // All of the first half is past, also what the wall clock shows as still to come.
            local += second - first;
        }
        loop {
            local = self.previous_local(local)?;
            let fire = once(zone.place(local)?);
            if fire < instant {
                return Some(fire);
            }
        }
    }

    /// Times that run as often as they come: from change to change of the clocks.
    fn next_repeating(&self, zone: &Zone, instant: i64) -> Option<i64> {
        let mut offset = zone.offset(instant)?;
        let mut from = instant;
        loop {
            let candidate = self.next_local(from + offset).map(|local| local - offset);
            let Some(change) = zone.change_after(from) else { return candidate };
            match candidate {
                None => return None,
                Some(fire) if fire < change.at => return Some(fire),
                Some(_) if self.falls_into_gap(&change) => return Some(change.at),
                Some(_) => (offset, from) = (change.after, change.at - 1),
            }
            // The change itself is a time of the new clock.
            if let Some(local) = self.next_local(from + offset)
                && local - offset == change.at
            {
                return Some(change.at);
            }
            from = change.at;
        }
    }

    fn previous_repeating(&self, zone: &Zone, instant: i64) -> Option<i64> {
        let mut before = instant;
        loop {
            let offset = zone.offset(before - 1)?;
            let candidate = self.previous_local(before + offset).map(|local| local - offset);
            let change = zone.change_before(before);
            match (candidate, change) {
                (None, _) => return None,
                (Some(fire), None) => return Some(fire),
                (Some(fire), Some(change)) if fire >= change.at => return Some(fire),
                (Some(_), Some(change)) if self.falls_into_gap(&change) => return Some(change.at),
                (Some(_), Some(change)) => before = change.at,
            }
        }
    }

    /// Whether one of its times is skipped by a change of the clocks.
    pub(crate) fn falls_into_gap(&self, change: &Change) -> bool {
        let (from, to) = (change.at + change.before, change.at + change.after);
        from < to && self.next_local(from - 1).is_some_and(|local| local < to)
    }
}

/// The instant of a time that runs once.
fn once(place: Place) -> i64 {
    match place {
        Place::Once(instant) | Place::Gap(instant) | Place::Fold(instant, _) => instant,
    }
}
