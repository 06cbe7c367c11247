//! Schedules in words.

use crate::cron::{Cron, Field, Fields, MONTHS, WEEKDAYS};
use crate::every::Every;
use crate::timetable::{Rule, Timetable};

impl Timetable {
    /// In words, e.g. `every day at 06:30 (America/New_York)`.
    pub fn words(&self) -> String {
        let rules: Vec<String> = self.rules().iter().map(Rule::words).collect();
        let depends_on_zone = |rule: &Rule| match rule {
            Rule::Cron(_) => true,
            Rule::Every(every) => every.on_wall_clock() && !every.repeats(),
        };
        let all = if rules.is_empty() { "at no time".to_owned() } else { rules.join("; and ") };
        if self.rules().iter().any(depends_on_zone) { format!("{all} ({})", self.zone()) } else { all }
    }
}

impl Rule {
    /// In words, without the time zone.
    pub fn words(&self) -> String {
        match self {
            Self::Cron(cron) => cron.words(),
            Self::Every(every) => every.words(),
        }
    }
}

impl Every {
    /// In words, e.g. `every 15 minutes`.
    pub fn words(&self) -> String {
        let seconds = self.length().as_secs();
        let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
        let (length, unit) =
            units.into_iter().find(|(length, _)| seconds.is_multiple_of(*length)).unwrap_or((1, "second"));
        match seconds / length {
            1 => format!("every {unit}"),
            count => format!("every {count} {unit}s"),
        }
    }
}

impl Cron {
    /// In words, e.g. `Monday to Friday at 06:30`.
    pub fn words(&self) -> String {
        let fields = self.fields();
        let days = days(fields);
        match clock_times(fields) {
            Some(times) => format!("{} at {}", days.unwrap_or_else(|| "every day".to_owned()), list(&times)),
            None => match days {
                Some(days) => format!("{}, {days}", pattern(fields)),
                None => pattern(fields),
            },
        }
    }
}

/// Up to so many times of a day are named one by one.
const NAMED: usize = 6;

/// The times of a day, where they are few.
fn clock_times(fields: &Fields) -> Option<Vec<String>> {
    let (hours, minutes) = (fields.hours.numbers(), fields.minutes.numbers());
    let few = hours.len() * minutes.len() <= NAMED && !fields.every_hour();
    let time = |hour: u8| minutes.iter().map(move |minute| format!("{hour:02}:{minute:02}"));
    few.then(|| hours.iter().flat_map(|hour| time(*hour)).collect())
}

/// The times of a day, where they are many.
fn pattern(fields: &Fields) -> String {
    let (hours, minutes) = (fields.hours.numbers(), fields.minutes.numbers());
    let step = step(&minutes, 0, 60);
    let often = match step {
        Some(1) => Some("every minute".to_owned()),
        Some(step) => Some(format!("every {step} minutes")),
        None => None,
    };
    if fields.every_hour() {
        return match (often, minutes.as_slice()) {
            (Some(often), _) => often,
            (None, [0]) => "every hour".to_owned(),
            (None, _) => format!("at {} of every hour", minutes_of(&minutes)),
        };
    }
    let span = cyclic_span(&hours, 0, 24);
    let last = minutes.last().copied().unwrap_or(0);
    match (often, span) {
        (Some(often), Some((from, to))) => format!("{often} from {from:02}:00 to {to:02}:{last:02}"),
        (Some(often), None) => format!("{often} of hour{} {}", plural(&hours), numbers(&hours)),
        (None, Some((from, to))) => format!("at {} of every hour from {from} to {to}", minutes_of(&minutes)),
        (None, None) => match (self::step(&hours, 0, 24), minutes.as_slice()) {
            (Some(step), [0]) => format!("every {step} hours"),
            (Some(step), _) => format!("every {step} hours at {}", minutes_of(&minutes)),
            (None, _) => format!("at {} of hours {}", minutes_of(&minutes), numbers(&hours)),
        },
    }
}

fn minutes_of(minutes: &[u8]) -> String {
    format!("minute{} {}", plural(minutes), numbers(minutes))
}

fn plural(numbers: &[u8]) -> &'static str {
    if numbers.len() == 1 { "" } else { "s" }
}

/// The days that the fields name; none if all.
fn days(fields: &Fields) -> Option<String> {
    let every_day = fields.every_day();
    let weekdays = weekdays(fields.weekdays);
    let months = (!fields.every_month()).then(|| names(&fields.months.numbers(), 1, 12, &MONTHS));
    let of = months.clone().unwrap_or_else(|| "every month".to_owned());
    let list = fields.days.numbers();
    let dates = format!("day{} {} of", plural(&list), numbers(&list));
    let in_months = |text: String| match &months {
        Some(months) => format!("{text} in {months}"),
        None => text,
    };
    match (every_day, fields.every_weekday()) {
        (true, true) => months.map(|months| format!("every day in {months}")),
        // Either is enough, and one of them is every day.
        _ if fields.day_or_weekday() && (every_day || fields.every_weekday()) => {
            months.map(|months| format!("every day in {months}"))
        }
        (true, false) => Some(in_months(weekdays)),
        (false, true) => Some(format!("on {dates} {of}")),
        (false, false) if fields.day_or_weekday() => {
            Some(in_months(format!("on {dates} {of} and {weekdays}")).replace(&format!("{of} and"), "the month and"))
        }
        (false, false) => Some(format!("{weekdays}, if it is {dates} {of}")),
    }
}

/// `every Monday`, `Monday to Friday` or `Monday, Wednesday and Friday`.
fn weekdays(field: Field) -> String {
    let numbers = field.numbers();
    let all = names(&numbers, 0, 7, &WEEKDAYS);
    if numbers.len() == 1 { format!("every {all}") } else { all }
}

/// Names of months or weekdays, `first to last` where they follow on each other.
fn names(numbers: &[u8], lowest: u8, count: u8, all: &[(&str, &str)]) -> String {
    let name = |number: u8| all.get(usize::from(number - lowest)).map_or("?", |(_, name)| *name).to_owned();
    if let Some((from, to)) = cyclic_span(numbers, lowest, count) {
        return format!("{} to {}", name(from), name(to));
    }
    // The week begins on Monday, where names stand one by one.
    let mut sorted = numbers.to_vec();
    sorted.sort_by_key(|number| if count == 7 { (number + 6) % 7 } else { *number });
    list(&sorted.into_iter().map(name).collect::<Vec<_>>())
}

/// Numbers with spans: `1 to 5, 9 and 12`.
fn numbers(numbers: &[u8]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = numbers;
    while let Some(first) = rest.first() {
        let length = rest.iter().zip(*first..).take_while(|(a, b)| **a == *b).count();
        let (span, tail) = rest.split_at(if length >= 3 { length } else { 1 });
        match span {
            [only] => parts.push(only.to_string()),
            [from, .., to] => parts.push(format!("{from} to {to}")),
            [] => {}
        }
        rest = tail;
    }
    list(&parts)
}

/// The step of numbers that are all multiples of one, from the lowest to the highest.
fn step(numbers: &[u8], lowest: u8, count: u8) -> Option<u8> {
    let [first, second, ..] = numbers else { return None };
    let step = second - first;
    let even = *first == lowest && count.is_multiple_of(step) && numbers.len() == usize::from(count / step);
    (even && numbers.iter().zip(0u8..).all(|(number, at)| *number == lowest + at * step)).then_some(step)
}

/// The first and last of at least three numbers that follow on each other, also from the highest to the lowest.
fn cyclic_span(numbers: &[u8], lowest: u8, count: u8) -> Option<(u8, u8)> {
    if numbers.len() < 3 || numbers.len() >= usize::from(count) {
        return None;
    }
    let follower = |number: u8| (number - lowest + 1) % count + lowest;
    let mut ends = numbers.iter().filter(|number| !numbers.contains(&follower(**number)));
    let (last, None) = (*ends.next()?, ends.next()) else { return None };
    let first = numbers.iter().copied().find(|number| !numbers.iter().any(|other| follower(*other) == *number))?;
    Some((first, last))
}

/// `a, b and c`.
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;

    #[test]
    fn cron_in_words() {
        for (cron, words) in [
            ("30 6 * * *", "every day at 06:30"),
            ("@daily", "every day at 00:00"),
            ("@hourly", "every hour"),
            ("@weekly", "every Sunday at 00:00"),
            ("@monthly", "on day 1 of every month at 00:00"),
            ("@yearly", "on day 1 of January at 00:00"),
            ("* * * * *", "every minute"),
            ("*/15 * * * *", "every 15 minutes"),
            ("0,20,40 * * * *", "every 20 minutes"),
            ("*/7 * * * *", "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour"),
            ("5 * * * *", "at minute 5 of every hour"),
            ("5,35 * * * *", "at minutes 5 and 35 of every hour"),
            ("5 9-17 * * mon-fri", "at minute 5 of every hour from 9 to 17, Monday to Friday"),
            ("*/10 9-17 * * 1-5", "every 10 minutes from 09:00 to 17:50, Monday to Friday"),
            ("0 22-2 * * *", "every day at 00:00, 01:00, 02:00, 22:00 and 23:00"),
            ("15 20-4 * * *", "at minute 15 of every hour from 20 to 4"),
            ("0 */2 * * *", "every 2 hours"),
            ("10 */2 * * *", "every 2 hours at minute 10"),
            ("*/5 3 * * *", "every 5 minutes of hour 3"),
            ("0 6,18 * * fri-mon", "Friday to Monday at 06:00 and 18:00"),
            ("0 6 * * 1,3,5", "Monday, Wednesday and Friday at 06:00"),
            ("0 6 * * 0,3", "Wednesday and Sunday at 06:00"),
            ("0 6 1,15 * *", "on days 1 and 15 of every month at 06:00"),
            ("0 6 1-5,10 6-8 *", "on days 1 to 5 and 10 of June to August at 06:00"),
            ("0 6 * nov-jan *", "every day in November to January at 06:00"),
            ("0 6 * 6 mon", "every Monday in June at 06:00"),
            ("0 0 13 * fri", "on day 13 of the month and every Friday at 00:00"),
            ("0 0 13 6 fri", "on day 13 of the month and every Friday in June at 00:00"),
            ("0 0 */10 * mon", "every Monday, if it is days 1, 11, 21 and 31 of every month at 00:00"),
        ] {
            assert_eq!(Cron::parse(cron).unwrap().words(), words, "{cron}");
        }
    }

    #[test]
    fn timetables_in_words() {
        let words = |crons: &[&str], every: Option<u64>, zone: &str| {
            Timetable::parse(crons, every.map(Duration::from_secs), zone).unwrap().words()
        };
        assert_eq!(words(&["30 6 * * *"], None, "America/New_York"), "every day at 06:30 (America/New_York)");
        assert_eq!(words(&[], Some(900), "America/New_York"), "every 15 minutes");
        assert_eq!(words(&[], Some(6 * 3600), "Europe/Berlin"), "every 6 hours (Europe/Berlin)");
        assert_eq!(words(&[], Some(7 * 3600), "Europe/Berlin"), "every 7 hours");
        assert_eq!(words(&[], Some(86_400), "UTC"), "every day (UTC)");
        assert_eq!(
            words(&["0 6 * * *", "0 9 * * sat"], None, "UTC"),
            "every day at 06:00; and every Saturday at 09:00 (UTC)"
        );
    }
}
