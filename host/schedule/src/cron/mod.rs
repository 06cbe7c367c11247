//! Five fields as in crontab, or a nickname such as `@daily`.
//!
//! Read here, so that what is wrong is told by field and place; matched by the crate `cron`, on the wall clock, where
//! neither gap nor fold exists. [`crate::Timetable`] maps the times of the wall clock to instants.

mod field;
mod matcher;
#[cfg(test)]
mod tests;

use field::Kind;
pub(crate) use field::{MONTHS, WEEKDAYS};
use matcher::Matcher;
use std::ops::Range;

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CronError {
    /// What is wrong, and in which field.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// Where, in bytes of the text.
    pub span: Range<usize>,
}

impl CronError {
    fn new(message: impl Into<String>, help: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), help: help.into(), span }
    }
}

/// The numbers that a field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Bit `n` stands for `n`; Sunday is 0.
    pub(crate) bits: u64,
    /// Whether it begins with `*`.
    pub(crate) star: bool,
}

impl Field {
    pub(crate) fn has(self, number: u8) -> bool {
        number < 64 && self.bits >> number & 1 == 1
    }

    /// The numbers, in order.
    pub(crate) fn numbers(self) -> Vec<u8> {
        (0..64).filter(|number| self.has(*number)).collect()
    }

    fn is_all(self, kind: Kind) -> bool {
        self.bits == kind.all()
    }
}

/// What the five fields name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) minutes: Field,
    pub(crate) hours: Field,
    pub(crate) days: Field,
    pub(crate) months: Field,
    pub(crate) weekdays: Field,
}

impl Fields {
    pub(crate) fn every_minute(&self) -> bool {
        self.minutes.is_all(Kind::Minute)
    }

    pub(crate) fn every_hour(&self) -> bool {
        self.hours.is_all(Kind::Hour)
    }

    pub(crate) fn every_day(&self) -> bool {
        self.days.is_all(Kind::Day)
    }

    pub(crate) fn every_month(&self) -> bool {
        self.months.is_all(Kind::Month)
    }

    pub(crate) fn every_weekday(&self) -> bool {
        self.weekdays.is_all(Kind::Weekday)
    }

    /// As in crontab: a day that fits one of the two is enough, unless one of them begins with `*`.
    pub(crate) fn day_or_weekday(&self) -> bool {
        !self.days.star && !self.weekdays.star
    }
}

/// A schedule as in crontab, read and checked.
#[derive(Clone, Debug)]
pub struct Cron {
    text: String,
    fields: Fields,
    matcher: Box<Matcher>,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Eq for Cron {}

/// The nicknames that crontab knows, each with its fields.
const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl Cron {
    /// Reads five fields (minute, hour, day of month, month, weekday) or a nickname.
    ///
    /// # Errors
    /// Which field is wrong, where, and what to write instead; also a date that never comes.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let words = words(text);
        let fields = match words.as_slice() {
            [] => {
                let help = "write five fields such as `30 6 * * *`, or `@daily`";
                return Err(CronError::new("the schedule is empty", help, 0..text.len()));
            }
            [(word, span), rest @ ..] if word.starts_with('@') => {
                let fields = nickname(word, span, rest)?;
                read(&self::words(fields)).map_err(|error| CronError { span: span.clone(), ..error })?
            }
            words => read(words)?,
        };
        let matcher =
            Matcher::new(&fields).map_err(|error| CronError::new(error, "write e.g. `30 6 * * *`", 0..text.len()))?;
        Ok(Self { text: text.trim().to_owned(), fields, matcher: Box::new(matcher) })
    }

    /// The text that was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it means every hour or every minute, and so runs in both halves of an hour that comes twice: its hours
    /// are all of the day, or its minutes begin with `*`.
    pub fn repeats(&self) -> bool {
        self.fields.every_hour() || self.fields.minutes.star
    }

    pub(crate) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The first match after `local`, both in seconds of the wall clock since 1970.
    pub(crate) fn next(&self, local: i64) -> Option<i64> {
        self.matcher.next(local)
    }

    /// The last match before `local`, both in seconds of the wall clock since 1970.
    pub(crate) fn previous(&self, local: i64) -> Option<i64> {
        self.matcher.previous(local)
    }
}

/// A word and where it stands.
type Word<'a> = (&'a str, Range<usize>);

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = 0;
    for word in text.split_whitespace() {
        let start = text.get(rest..).and_then(|text| text.find(word)).map_or(rest, |at| rest + at);
        rest = start + word.len();
        words.push((word, start..rest));
    }
    words
}

fn nickname(word: &str, span: &Range<usize>, rest: &[Word<'_>]) -> Result<&'static str, CronError> {
    let lower = word.to_ascii_lowercase();
    let error = |message: String, help: String| Err(CronError::new(message, help, span.clone()));
    if lower == "@reboot" {
        let message = "`@reboot` is no time: a pipeline runs at times, not when a machine starts".to_owned();
        return error(message, "write when it is to run, e.g. `@hourly`".to_owned());
    }
    if lower == "@every" {
        let length = rest.first().map_or("15m", |(word, _)| word);
        return error("`@every` is no nickname of crontab".to_owned(), format!("write `every = \"{length}\"` instead"));
    }
    let Some((_, fields)) = NICKNAMES.iter().find(|(name, _)| *name == lower) else {
        let names: Vec<&str> = NICKNAMES.iter().map(|(name, _)| *name).collect();
        let help = sluicebox_model::pipeline::suggest::help(&lower, &names);
        return error(format!("`{word}` is not a nickname of crontab"), help);
    };
    match rest.first() {
        Some((extra, span)) => {
            let message = format!("`{word}` stands alone; `{extra}` is too much");
            Err(CronError::new(message, format!("write `{word}`, or the five fields `{fields}`"), span.clone()))
        }
        None => Ok(fields),
    }
}

fn read(words: &[Word<'_>]) -> Result<Fields, CronError> {
    let whole = words.first().map_or(0, |(_, span)| span.start)..words.last().map_or(0, |(_, span)| span.end);
    let [minute, hour, day, month, weekday] = words else { return Err(number_of_fields(words, whole)) };
    let fields = Fields {
        minutes: field::read(Kind::Minute, minute)?,
        hours: field::read(Kind::Hour, hour)?,
        days: field::read(Kind::Day, day)?,
        months: field::read(Kind::Month, month)?,
        weekdays: field::read(Kind::Weekday, weekday)?,
    };
    possible(&fields, day.1.start..month.1.end)?;
    Ok(fields)
}

fn number_of_fields(words: &[Word<'_>], whole: Range<usize>) -> CronError {
    let rest = |from: usize| words.iter().skip(from).map(|(word, _)| *word).take(5).collect::<Vec<_>>().join(" ");
    match words.len() {
        count @ ..=4 => {
            let missing: Vec<&str> = Kind::ALL.iter().skip(count).map(|kind| kind.name()).collect();
            let message = format!(
                "{count} {} of five: {} {} missing",
                if count == 1 { "field" } else { "fields" },
                missing.join(", "),
                if missing.len() == 1 { "is" } else { "are" }
            );
            let stars = " *".repeat(5 - count);
            CronError::new(message, format!("write five fields, e.g. `{}{stars}`", rest(0)), whole)
        }
        count @ (6 | 7) => {
            let message = format!("{count} fields instead of five: seconds and years are not supported");
            let help = format!("write minute, hour, day of month, month, weekday: e.g. `{}`", rest(1));
            CronError::new(message, help, whole)
        }
        count => {
            let help = "write minute, hour, day of month, month, weekday: e.g. `30 6 * * *`";
            CronError::new(format!("{count} fields instead of five"), help, whole)
        }
    }
}

/// Days of a month, in the longest of its years.
const DAYS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Whether a day of month ever comes in a month of the schedule.
fn possible(fields: &Fields, span: Range<usize>) -> Result<(), CronError> {
    let months: Vec<(u8, u8)> = (1..).zip(DAYS).filter(|(month, _)| fields.months.has(*month)).collect();
    let Some(first) = fields.days.numbers().first().copied() else { return Ok(()) };
    if months.iter().any(|(_, days)| first <= *days) {
        return Ok(());
    }
    let name = |month: u8| MONTHS.get(usize::from(month).wrapping_sub(1)).map_or("?", |(_, name)| *name);
    let names: Vec<&str> = months.iter().map(|(month, _)| name(*month)).collect();
    let (last_month, longest) = months.iter().max_by_key(|(_, days)| *days).copied().unwrap_or((1, 31));
    let message = format!("day {first} never comes in {}: it has at most {longest} days", names.join(" or "));
    let help = format!("write a day that comes, e.g. `{longest} {last_month}`; `1` of the month after is the next day");
    Err(CronError::new(message, help, span))
}
