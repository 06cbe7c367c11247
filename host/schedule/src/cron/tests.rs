#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;

fn fields(text: &str) -> Fields {
    *Cron::parse(text).unwrap().fields()
}

#[test]
fn fields_are_read() {
    for (text, minutes) in [
        ("0 * * * *", vec![0]),
        ("5,05,7 * * * *", vec![5, 7]),
        ("10-12 * * * *", vec![10, 11, 12]),
        ("*/20 * * * *", vec![0, 20, 40]),
        ("10-40/15 * * * *", vec![10, 25, 40]),
        ("58-1 * * * *", vec![0, 1, 58, 59]),
        ("56-4/4 * * * *", vec![0, 4, 56]),
        ("*/60 * * * *", vec![0]),
        ("1,10-11,*/30 * * * *", vec![0, 1, 10, 11, 30]),
    ] {
        assert_eq!(fields(text).minutes.numbers(), minutes, "{text}");
    }
    assert_eq!(fields("0 22-2 * * *").hours.numbers(), [0, 1, 2, 22, 23]);
    assert_eq!(fields("0 0 29-2 * *").days.numbers(), [1, 2, 29, 30, 31]);
    assert_eq!(fields("0 0 * nov-FEB *").months.numbers(), [1, 2, 11, 12]);
    for (text, weekdays) in [
        ("0", vec![0]),
        ("7", vec![0]),
        ("Sun", vec![0]),
        ("1-5", vec![1, 2, 3, 4, 5]),
        ("Mon-FRI", vec![1, 2, 3, 4, 5]),
        ("Fri-Mon", vec![0, 1, 5, 6]),
        ("5-7", vec![0, 5, 6]),
        ("6-0", vec![0, 6]),
        ("7-2", vec![0, 1, 2]),
        ("0-7", vec![0, 1, 2, 3, 4, 5, 6]),
        ("1-7", vec![0, 1, 2, 3, 4, 5, 6]),
        ("mon-sun", vec![0, 1, 2, 3, 4, 5, 6]),
        ("7-7", vec![0]),
        ("sat-wed/2", vec![1, 3, 6]),
        ("*/2", vec![0, 2, 4, 6]),
    ] {
        assert_eq!(fields(&format!("0 0 * * {text}")).weekdays.numbers(), weekdays, "{text}");
    }
    assert_eq!(Cron::parse("  0\t6 *  * * ").unwrap().fields(), &fields("0 6 * * *"));
    for (nickname, text) in NICKNAMES {
        assert_eq!(Cron::parse(&nickname.to_uppercase()).unwrap(), Cron::parse(text).unwrap());
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, at, message, help) in [
        ("", "", "the schedule is empty", "`30 6 * * *`"),
        ("60 * * * *", "60", "minute: 60 is out of range", "the full hour is minute 0"),
        ("0 24 * * *", "24", "hour: 24 is out of range", "midnight is hour 0"),
        ("0 6 0 * *", "0", "day of month: 0 is out of range", "write 1 to 31"),
        ("0 6 * 1-13 *", "13", "month: 13 is out of range", "1 to 12 or jan to dec"),
        ("0 6 * * 8", "8", "weekday: 8 is out of range", "0 and 7 are Sunday"),
        ("0 99999999999 * * *", "99999999999", "hour: 99999999999 is out of range", "write 0 to 23"),
        ("0 6 * * mob", "mob", "weekday: `mob` is not understood", "did you mean `mon`?"),
        ("0 6 * * Monday", "Monday", "weekday: `Monday` is written in full", "write `mon`"),
        ("0 6 * mon *", "mon", "month: `mon` is a weekday", "the fields are"),
        ("0 6 * * ?", "?", "weekday: `?` is not of crontab", "write `*`"),
        ("0 6 L * *", "L", "day of month: `L` (`L`) is not of crontab", "run on day `1`"),
        ("0 6 * * 5L", "5L", "weekday: `L` (`5L`) is not of crontab", "write the dates"),
        ("0 6 15W * *", "15W", "day of month: `W` (`15W`) is not of crontab", "`mon-fri`"),
        ("0 6 * * 5#2", "5#2", "weekday: `#` (`5#2`) is not of crontab", "write the dates"),
        ("H 6 * * *", "H", "minute: `H` (`H`) is not of crontab", "jitter"),
        ("*/0 6 * * *", "0", "minute: a step of 0", "write 1 or more"),
        ("*/90 * * * *", "90", "minute: a step of 90", "`every = \"90m\"`"),
        ("0 */36 * * *", "36", "hour: a step of 36", "`every = \"36h\"`"),
        ("5/15 * * * *", "5/15", "minute: a step needs a range", "write `5-59/15`"),
        ("*/x * * * *", "x", "minute: `x` is not a step", "`*/5`"),
        ("1,,2 * * * *", "1,,2", "minute: a comma", "take the comma out"),
        ("1- * * * *", "", "minute: a number is missing", "write 0 to 59"),
        ("-5 * * * *", "", "minute: a number is missing", "write 0 to 59"),
        ("** * * * *", "**", "minute: `**` is not understood", "`*` stands alone"),
        ("0 6 é * *", "é", "day of month: `é` is not understood", "write 1 to 31"),
        ("0 6 *", "0 6 *", "3 fields of five: month, weekday are missing", "`0 6 * * *`"),
        ("0 0 6 * * *", "0 0 6 * * *", "6 fields instead of five: seconds", "e.g. `0 6 * * *`"),
        ("0 0 6 * * * 2027", "0 0 6 * * * 2027", "7 fields instead of five: seconds and years", "e.g. `0 6 * * *`"),
        ("@reboot", "@reboot", "`@reboot` is no time", "`@hourly`"),
        ("@every 5m", "@every", "`@every` is no nickname", "`every = \"5m\"`"),
        ("@dayly", "@dayly", "`@dayly` is not a nickname", "did you mean `@daily`?"),
        ("@daily 5", "5", "`@daily` stands alone", "`0 0 * * *`"),
        ("0 0 31 2 *", "31 2", "day 31 never comes in February", "`29 2`"),
        ("0 0 30 feb *", "30 feb", "day 30 never comes in February", "`29 2`"),
        ("0 0 31 4,6,9,11 *", "31 4,6,9,11", "day 31 never comes in April or June", "`30"),
        ("0 0 30,31 2 1", "30,31 2", "day 30 never comes in February", "`29 2`"),
    ] {
        let error = Cron::parse(text).unwrap_err();
        assert_eq!(text.get(error.span.clone()), Some(at), "{text}: {error:?}");
        assert!(error.message.starts_with(message), "{text}: {error:?}");
        assert!(error.help.contains(help), "{text}: {error:?}");
    }
}

#[test]
fn dates_that_come_are_taken() {
    for text in ["0 0 29 2 *", "0 0 31 * *", "0 0 30,31 2,3 *", "0 0 31 2-4 *", "0 0 */31 2 *"] {
        assert!(Cron::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn every_hour_and_every_minute_repeat() {
    for (text, repeats) in [
        ("0 * * * *", true),
        ("30 0-23 * * *", true),
        ("*/5 1 * * *", true),
        ("* 1 * * *", true),
        ("30 1 * * *", false),
        ("0,30 1 * * *", false),
        ("30 */2 * * *", false),
        ("30 0-22 * * *", false),
    ] {
        assert_eq!(Cron::parse(text).unwrap().repeats(), repeats, "{text}");
    }
}
