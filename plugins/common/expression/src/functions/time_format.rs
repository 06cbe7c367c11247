//! Formats of times as in strftime, read once.

use crate::calendar::{self, DAY, HOUR, MINUTE, SECOND, Unit};

pub(super) struct Format {
    pub(super) text: String,
    items: Vec<Item>,
}

enum Item {
    Text(Vec<u8>),
    Field(char),
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl Format {
    /// Reads a format, or says what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                push(&mut items, c);
                continue;
            }
            // `%-d` and `%.f` as other tools write them
            let field = match chars.next() {
                Some('-') => chars.next(),
                Some('.') if chars.peek() == Some(&'f') => {
                    push(&mut items, '.');
                    chars.next()
                }
                field => field,
            };
            match field {
                Some('%') => push(&mut items, '%'),
                Some('F') => fields(&mut items, "Y-m-d"),
                Some('T') => fields(&mut items, "H:M:S"),
                Some('R') => fields(&mut items, "H:M"),
                Some('D') => fields(&mut items, "m/d/y"),
                Some(field) if "YmdHMSfyjbhBaAIpeuwVGsz".contains(field) => items.push(Item::Field(field)),
                Some(field) => return Err(format!("`%{field}` is not a field of a time")),
                None => return Err("the format ends with a single `%`".to_owned()),
            }
        }
        Ok(Self { text: text.to_owned(), items })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>, micros: i64, ahead: i64) {
        let (day, time) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
        let (year, month, of_month) = calendar::civil(day);
        let number = |out: &mut Vec<u8>, value: i64, width: usize| {
            if value < 0 {
                out.push(b'-');
            }
            calendar::digits(out, value.unsigned_abs(), width);
        };
        let name = |names: &[&'static str], at: i64| {
            usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or("")
        };
        for item in &self.items {
            let field = match item {
                Item::Text(text) => {
                    out.extend_from_slice(text);
                    continue;
                }
                Item::Field(field) => field,
            };
            let month_name = name(&MONTHS, i64::from(month) - 1);
            let day_name = name(&DAYS, Unit::DayOfWeek.part(micros));
            match field {
                'Y' => number(out, year, 4),
                'G' => number(out, calendar::iso_week(day).0, 4),
                'y' => number(out, year.rem_euclid(100), 2),
                'm' => number(out, i64::from(month), 2),
                'd' => number(out, i64::from(of_month), 2),
                'e' => out.extend_from_slice(format!("{of_month:2}").as_bytes()),
                'H' => number(out, time / HOUR, 2),
                'I' => number(out, (time / HOUR + 11) % 12 + 1, 2),
                'M' => number(out, time % HOUR / MINUTE, 2),
                'S' => number(out, time % MINUTE / SECOND, 2),
                'f' => number(out, time % SECOND, 6),
                'p' => out.extend_from_slice(if time / HOUR < 12 { b"AM" } else { b"PM" }),
                'j' => number(out, Unit::DayOfYear.part(micros), 3),
                'V' => number(out, calendar::iso_week(day).1, 2),
                'u' => number(out, Unit::IsoDayOfWeek.part(micros), 1),
                'w' => number(out, Unit::DayOfWeek.part(micros), 1),
                's' => number(out, micros.saturating_sub(ahead).div_euclid(SECOND), 1),
                'B' => out.extend_from_slice(month_name.as_bytes()),
                'b' | 'h' => out.extend_from_slice(month_name.get(..3).unwrap_or(month_name).as_bytes()),
                'A' => out.extend_from_slice(day_name.as_bytes()),
                'a' => out.extend_from_slice(day_name.get(..3).unwrap_or(day_name).as_bytes()),
                _ if ahead == 0 => out.extend_from_slice(b"+00:00"),
                _ => calendar::write_offset(out, ahead),
            }
        }
    }

    /// The time that a text says, in UTC where it says its offset.
    pub(super) fn read(&self, text: &str) -> Option<i64> {
        let mut rest = text.as_bytes();
        let mut parts = Parts::default();
        for item in &self.items {
            rest = match item {
                Item::Text(text) => rest.strip_prefix(text.as_slice())?,
                Item::Field(field) => parts.read(*field, rest)?,
            };
        }
        if rest.is_empty() { parts.time() } else { None }
    }
}

fn push(items: &mut Vec<Item>, c: char) {
    let mut buffer = [0; 4];
    let bytes = c.encode_utf8(&mut buffer).as_bytes();
    match items.last_mut() {
        Some(Item::Text(text)) => text.extend_from_slice(bytes),
        _ => items.push(Item::Text(bytes.to_vec())),
    }
}

fn fields(items: &mut Vec<Item>, short: &str) {
    for c in short.chars() {
        if c.is_ascii_alphabetic() { items.push(Item::Field(c)) } else { push(items, c) }
    }
}

#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    micros: i64,
    offset: i64,
    seconds: Option<i64>,
}

impl Parts {
    fn read<'t>(&mut self, field: char, text: &'t [u8]) -> Option<&'t [u8]> {
        let number = calendar::number;
        let (value, rest) = match field {
            'Y' => number(text, 4, 4)?,
            'y' | 'm' | 'd' | 'H' | 'I' | 'M' | 'S' => number(text, 1, 2)?,
            'e' => number(text.strip_prefix(b" ").unwrap_or(text), 1, 2)?,
            'j' => number(text, 1, 3)?,
            'f' => calendar::fraction(text)?,
            's' => match text.strip_prefix(b"-") {
                Some(text) => number(text, 1, 12).map(|(value, rest)| (-value, rest))?,
                None => number(text, 1, 12)?,
            },
            'b' | 'h' | 'B' => named(&MONTHS, text)?,
            'a' | 'A' => named(&DAYS, text)?,
            'p' => {
                let (letters, rest) = text.split_at_checked(2)?;
                (
                    i64::from(letters.eq_ignore_ascii_case(b"pm")),
                    if letters.eq_ignore_ascii_case(b"am") || letters.eq_ignore_ascii_case(b"pm") {
                        rest
                    } else {
                        return None;
                    },
                )
            }
            'z' => match text {
                [b'Z' | b'z', rest @ ..] => (0, rest),
                text => calendar::parse_offset(text)?,
            },
            // Weeks and days of weeks say no date by themselves.
            _ => return None,
        };
        match field {
            'Y' => self.year = Some(value),
            // As in POSIX: 69 to 99 are of the last century.
            'y' => self.year = Some(if value < 69 { 2000 + value } else { 1900 + value }),
            'm' => self.month = Some(value),
            'b' | 'h' | 'B' => self.month = Some(value + 1),
            'd' | 'e' => self.day = Some(value),
            'j' => self.day_of_year = Some(value),
            'H' | 'I' => self.hour = value,
            'p' => self.afternoon = Some(value == 1),
            'M' => self.minute = value,
            'S' => self.second = value,
            'f' => self.micros = value,
            'z' => self.offset = value,
            's' => self.seconds = Some(value),
            _ => {}
        }
        Some(rest)
    }

    fn time(&self) -> Option<i64> {
        if let Some(seconds) = self.seconds {
            return calendar::time_in_range(seconds.checked_mul(SECOND)?);
        }
        let hour = match self.afternoon {
            Some(_) if !(1..=12).contains(&self.hour) => return None,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
            None => self.hour,
        };
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let year = self.year?;
        let date = match self.day_of_year {
            Some(day) => {
                let first = calendar::days(year, 1, 1);
                let date = first + day - 1;
                if day < 1 || date >= calendar::days(year + 1, 1, 1) {
                    return None;
                }
                date
            }
            None => i64::from(calendar::date(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?),
        };
        date.checked_mul(DAY)?
            .checked_add(hour * HOUR + self.minute * MINUTE + self.second * SECOND + self.micros - self.offset)
    }
}

/// The position of a name, in full or by its first three letters.
fn named<'t>(names: &[&str], text: &'t [u8]) -> Option<(i64, &'t [u8])> {
    names.iter().zip(0..).find_map(|(name, at)| {
        let fits = |length: usize| {
            let (head, rest) = text.split_at_checked(length)?;
            head.eq_ignore_ascii_case(name.as_bytes().get(..length)?).then_some((at, rest))
        };
        fits(name.len()).or_else(|| fits(3))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for format in
            ["%Y-%m-%d %H:%M:%S.%f", "%d %B %Y %I:%M:%S.%f %p", "%j/%y %T%.f", "%a, %e %b %Y %T.%f", "%F %T.%f"]
        {
            let format = Format::new(format).unwrap();
            for micros in [0, 1_368_772_200_000_001, 951_782_399_999_999, 1_000_000_000_000_000] {
                let mut out = Vec::new();
                format.write(&mut out, micros, 0);
                assert_eq!(format.read(std::str::from_utf8(&out).unwrap()), Some(micros), "{}", format.text);
            }
        }
        assert!(Format::new("%Q").is_err() && Format::new("100%").is_err());
        assert_eq!(Format::new("%Y-%m-%d").unwrap().read("2013-02-29"), None);
        assert_eq!(Format::new("%Y-%m-%dT%H:%M%z").unwrap().read("1970-01-01T01:00+01:00"), Some(0));
    }
}
