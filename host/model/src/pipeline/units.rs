//! Durations, sizes and thresholds as people write them.

use crate::stage::Threshold;
use std::time::Duration;

/// Units of time, each with its length in milliseconds.
const TIME: [(&str, f64); 5] = [("ms", 1.0), ("s", 1e3), ("m", 60e3), ("h", 3600e3), ("d", 86_400e3)];

/// Units of size, each with its length in bytes.
const SIZE: [(&str, f64); 7] = [
    ("B", 1.0),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1024.0 * 1024.0),
    ("GiB", 1024.0 * 1024.0 * 1024.0),
];

/// A duration: a number and one of `ms`, `s`, `m`, `h`, `d`, e.g. `500ms` or `1.5s`.
///
/// # Errors
/// What to write instead.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let example = "write a number and a unit, e.g. \"500ms\", \"10s\", \"1m\" or \"2h\"";
    let number = number.ok_or_else(|| example.to_owned())?;
    let Some((_, length)) = TIME.iter().find(|(name, _)| *name == unit) else {
        return Err(if unit.is_empty() {
            example.to_owned()
        } else {
            format!("the units are ms, s, m, h and d; {example}")
        });
    };
    let milliseconds = number * length;
    // A year is longer than any limit or wait that makes sense, and far from what Duration cannot hold.
    if milliseconds > 366.0 * 86_400e3 {
        return Err("that is more than a year".to_owned());
    }
    Ok(Duration::from_micros((milliseconds * 1e3).round() as u64))
}

/// A size in bytes: a number and one of `B`, `KB`, `MB`, `GB`, `KiB`, `MiB`, `GiB`, e.g. `256MiB`.
///
/// # Errors
/// What to write instead.
pub fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let example = "write a number and a unit, e.g. \"256MiB\" or \"64KB\"";
    let number = number.ok_or_else(|| example.to_owned())?;
    let Some((_, length)) = SIZE.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) else {
        return Err(if unit.is_empty() {
            format!("{number}{unit} of what? {example}")
        } else {
            format!("the units are B, KB, MB, GB, KiB, MiB and GiB; {example}")
        });
    };
    let bytes = number * length;
    if bytes > (1u64 << 50) as f64 {
        return Err("that is more than a pebibyte".to_owned());
    }
    Ok(bytes.round() as u64)
}

/// A share of the rows seen: `5%` or `0.1 %`.
///
/// # Errors
/// What to write instead.
pub fn per_cent(text: &str) -> Result<Threshold, String> {
    let example = "write a share such as \"5%\", or a number of rows without quotes such as 100";
    let number = text.trim().strip_suffix('%').ok_or_else(|| example.to_owned())?;
    let share = plain_number(number.trim()).ok_or_else(|| example.to_owned())?;
    if share > 100.0 {
        return Err("a share is at most \"100%\"".to_owned());
    }
    Ok(Threshold::PerCent(share))
}

/// How much something may change: `50%`, also more than all of it: `300 %`.
///
/// # Errors
/// What to write instead.
pub fn change(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix('%').and_then(|number| plain_number(number.trim()));
    number.ok_or_else(|| "write a share such as \"50%\"".to_owned())
}

/// The number that a text begins with and the unit behind it.
fn split(text: &str) -> (Option<f64>, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (plain_number(number), unit.trim())
}

/// Digits with at most one point among them; no sign, no exponent, no `inf`.
fn plain_number(text: &str) -> Option<f64> {
    let plain = text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if plain { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("10s").unwrap(), Duration::from_secs(10));
        assert_eq!(duration("1.5 s").unwrap(), Duration::from_millis(1500));
        assert_eq!(duration("1m").unwrap(), Duration::from_secs(60));
        assert_eq!(duration("2h").unwrap(), Duration::from_secs(7200));
        for bad in ["", "10", "s", "10 parsecs", "-1s", "1e9s", "infs", "1..5s", "9999d", ".5s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("256MiB").unwrap(), 256 << 20);
        assert_eq!(size("64KB").unwrap(), 64_000);
        assert_eq!(size("1 gib").unwrap(), 1 << 30);
        assert_eq!(size("0.5MiB").unwrap(), 512 << 10);
        for bad in ["", "256", "MiB", "1 stone", "-1MiB", "99999999GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shares() {
        assert_eq!(per_cent("5%").unwrap(), Threshold::PerCent(5.0));
        assert_eq!(per_cent("0.1 %").unwrap(), Threshold::PerCent(0.1));
        for bad in ["5", "%", "101%", "-1%", "five%"] {
            assert!(per_cent(bad).is_err(), "{bad}");
        }
        assert_eq!(change("300 %").unwrap(), 300.0);
        for bad in ["50", "%", "-1%"] {
            assert!(change(bad).is_err(), "{bad}");
        }
    }
}
