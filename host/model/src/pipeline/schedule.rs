//! The `[schedule]` table: kept as it is written, checked in form.

use super::read::{Problems, Table, quote};
use super::{CatchUp, Overlap, Problem, Schedule};

const NICKNAMES: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// Bounds of the five fields.
const FIELDS: [(&str, u32, u32); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7)];

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

pub(super) fn read(table: &Table<'_>, problems: &mut Problems) -> Option<Schedule> {
    table.known_keys(&["cron", "timezone", "catch-up", "overlap"], &[], problems);
    let cron =
        table.needed_text("cron", "`cron = \"30 6 * * *\"`", problems).and_then(|(text, span)| match cron(&text) {
            Ok(()) => Some(text),
            Err(help) => {
                let message = format!("{}: {} is not a time table", table.of("cron"), quote(&text));
                problems.push(Problem::error(span, message).help(help));
                None
            }
        });
    let timezone = match table.text("timezone", problems) {
        None => Some("UTC".to_owned()),
        Some((name, _)) if is_zone(&name) => Some(name),
        Some((name, span)) => {
            let message = format!("{}: {} is not the name of a time zone", table.of("timezone"), quote(&name));
            problems.push(Problem::error(span, message).help("write a name such as \"UTC\" or \"America/New_York\""));
            None
        }
    };
    let catch_up = [("none", CatchUp::None), ("latest", CatchUp::Latest), ("all", CatchUp::All)];
    let overlap = [("skip", Overlap::Skip), ("queue", Overlap::Queue), ("cancel", Overlap::Cancel)];
    let catch_up = table.choice("catch-up", &catch_up, problems).unwrap_or_default();
    let overlap = table.choice("overlap", &overlap, problems).unwrap_or_default();
    Some(Schedule { cron: cron?, timezone: timezone?, catch_up, overlap })
}

/// Whether a text has the form of an IANA name. Whether there is such a zone is for who looks at the clock.
fn is_zone(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.split('/').all(|part| !part.is_empty())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c))
}

/// Whether the text is five fields as in crontab, or a nickname; the error says what to write.
fn cron(text: &str) -> Result<(), String> {
    let text = text.trim();
    if text.starts_with('@') {
        let known = NICKNAMES.contains(&text);
        return if known { Ok(()) } else { Err(super::suggest::help(text, &NICKNAMES)) };
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!(
            "write five fields - minute, hour, day of month, month, day of week - such as \"30 6 * * *\"; there {} {}",
            if fields.len() == 1 { "is" } else { "are" },
            fields.len()
        ));
    }
    for (field, (name, least, most)) in fields.iter().zip(FIELDS) {
        let fits = field.split(',').all(|part| part_fits(part, least, most));
        if !fits {
            return Err(format!(
                "the {name} is {}; it goes from {least} to {most}, e.g. `*`, `5`, `1-5`, `*/2`",
                quote(field)
            ));
        }
    }
    Ok(())
}

fn part_fits(part: &str, least: u32, most: u32) -> bool {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    if step.is_some_and(|step| !step.parse::<u32>().is_ok_and(|step| (1..=most).contains(&step))) {
        return false;
    }
    let value = |text: &str| -> Option<u32> {
        let names: &[&str] = match most {
            12 => &MONTHS,
            7 => &DAYS,
            _ => &[],
        };
        let lower = text.to_ascii_lowercase();
        let named = names.iter().position(|name| *name == lower).and_then(|at| u32::try_from(at).ok());
        let number = named.map(|at| at + u32::from(most == 12));
        number.or_else(|| text.parse().ok()).filter(|number| (least..=most).contains(number))
    };
    match range.split_once('-') {
        Some((from, to)) => matches!((value(from), value(to)), (Some(from), Some(to)) if from <= to),
        None => range == "*" || value(range).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_tables() {
        for good in ["30 6 * * *", "*/5 0-6,12 1 jan-mar mon-fri", "@daily", "0 0 1 1 7"] {
            assert_eq!(cron(good), Ok(()), "{good}");
        }
        for bad in ["", "* * * *", "* * * * * *", "60 * * * *", "* * 0 * *", "@dayly", "5-1 * * * *", "*/0 * * * *"] {
            assert!(cron(bad).is_err(), "{bad}");
        }
    }
}
