//! Days on which clocks change, by hand.

use crate::{instant, table};
use jiff::Timestamp;
use sluicebox_schedule::{ClockNote, Timetable};
use std::time::Duration;

/// The fires from one local time (included) to another (excluded), in local time with the offset; the same backwards.
fn fires(table: &Timetable, from: &str, to: &str) -> Vec<String> {
    let zone = table.zone().name();
    let (from, to) = (instant(from, zone), instant(to, zone));
    let second = Duration::from_secs(1);
    let forwards: Vec<Timestamp> = table.fires_after(from - second).take_while(|fire| *fire < to).collect();
    let mut backwards: Vec<Timestamp> = std::iter::successors(table.prev_before(to), |fire| table.prev_before(*fire))
        .take_while(|fire| *fire >= from)
        .collect();
    backwards.reverse();
    assert_eq!(forwards, backwards, "{}", table.words());
    assert!(forwards.is_sorted_by(|a, b| a < b), "{}", table.words());
    let local = |fire: &Timestamp| fire.to_zoned(table.zone().rules().clone()).strftime("%m-%d %H:%M %:z").to_string();
    forwards.iter().map(local).collect()
}

const NY: &str = "America/New_York";

#[test]
fn clocks_go_forward_in_new_york() {
    for (cron, expected) in [
        ("30 2 * * *", vec!["03-09 03:00 -04:00", "03-10 02:30 -04:00"]),
        ("0 3 * * *", vec!["03-09 03:00 -04:00", "03-10 03:00 -04:00"]),
        ("0 2,3 * * *", vec!["03-09 03:00 -04:00", "03-10 02:00 -04:00", "03-10 03:00 -04:00"]),
        ("0,30 2 9 * *", vec!["03-09 03:00 -04:00"]),
        ("*/20 2 9 * *", vec!["03-09 03:00 -04:00"]),
        ("30 2-4 9 * *", vec!["03-09 03:00 -04:00", "03-09 03:30 -04:00", "03-09 04:30 -04:00"]),
        ("30 1-3 9 * *", vec!["03-09 01:30 -05:00", "03-09 03:00 -04:00", "03-09 03:30 -04:00"]),
        ("30 2 * * sun", vec!["03-09 03:00 -04:00"]),
    ] {
        assert_eq!(fires(&table(cron, NY), "2025-03-09T00:00", "2025-03-11T00:00"), expected, "{cron}");
    }
    for (cron, expected) in [
        ("*/30 * * * *", vec!["03-09 01:30 -05:00", "03-09 03:00 -04:00", "03-09 03:30 -04:00"]),
        ("30 * * * *", vec!["03-09 01:30 -05:00", "03-09 03:00 -04:00", "03-09 03:30 -04:00"]),
        ("0 * * * *", vec!["03-09 03:00 -04:00"]),
    ] {
        assert_eq!(fires(&table(cron, NY), "2025-03-09T01:30", "2025-03-09T04:00"), expected, "{cron}");
    }
}

#[test]
fn clocks_go_back_in_new_york() {
    for (cron, expected) in [
        ("30 1 * * *", vec!["11-02 01:30 -04:00", "11-03 01:30 -05:00"]),
        ("0 2 * * *", vec!["11-02 02:00 -05:00", "11-03 02:00 -05:00"]),
        ("0,30 1 2 * *", vec!["11-02 01:00 -04:00", "11-02 01:30 -04:00"]),
        ("30 1-2 2 * *", vec!["11-02 01:30 -04:00", "11-02 02:30 -05:00"]),
        ("*/30 1 2 * *", vec!["11-02 01:00 -04:00", "11-02 01:30 -04:00", "11-02 01:00 -05:00", "11-02 01:30 -05:00"]),
    ] {
        assert_eq!(fires(&table(cron, NY), "2025-11-02T00:00", "2025-11-04T00:00"), expected, "{cron}");
    }
    for (cron, expected) in [
        ("0 * * * *", vec!["11-02 01:00 -04:00", "11-02 01:00 -05:00", "11-02 02:00 -05:00"]),
        (
            "*/30 * * * *",
            vec![
                "11-02 01:00 -04:00",
                "11-02 01:30 -04:00",
                "11-02 01:00 -05:00",
                "11-02 01:30 -05:00",
                "11-02 02:00 -05:00",
                "11-02 02:30 -05:00",
            ],
        ),
    ] {
        assert_eq!(fires(&table(cron, NY), "2025-11-02T01:00", "2025-11-02T03:00"), expected, "{cron}");
    }
}

#[test]
fn half_an_hour_on_lord_howe() {
    let zone = "Australia/Lord_Howe";
    for (cron, expected) in [
        ("15 2 * * *", vec!["10-05 02:30 +11:00"]),
        ("0 2 * * *", vec!["10-05 02:30 +11:00"]),
        ("30 2 * * *", vec!["10-05 02:30 +11:00"]),
        ("*/15 2 * * *", vec!["10-05 02:30 +11:00", "10-05 02:45 +11:00"]),
    ] {
        assert_eq!(fires(&table(cron, zone), "2025-10-05T00:00", "2025-10-06T00:00"), expected, "{cron}");
    }
    for (cron, expected) in [
        ("45 1 * * *", vec!["04-06 01:45 +11:00"]),
        ("15 1 * * *", vec!["04-06 01:15 +11:00"]),
        ("0 2 * * *", vec!["04-06 02:00 +10:30"]),
    ] {
        assert_eq!(fires(&table(cron, zone), "2025-04-06T00:00", "2025-04-07T00:00"), expected, "{cron}");
    }
    let hourly = ["04-06 01:45 +11:00", "04-06 01:45 +10:30", "04-06 02:45 +10:30"];
    assert_eq!(fires(&table("45 * * * *", zone), "2025-04-06T01:00", "2025-04-06T03:00"), hourly);
}

#[test]
fn a_day_that_samoa_skipped() {
    let zone = "Pacific/Apia";
    for (cron, expected) in [
        ("0 12 * * *", vec!["12-29 12:00 -10:00", "12-31 00:00 +14:00", "12-31 12:00 +14:00"]),
        ("@daily", vec!["12-29 00:00 -10:00", "12-31 00:00 +14:00"]),
        ("0 0 30 * *", vec!["12-31 00:00 +14:00"]),
        ("0 9 * * fri", vec!["12-31 00:00 +14:00"]),
        ("0 */12 * * *", vec!["12-29 00:00 -10:00", "12-29 12:00 -10:00", "12-31 00:00 +14:00", "12-31 12:00 +14:00"]),
    ] {
        assert_eq!(fires(&table(cron, zone), "2011-12-29T00:00", "2012-01-01T00:00"), expected, "{cron}");
    }
}

#[test]
fn midnight_that_is_skipped_or_comes_twice() {
    for (cron, zone, day, after, expected) in [
        ("@daily", "America/Sao_Paulo", "2018-11-04T01:00", "2018-11-05T00:00", vec!["11-04 01:00 -02:00"]),
        ("@daily", "Africa/Cairo", "2024-04-26T01:00", "2024-04-27T00:00", vec!["04-26 01:00 +03:00"]),
        ("@daily", "America/Havana", "2025-11-02T00:00", "2025-11-03T00:00", vec!["11-02 00:00 -04:00"]),
        // Before and after Ramadan.
        ("30 2 * * *", "Africa/Casablanca", "2025-02-23T00:00", "2025-02-24T00:00", vec!["02-23 02:30 +01:00"]),
        ("30 2 * * *", "Africa/Casablanca", "2025-04-06T00:00", "2025-04-07T00:00", vec!["04-06 03:00 +01:00"]),
        ("30 1 * * *", "Europe/Dublin", "2025-03-30T00:00", "2025-03-31T00:00", vec!["03-30 02:00 +01:00"]),
    ] {
        assert_eq!(fires(&table(cron, zone), day, after), expected, "{cron} {zone}");
    }
}

#[test]
fn every_so_often() {
    let every = |seconds: u64, zone: &str| Timetable::parse(&[], Some(Duration::from_secs(seconds)), zone).unwrap();
    let (hour, day) = (3600, 86_400);
    let days = ["11-01 00:00 -04:00", "11-02 00:00 -04:00", "11-03 00:00 -05:00"];
    assert_eq!(fires(&every(day, NY), "2025-11-01T00:00", "2025-11-04T00:00"), days);
    let six = ["11-02 00:00 -04:00", "11-02 06:00 -05:00", "11-02 12:00 -05:00", "11-02 18:00 -05:00"];
    assert_eq!(fires(&every(6 * hour, NY), "2025-11-02T00:00", "2025-11-03T00:00"), six);
    let half = ["11-02 01:00 -04:00", "11-02 01:30 -04:00", "11-02 01:00 -05:00", "11-02 01:30 -05:00"];
    assert_eq!(fires(&every(1800, NY), "2025-11-02T01:00", "2025-11-02T02:00"), half);
    let gap = ["03-09 00:00 -05:00", "03-09 03:00 -04:00", "03-09 04:00 -04:00"];
    assert_eq!(fires(&every(2 * hour, NY), "2025-03-09T00:00", "2025-03-09T06:00"), gap);
    // Seven hours go into no day: elapsed time, from 1970-01-01T00:00Z.
    let seven = every(7 * hour, NY);
    let fire = seven.next_after("2025-11-02T00:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(fire.as_second() % (7 * 3600), 0);
    let interval = seven.interval(fire);
    assert_eq!(interval.end.as_second() - interval.start.as_second(), 7 * 3600);
    let kolkata = ["01-01 00:00 +05:30", "01-01 01:00 +05:30"];
    assert_eq!(fires(&every(hour, "Asia/Kolkata"), "2026-01-01T00:00", "2026-01-01T02:00"), kolkata);
}

#[test]
fn several_rules_are_one_timetable() {
    let table =
        Timetable::parse(&["0 * * * *", "0 6 * * *", "30 6 * * *"], Some(Duration::from_secs(7200)), "UTC").unwrap();
    let expected = ["05-01 06:00 +00:00", "05-01 06:30 +00:00", "05-01 07:00 +00:00", "05-01 08:00 +00:00"];
    assert_eq!(fires(&table, "2025-05-01T06:00", "2025-05-01T09:00"), expected);
    let fire = instant("2025-05-01T07:00", "UTC");
    assert_eq!(table.interval(fire).start, instant("2025-05-01T06:30", "UTC"));
}

#[test]
fn crontab_where_others_differ() {
    for (cron, expected) in [
        // One of the two is enough.
        ("0 0 13 * fri", vec!["06-06", "06-13", "06-20", "06-27"]),
        // A field that begins with `*` does not widen the other.
        ("0 0 */10 * fri", vec![]),
        ("0 0 */5 * fri", vec!["06-06"]),
        ("0 0 * * 5-7/2", vec!["06-01", "06-06", "06-08", "06-13", "06-15", "06-20", "06-22", "06-27", "06-29"]),
        ("0 0 * * 1-5/4", vec!["06-02", "06-06", "06-09", "06-13", "06-16", "06-20", "06-23", "06-27", "06-30"]),
    ] {
        let days: Vec<String> = fires(&table(cron, "UTC"), "2025-06-01T00:00", "2025-07-01T00:00");
        let days: Vec<&str> = days.iter().map(|fire| &fire[..5]).collect();
        assert_eq!(days, expected, "{cron}");
    }
    // All days, though not by a `*`.
    assert_eq!(fires(&table("0 0 1-31 * fri", "UTC"), "2025-06-01T00:00", "2025-07-01T00:00").len(), 30);
    let leap = table("0 0 29 2 *", "UTC");
    let next = |from: &str| leap.next_after(from.parse().unwrap()).map(|fire| fire.to_string());
    assert_eq!(next("2025-01-01T00:00:00Z").as_deref(), Some("2028-02-29T00:00:00Z"));
    assert_eq!(next("2097-01-01T00:00:00Z"), None);
    let before = leap.prev_before("2025-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(before.map(|fire| fire.to_string()).as_deref(), Some("2024-02-29T00:00:00Z"));
}

#[test]
fn parts_of_a_second_do_not_matter() {
    let table = table("* * * * *", "UTC");
    for (now, before, after) in [
        ("2025-01-01T00:00:00Z", "2024-12-31T23:59:00Z", "2025-01-01T00:01:00Z"),
        ("2025-01-01T00:00:00.5Z", "2025-01-01T00:00:00Z", "2025-01-01T00:01:00Z"),
        ("2025-01-01T00:00:59.999999999Z", "2025-01-01T00:00:00Z", "2025-01-01T00:01:00Z"),
    ] {
        let now: Timestamp = now.parse().unwrap();
        assert_eq!(table.prev_before(now).unwrap().to_string(), before);
        assert_eq!(table.next_after(now).unwrap().to_string(), after);
    }
}

#[test]
fn the_preview_tells_of_clocks() {
    for (cron, zone, from, told) in [
        ("30 2 * * *", NY, "2025-03-09T01:00", Some("clocks go forward: 02:30 does not exist, runs at 03:00")),
        (
            "*/30 2 * * *",
            NY,
            "2025-03-09T01:00",
            Some("clocks go forward: 02:00 to 02:30 do not exist, runs once at 03:00"),
        ),
        ("0 3 * * *", NY, "2025-03-09T01:00", None),
        ("30 1 * * *", NY, "2025-11-02T00:00", Some("clocks go back: 01:30 comes twice, runs the first time only")),
        (
            "30 * * * *",
            NY,
            "2025-11-02T00:45",
            Some("clocks go back: 01:30 comes twice, runs both times, this is the first"),
        ),
        ("0 2 * * *", NY, "2025-11-02T00:00", None),
        (
            "0 12 * * *",
            "Pacific/Apia",
            "2011-12-29T13:00",
            Some("clocks go forward: 2011-12-30 12:00 does not exist, runs at 2011-12-31 00:00"),
        ),
        ("30 2 * * *", "UTC", "2025-03-09T01:00", None),
    ] {
        let preview = table(cron, zone).preview(instant(from, zone), 1);
        assert_eq!(preview[0].note.map(|note| note.to_string()).as_deref(), told, "{cron} {zone}");
    }
    let hourly = table("30 * * * *", NY).preview(instant("2025-11-02T00:45", NY), 3);
    assert!(matches!(hourly[1].note, Some(ClockNote::Both { second: true, .. })));
    assert_eq!(hourly[2].note, None);
    assert_eq!(hourly[0].at.to_string(), "2025-11-02T01:30:00-04:00[America/New_York]");
    assert_eq!(hourly[1].interval.start, hourly[0].at.timestamp());
}
