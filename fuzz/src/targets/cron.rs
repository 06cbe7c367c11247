//! Schedules: a text as in crontab or a time between fires, in a time zone, from some moment on.

use crate::input::Input;
use jiff::Timestamp;
use sluicebox_schedule::{Cron, Timetable, Zone};
use std::time::{Duration, Instant};

const ZONES: [&str; 10] = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Antarctica/Troll",
    "America/St_Johns",
    "Asia/Gaza",
];

/// No question of a schedule takes so long, whatever it is.
const LONG: Duration = Duration::from_secs(2);

/// The first bytes choose zone, moment and `every`; the rest is the text.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (zone, moment, every) = (input.pick(&ZONES), input.word(), input.word());
    // Schedules go on until the year 2100; this is the end of 2099.
    let moment = moment % 4_100_000_000;
    let text = String::from_utf8_lossy(input.rest()).into_owned();
    // A name that is none is held against all that there are.
    if moment % 64 == 0
        && let Err(error) = Zone::named(&text)
    {
        assert!(!error.message.is_empty() && !error.help.is_empty());
    }
    match Cron::parse(&text) {
        Err(error) => {
            assert!(text.get(error.span.clone()).is_some(), "{text:?}: {error:?}");
            assert!(!error.message.is_empty() && !error.help.is_empty());
        }
        Ok(cron) => {
            let again = Cron::parse(cron.text()).unwrap();
            assert_eq!(cron, again);
            let table = Timetable::parse(&[&text], None, zone).unwrap();
            fires(&table, moment);
            let here = Timetable::parse(&[&text], None, "UTC").unwrap();
            matches(&text, &here, moment);
        }
    }
    let length = Duration::from_secs(u64::from(every) % 40_000_000);
    match Timetable::parse(&[], Some(length), zone) {
        Ok(table) => fires(&table, moment),
        Err(errors) => {
            errors.iter().for_each(|error| assert!(!error.to_string().is_empty() && !error.help().is_empty()))
        }
    }
}

/// Forwards and backwards from any moment: in order, each the other's answer, and in time.
fn fires(table: &Timetable, moment: u32) {
    let begin = Instant::now();
    let now = Timestamp::from_second(i64::from(moment)).unwrap();
    assert!(!table.words().is_empty());
    if let Some(next) = table.next_after(now) {
        assert!(next > now);
        let before = table.prev_before(next);
        assert!(before.is_none_or(|before| before <= now), "{before:?} lies between {now} and {next}");
        let interval = table.interval(next);
        assert!(interval.start <= interval.end && interval.end == next);
    }
    if let Some(before) = table.prev_before(now) {
        assert!(before < now);
        let next = table.next_after(before);
        assert!(next.is_none_or(|next| next >= now), "{next:?} lies between {before} and {now}");
    }
    let preview = table.preview(now, 5);
    assert!(preview.is_sorted_by(|one, other| one.at.timestamp() < other.at.timestamp()));
    for fire in &preview {
        let _ = fire.note.map(|note| note.to_string());
    }
    assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
}

/// In UTC, minute by minute, by another reading of the five fields.
fn matches(text: &str, table: &Timetable, moment: u32) {
    let Some(fields) = Fields::read(text) else { return };
    let now = i64::from(moment) / 60 * 60;
    let last = Timestamp::from_second(now + 40 * 86_400).unwrap();
    let expected = fields.first_after(now, last.as_second()).map(|at| Timestamp::from_second(at).unwrap());
    // The years that schedules go on for.
    if last.as_second() < 4_100_000_000 {
        let next = table.next_after(Timestamp::from_second(now).unwrap()).filter(|next| *next <= last);
        assert_eq!(next, expected, "{text:?} from {now}");
    }
}

/// The five fields as sets, where they are plain numbers, ranges that rise, and steps.
struct Fields {
    sets: [u64; 5],
    either_day: bool,
}

impl Fields {
    fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
        if words.len() != 5 {
            return None;
        }
        let mut sets = [0; 5];
        for ((set, word), (lowest, highest)) in sets.iter_mut().zip(&words).zip(bounds) {
            for item in word.split(',') {
                let (range, step) = item.split_once('/').unwrap_or((item, "1"));
                let step: usize = step.parse().ok().filter(|step| *step > 0)?;
                let (from, to) = match range.split_once('-') {
                    _ if range == "*" => (lowest, if highest == 7 { 6 } else { highest }),
                    Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
                    None => (range.parse().ok()?, range.parse().ok()?),
                };
                let fits = lowest <= from && from <= to && to <= highest;
                if !fits {
                    return None;
                }
                for number in (from..=to).step_by(step) {
                    *set |= 1_u64 << if highest == 7 { number % 7 } else { number };
                }
            }
        }
        let restricted = |word: &str| !word.starts_with('*');
        Some(Self { sets, either_day: restricted(words[2]) && restricted(words[4]) })
    }

    /// The first minute after one and up to another that they name, in seconds since 1970.
    fn first_after(&self, now: i64, last: i64) -> Option<i64> {
        let has = |field: usize, number: i64| self.sets[field] >> number & 1 == 1;
        for day in now / 86_400..=last / 86_400 {
            let date = Timestamp::from_second(day * 86_400).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date();
            let (of_month, weekday) =
                (has(2, date.day().into()), has(4, date.weekday().to_sunday_zero_offset().into()));
            let is_day = if self.either_day { of_month || weekday } else { of_month && weekday };
            if !is_day || !has(3, date.month().into()) {
                continue;
            }
            let minutes = (0..1440).filter(|minute| has(1, minute / 60) && has(0, minute % 60));
            let found = minutes.map(|minute| day * 86_400 + minute * 60).find(|at| *at > now && *at <= last);
            if found.is_some() {
                return found;
            }
        }
        None
    }
}
