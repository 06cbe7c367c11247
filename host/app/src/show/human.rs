//! Numbers, sizes, durations and foreign text for people.

use jiff::Timestamp;
use sluicebox_model::text::steers;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// A whole number with commas: `336,776`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// So many of a thing: `1 row`, `2 rows`.
pub fn count(many: u64, one: &str, more: &str) -> String {
    format!("{} {}", number(many), if many == 1 { one } else { more })
}

/// A size in decimal units: `31.0 MB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1e3;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for next in units {
        // 999.95 would be shown as 1000.0.
        if size < 999.95 {
            break;
        }
        size /= 1e3;
        unit = next;
    }
    format!("{size:.1} {unit}")
}

/// A duration with three digits or so: `0.4 ms`, `35 ms`, `1.24 s`, `2 min 05 s`, `3 h 07 min`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 0.001 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 9.995 {
        format!("{seconds:.2} s")
    } else if seconds < 59.95 {
        format!("{seconds:.1} s")
    } else if seconds < 3599.5 {
        let seconds = seconds.round() as u64;
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    } else {
        let minutes = (seconds / 60.0).round() as u64;
        format!("{} h {:02} min", minutes / 60, minutes % 60)
    }
}

/// A point in time, in UTC to the second.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The time from one point to another; nothing if it is not known or the clock went back.
pub fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<Duration> {
    Duration::try_from(to?.duration_since(from?)).ok()
}

/// A part as a share of the whole: `2.5 %`.
pub fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".to_owned();
    }
    let share = part as f64 * 100.0 / whole as f64;
    if share > 0.0 && share < 0.1 { "< 0.1 %".to_owned() } else { format!("{share:.1} %") }
}

/// Text from outside, safe for a terminal: control characters and those that turn the direction of writing are
/// escaped. Newlines stay.
pub fn clean(text: &str) -> String {
    if text.chars().all(|c| c == '\n' || !steers(c)) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || !steers(c) {
            shown.push(c);
        } else if c == '\t' {
            shown.push_str("    ");
        } else {
            shown.extend(c.escape_default());
        }
    }
    shown
}

/// The same on one line.
pub fn clean_line(text: &str) -> String {
    clean(&text.replace('\r', "").replace('\n', "\u{21b5}"))
}

/// A JSON document with what would steer a terminal, or turn its text around, escaped as JSON escapes it. JSON itself does so
/// with the first 32 characters alone.
pub fn json(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c == '\n' || !steers(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // All others stand within strings.
        if c == '\n' || !steers(c) {
            shown.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(shown)
}

/// The text cut to so many characters, with dots where something is missing.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(336_776), "336,776");
        assert_eq!(number(129_063_903), "129,063,903");
        assert_eq!(count(1, "row", "rows"), "1 row");
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1000), "1.0 kB");
        assert_eq!(bytes(31_000_000), "31.0 MB");
        assert_eq!(bytes(999_999), "1.0 MB");
    }

    #[test]
    fn durations() {
        let shown = |milliseconds: u64| duration(Duration::from_millis(milliseconds));
        assert_eq!(duration(Duration::from_micros(400)), "0.4 ms");
        assert_eq!(shown(35), "35 ms");
        assert_eq!(shown(1240), "1.24 s");
        assert_eq!(shown(12_340), "12.3 s");
        assert_eq!(shown(125_000), "2 min 05 s");
        assert_eq!(shown(3_599_900), "1 h 00 min");
        assert_eq!(shown(11_220_000), "3 h 07 min");
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\nb\t\u{202e}c"), "a\\u{1b}[31mred\\u{7}\nb    \\u{202e}c");
        assert_eq!(clean("\u{61c}\u{200e}\u{2028}\u{feff}"), "\\u{61c}\\u{200e}\\u{2028}\\u{feff}");
        assert_eq!(clean_line("a\r\nb"), "a\u{21b5}b");
        assert_eq!(clean("Zürich 東京"), "Zürich 東京");
    }

    #[test]
    fn shares() {
        assert_eq!(share(0, 0), "0 %");
        assert_eq!(share(8255, 336_776), "2.5 %");
        assert_eq!(share(1, 1_000_000), "< 0.1 %");
    }

    #[test]
    fn json_steers_no_terminal() {
        let value = serde_json::json!({ "a\u{9b}31m": "\u{1b}[2J\u{202e}txet", "ü": "\n" });
        let text = format!("{value:#}\n");
        let shown = json(&text);
        assert_eq!(shown, "{\n  \"a\\u009b31m\": \"\\u001b[2J\\u202etxet\",\n  \"ü\": \"\\n\"\n}\n");
        assert_eq!(serde_json::from_str(&shown).ok(), Some(value), "it says the same");
    }
}
