//! Expressions of texts.

use crate::generate::{Generator, Pair, Type, alike, form, same};

impl Generator {
    fn count(&mut self, low: i64, high: i64) -> Pair {
        same(self.random.range(low, high).to_string())
    }

    pub(crate) fn text(&mut self, depth: usize) -> Pair {
        match self.random.below(34) {
            0..=3 => {
                let name =
                    *self.random.choose(&["upper", "lower", "initcap", "reverse", "trim", "ltrim", "rtrim", "btrim"]);
                alike(&format!("{name}({{0}})"), &[self.of(Type::Text, depth)])
            }
            4 => {
                let name = *self.random.choose(&["btrim", "ltrim", "rtrim"]);
                alike(
                    &format!("{name}({{0}}, {{1}})"),
                    &[self.of(Type::Text, depth), same(*self.random.choose(&["'a'", "' -'", "'é日'"]))],
                )
            }
            5 => alike("substr({0}, {1})", &[self.of(Type::Text, depth), self.count(-3, 6)]),
            6 | 7 => alike("substr({0}, {1}, {2})", &[self.of(Type::Text, depth), self.count(-3, 6), self.count(0, 6)]),
            8 => alike(
                "substring({0} from {1} for {2})",
                &[self.of(Type::Text, depth), self.count(1, 6), self.count(0, 6)],
            ),
            9 => alike("left({0}, {1})", &[self.of(Type::Text, depth), self.count(-5, 8)]),
            10 => alike("right({0}, {1})", &[self.of(Type::Text, depth), self.count(-5, 8)]),
            11 => alike("lpad({0}, {1})", &[self.of(Type::Text, depth), self.count(-1, 12)]),
            12 => {
                alike("lpad({0}, {1}, {2})", &[self.of(Type::Text, depth), self.count(-1, 12), self.of(Type::Text, 0)])
            }
            13 => {
                alike("rpad({0}, {1}, {2})", &[self.of(Type::Text, depth), self.count(-1, 12), self.of(Type::Text, 0)])
            }
            14 => alike(
                "replace({0}, {1}, {2})",
                &[
                    self.of(Type::Text, depth),
                    same(*self.random.choose(&["'a'", "' '", "'日'", "'ab'"])),
                    self.of(Type::Text, 0),
                ],
            ),
            15 | 16 => alike("concat({0}, {1})", &[self.of(Type::Text, depth), self.of(Type::Text, depth)]),
            17 | 18 => alike("({0} || {1})", &[self.of(Type::Text, depth), self.of(Type::Text, depth)]),
            19 => alike(
                "concat_ws({0}, {1}, {2})",
                &[same("'-'"), self.of(Type::Text, depth), self.of(Type::Text, depth)],
            ),
            20 => alike(
                "split_part({0}, {1}, {2})",
                &[
                    self.of(Type::Text, depth),
                    same(*self.random.choose(&["'.'", "'-'", "' '", "'a'"])),
                    same(*self.random.choose(&["1", "2", "3", "-1", "-2"])),
                ],
            ),
            21 => alike("repeat({0}, {1})", &[self.of(Type::Text, depth), self.count(-1, 4)]),
            22 => alike("translate({0}, 'abé', 'xy')", &[self.of(Type::Text, depth)]),
            23 | 24 => {
                let pattern =
                    *self.random.choose(&["[a-c]+", "\\d", "^.", "(\\w)(\\w)", "é|日", "\\s+", "[[:upper:]]"]);
                let by = *self.random.choose(&["", "<>", "\\1", "x"]);
                let flags = *self.random.choose(&["", ", 'g'", ", 'i'", ", 'gi'"]);
                alike(&format!("regexp_replace({{0}}, '{pattern}', '{by}'{flags})"), &[self.of(Type::Text, depth)])
            }
            25 => alike("md5({0})", &[self.of(Type::Text, depth)]),
            26 => alike("md5({0} || cast({1} as varchar))", &[self.of(Type::Text, 0), self.of(Type::Int, depth)]),
            27 => alike("cast({0} as varchar)", &[self.of(Type::Int, depth)]),
            28 => alike("cast({0} as varchar)", &[self.of(Type::Bool, depth)]),
            29 => alike("cast({0} as varchar)", &[self.of(Type::Date, depth)]),
            30 => alike("cast({0} as varchar)", &[self.of(Type::Time, depth)]),
            31 => alike("cast({0} as varchar)", &[self.of(Type::Decimal, depth)]),
            32 => alike("cast(f as varchar)", &[]),
            _ => {
                let format = *self.random.choose(&["%Y-%m-%d", "%d.%m.%y", "%j %B %a", "%A %b %e", "%V %G %u"]);
                alike(&format!("to_char({{0}}, '{format}')"), &[self.of(Type::Date, depth)])
            }
        }
    }

    pub(crate) fn int_of_text(&mut self, depth: usize) -> Pair {
        match self.random.below(5) {
            0 | 1 => {
                let name = *self.random.choose(&["length", "char_length", "octet_length"]);
                form(
                    &format!("{name}({{0}})"),
                    &format!("cast({name}({{0}}) as bigint)"),
                    &[self.of(Type::Text, depth)],
                )
            }
            2 => form(
                "strpos({0}, {1})",
                "cast(strpos({0}, {1}) as bigint)",
                &[self.of(Type::Text, depth), self.of(Type::Text, 0)],
            ),
            3 => form(
                "position({1} in {0})",
                "cast(strpos({0}, {1}) as bigint)",
                &[self.of(Type::Text, depth), self.of(Type::Text, 0)],
            ),
            _ => form("ascii({0})", "cast(ascii({0}) as bigint)", &[self.of(Type::Text, depth)]),
        }
    }

    pub(crate) fn condition_of_text(&mut self, depth: usize) -> Pair {
        match self.random.below(8) {
            0 | 1 => {
                let pattern = *self.random.choose(&[
                    "%a%",
                    "a%",
                    "%c",
                    "_",
                    "a_c",
                    "%",
                    "",
                    "%日%",
                    "a\\_b\\%c",
                    "%o_%o%",
                    "\\%%",
                    "__%",
                    "abc",
                ]);
                let test = *self.random.choose(&["like", "not like"]);
                alike(&format!("({{0}} {test} '{pattern}')"), &[self.of(Type::Text, depth)])
            }
            2 => {
                let pattern = *self.random.choose(&["%A%", "a%", "%C", "_", "ABC", "%"]);
                let test = *self.random.choose(&["ilike", "not ilike"]);
                alike(&format!("(w {test} '{pattern}')"), &[])
            }
            3 => alike("starts_with({0}, {1})", &[self.of(Type::Text, depth), self.of(Type::Text, 0)]),
            4 => alike("ends_with({0}, {1})", &[self.of(Type::Text, depth), self.of(Type::Text, 0)]),
            5 => alike("contains({0}, {1})", &[self.of(Type::Text, depth), self.of(Type::Text, 0)]),
            6 => {
                let pattern = *self.random.choose(&["^[A-Z][A-Z]+$", "\\d+", "a|b", "^$", "é", "o.*o", "(?i)ewr"]);
                alike(&format!("regexp_like({{0}}, '{pattern}')"), &[self.of(Type::Text, depth)])
            }
            _ => alike("({0} ~ '^[a-z]+$')", &[self.of(Type::Text, depth)]),
        }
    }
}
