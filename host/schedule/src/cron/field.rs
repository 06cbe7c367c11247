//! One field: lists of numbers, names, ranges and steps.

use super::{CronError, Field, Word};
use std::ops::Range;

/// Months by the name that crontab knows, and in full.
pub(crate) const MONTHS: [(&str, &str); 12] = [
    ("jan", "January"),
    ("feb", "February"),
    ("mar", "March"),
    ("apr", "April"),
    ("may", "May"),
    ("jun", "June"),
    ("jul", "July"),
    ("aug", "August"),
    ("sep", "September"),
    ("oct", "October"),
    ("nov", "November"),
    ("dec", "December"),
];

/// Weekdays by the name that crontab knows, and in full, from Sunday.
pub(crate) const WEEKDAYS: [(&str, &str); 7] = [
    ("sun", "Sunday"),
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
];

/// Which field it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::Day, Self::Month, Self::Weekday];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of month",
            Self::Month => "month",
            Self::Weekday => "weekday",
        }
    }

    /// The lowest number and the highest, with Sunday as 0.
    fn bounds(self) -> (u8, u8) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            Self::Weekday => (0, 6),
        }
    }

    /// How many numbers there are.
    fn count(self) -> u8 {
        let (lowest, highest) = self.bounds();
        highest - lowest + 1
    }

    pub(super) fn all(self) -> u64 {
        let (lowest, highest) = self.bounds();
        (lowest..=highest).fold(0, |bits, number| bits | 1 << number)
    }

    fn names(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Month => &MONTHS,
            Self::Weekday => &WEEKDAYS,
            _ => &[],
        }
    }

    /// What may stand in the field.
    fn allowed(self) -> String {
        match self {
            Self::Weekday => "0 to 7 (0 and 7 are Sunday) or sun to sat".to_owned(),
            Self::Month => "1 to 12 or jan to dec".to_owned(),
            _ => {
                let (lowest, highest) = self.bounds();
                format!("{lowest} to {highest}")
            }
        }
    }
}

pub(super) fn read(kind: Kind, (text, span): &Word<'_>) -> Result<Field, CronError> {
    let mut bits = 0;
    let mut start = span.start;
    for item in text.split(',') {
        let here = start..start + item.len();
        start = here.end + 1;
        bits |= self::item(kind, item, here, text, span)?;
    }
    Ok(Field { bits, star: text.starts_with('*') })
}

fn item(kind: Kind, item: &str, span: Range<usize>, field: &str, whole: &Range<usize>) -> Result<u64, CronError> {
    let name = kind.name();
    if item.is_empty() {
        let message = format!("{name}: a comma of `{field}` has nothing beside it");
        return Err(CronError::new(message, "take the comma out", whole.clone()));
    }
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some((step, span.start + range.len() + 1..span.end))),
        None => (item, None),
    };
    let here = span.start..span.start + range.len();
    let numbers = if range == "*" {
        let (lowest, highest) = kind.bounds();
        (lowest..=highest).collect()
    } else if let Some((from, to)) = range.split_once('-') {
        let middle = here.start + from.len();
        let from = number(kind, from, here.start..middle)?;
        let to = number(kind, to, middle + 1..here.end)?;
        span_of(kind, from, to)
    } else {
        let number = number(kind, range, here.clone())?;
        if let Some((step, _)) = &step {
            let (_, highest) = kind.bounds();
            let message = format!("{name}: a step needs a range, and `{range}` is one number");
            return Err(CronError::new(message, format!("write `{range}-{highest}/{step}` or `*/{step}`"), span));
        }
        vec![number % modulus(kind)]
    };
    let step = step.map_or(Ok(1), |(text, span)| read_step(kind, text, span))?;
    Ok(numbers.into_iter().step_by(step).fold(0, |bits, number| bits | 1 << number))
}

/// Weekday 7 is 0; other numbers stay as they are.
fn modulus(kind: Kind) -> u8 {
    if kind == Kind::Weekday { 7 } else { 64 }
}

/// The numbers of a range, in its order; one whose end is below its start goes on from the lowest number.
fn span_of(kind: Kind, from: u8, to: u8) -> Vec<u8> {
    let (lowest, _) = kind.bounds();
    let count = kind.count();
    let length = match kind {
        // From Sunday to Sunday is the whole week if it says so with both numbers.
        Kind::Weekday if (from, to) == (0, 7) => count,
        _ => (to + count - from % modulus(kind)) % count + 1,
    };
    let first = from % modulus(kind) - lowest;
    (0..length).map(|offset| (first + offset) % count + lowest).collect()
}

fn read_step(kind: Kind, text: &str, span: Range<usize>) -> Result<usize, CronError> {
    let name = kind.name();
    let (count, most) = (kind.count(), usize::from(kind.count()));
    match text.parse::<usize>() {
        Ok(0) => Err(CronError::new(format!("{name}: a step of 0 goes nowhere"), "write 1 or more", span)),
        Ok(step) if step <= most && plain(text) => Ok(step),
        Ok(step) if plain(text) => {
            let help = match kind {
                Kind::Minute => format!("it would run once an hour; write `every = \"{step}m\"`"),
                Kind::Hour => format!("it would run once a day; write `every = \"{step}h\"`"),
                _ => format!("write at most {count}"),
            };
            Err(CronError::new(format!("{name}: a step of {step} is more than there is: {count}"), help, span))
        }
        _ => {
            let message = format!("{name}: `{text}` is not a step");
            Err(CronError::new(message, "write a whole number after `/`, e.g. `*/5`", span))
        }
    }
}

fn plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number or name; of weekdays also 7.
fn number(kind: Kind, text: &str, span: Range<usize>) -> Result<u8, CronError> {
    let name = kind.name();
    let (lowest, highest) = kind.bounds();
    let highest = if kind == Kind::Weekday { 7 } else { highest };
    if !text.is_empty() && plain(text) {
        return match text.parse::<u8>() {
            Ok(number) if (lowest..=highest).contains(&number) => Ok(number),
            _ => {
                let help = match (kind, text) {
                    (Kind::Hour, "24") => "midnight is hour 0".to_owned(),
                    (Kind::Minute, "60") => "the full hour is minute 0".to_owned(),
                    _ => format!("write {}", kind.allowed()),
                };
                Err(CronError::new(format!("{name}: {text} is out of range"), help, span))
            }
        };
    }
    if let Some(at) = kind.names().iter().position(|(short, _)| short.eq_ignore_ascii_case(text)) {
        return Ok(u8::try_from(at).unwrap_or(0) + lowest);
    }
    Err(not_a_number(kind, text, span))
}

fn not_a_number(kind: Kind, text: &str, span: Range<usize>) -> CronError {
    let name = kind.name();
    let error = |message: &str, help: String| CronError::new(format!("{name}: {message}"), help, span.clone());
    if text.is_empty() {
        return error("a number is missing", format!("write {}", kind.allowed()));
    }
    if let Some((short, _)) = kind.names().iter().find(|(_, full)| full.eq_ignore_ascii_case(text)) {
        return error(&format!("`{text}` is written in full"), format!("write `{short}`"));
    }
    let upper = text.to_ascii_uppercase();
    let digits_but = |sign: char| upper.contains(sign) && upper.chars().all(|c| c == sign || c.is_ascii_digit());
    if text == "?" {
        return error("`?` is not of crontab", "write `*`".to_owned());
    }
    if text.contains('#') {
        let help = "crontab knows no n-th weekday of a month; write the dates";
        return error(&format!("`#` (`{text}`) is not of crontab"), help.to_owned());
    }
    if digits_but('L') || upper == "LW" {
        let help = match kind {
            Kind::Weekday => "crontab knows no last weekday of a month; write the dates".to_owned(),
            _ => "crontab knows no last day of a month; run on day `1`: its interval ends with the month".to_owned(),
        };
        return error(&format!("`L` (`{text}`) is not of crontab"), help);
    }
    if digits_but('W') {
        let help = "crontab knows no nearest working day; write weekdays, e.g. `mon-fri`".to_owned();
        return error(&format!("`W` (`{text}`) is not of crontab"), help);
    }
    if upper == "H" || upper.starts_with("H(") {
        let help = "write a number, and `jitter = \"5m\"` to spread pipelines".to_owned();
        return error(&format!("`H` (`{text}`) is not of crontab"), help);
    }
    if text.starts_with('*') {
        return error(&format!("`{text}` is not understood"), "`*` stands alone or before a step: `*/5`".to_owned());
    }
    for other in Kind::ALL {
        if other.names().iter().any(|(short, _)| short.eq_ignore_ascii_case(text)) {
            let help = "the fields are minute, hour, day of month, month, weekday".to_owned();
            return error(&format!("`{text}` is a {}", other.name()), help);
        }
    }
    let names = kind.names().iter().map(|(short, _)| *short);
    let help = match sluicebox_model::pipeline::suggest::closest(text, names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write {}", kind.allowed()),
    };
    error(&format!("`{text}` is not understood"), help)
}
