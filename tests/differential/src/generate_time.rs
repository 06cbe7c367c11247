//! Expressions of dates and times.

use crate::generate::{Generator, Pair, Type, alike, form, same};

const MICROSECONDS: &str = "cast({0} as timestamp(6))";

impl Generator {
    pub(crate) fn date(&mut self, depth: usize) -> Pair {
        match self.random.below(8) {
            0 | 1 => {
                let unit = *self.random.choose(&["day", "week", "month", "quarter", "year"]);
                form(
                    &format!("date_trunc('{unit}', {{0}})"),
                    &format!("cast(date_trunc('{unit}', {{0}}) as date)"),
                    &[self.of(Type::Date, depth)],
                )
            }
            2 | 3 => {
                let sign = *self.random.choose(&["+", "-"]);
                let interval = *self.random.choose(&[
                    "1 day",
                    "40 days",
                    "1 month",
                    "13 months",
                    "2 years",
                    "3 weeks",
                    "1 year 2 months 3 days",
                ]);
                alike(&format!("({{0}} {sign} interval '{interval}')"), &[self.of(Type::Date, depth)])
            }
            4 => alike("cast({0} as date)", &[self.of(Type::Time, depth)]),
            5 => alike(
                "make_date({0}, {1}, {2})",
                &[
                    same(self.random.range(1990, 2020).to_string()),
                    same(self.random.range(1, 12).to_string()),
                    same("(abs(b) % 28 + 1)"),
                ],
            ),
            6 => alike("try_cast({0} as date)", &[same("t")]),
            _ => alike("to_date(cast({0} as varchar))", &[self.of(Type::Date, depth)]),
        }
    }

    pub(crate) fn time(&mut self, depth: usize) -> Pair {
        match self.random.below(7) {
            0..=2 => {
                let unit = *self.random.choose(&[
                    "millisecond",
                    "second",
                    "minute",
                    "hour",
                    "day",
                    "week",
                    "month",
                    "quarter",
                    "year",
                ]);
                alike(&format!("date_trunc('{unit}', {{0}})"), &[self.of(Type::Time, depth)])
            }
            3 | 4 => {
                let sign = *self.random.choose(&["+", "-"]);
                let interval = *self.random.choose(&[
                    "1 hour",
                    "90 minutes",
                    "1 day",
                    "1 month",
                    "5 seconds",
                    "2 days 3 hours",
                    "1 year",
                ]);
                alike(&format!("({{0}} {sign} interval '{interval}')"), &[self.of(Type::Time, depth)])
            }
            5 => form("cast({0} as timestamp)", MICROSECONDS, &[self.of(Type::Date, depth)]),
            _ => form(
                "cast(cast({0} as varchar) as timestamp)",
                "cast(cast({0} as varchar) as timestamp(6))",
                &[self.of(Type::Time, depth)],
            ),
        }
    }

    pub(crate) fn int_of_time(&mut self, depth: usize) -> Pair {
        match self.random.below(5) {
            0 | 1 => {
                let unit = *self.random.choose(&["year", "quarter", "month", "week", "day", "dow", "doy", "isodow"]);
                // DataFusion counts the days of the ISO week from 0.
                let theirs = format!("cast(date_part('{unit}', {{0}}) as bigint)");
                let theirs = if unit == "isodow" {
                    "(cast(date_part('dow', {0}) as bigint) + 6) % 7 + 1".to_owned()
                } else {
                    theirs
                };
                form(&format!("date_part('{unit}', {{0}})"), &format!("({theirs})"), &[self.of(Type::Date, depth)])
            }
            2 => {
                let unit = *self.random.choose(&[
                    "year",
                    "month",
                    "week",
                    "day",
                    "hour",
                    "minute",
                    "second",
                    "millisecond",
                    "microsecond",
                ]);
                form(
                    &format!("extract({unit} from {{0}})"),
                    &format!("cast(extract({unit} from {{0}}) as bigint)"),
                    &[self.of(Type::Time, depth)],
                )
            }
            3 => form(
                "({0} - {1})",
                "(cast(cast({0} as int) as bigint) - cast(cast({1} as int) as bigint))",
                &[self.of(Type::Date, depth), self.of(Type::Date, depth)],
            ),
            _ => form(
                "date_diff('day', {0}, {1})",
                "(cast(cast({1} as int) as bigint) - cast(cast({0} as int) as bigint))",
                &[self.of(Type::Date, depth), self.of(Type::Date, depth)],
            ),
        }
    }
}
