//! Random expressions, each in two texts of one meaning: ours, and DataFusion's.

use crate::random::Random;

/// The types of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Type {
    Int,
    Float,
    Text,
    Bool,
    Date,
    Time,
    Decimal,
}

/// All of them.
pub(crate) const TYPES: [Type; 7] =
    [Type::Int, Type::Float, Type::Text, Type::Bool, Type::Date, Type::Time, Type::Decimal];

/// An expression in two texts.
#[derive(Clone, Debug)]
pub struct Pair {
    /// as sluicebox reads it
    pub ours: String,
    /// as DataFusion reads it
    pub theirs: String,
}

/// The same text for both.
pub(crate) fn same(text: impl Into<String>) -> Pair {
    let text = text.into();
    Pair { theirs: text.clone(), ours: text }
}

/// Makes expressions.
pub struct Generator {
    pub(crate) random: Random,
}

/// Writes both texts by one pattern, in which {0}, {1} ... stand for the parts.
pub(crate) fn form(ours: &str, theirs: &str, parts: &[Pair]) -> Pair {
    let fill = |pattern: &str, of: fn(&Pair) -> &str| {
        parts
            .iter()
            .enumerate()
            .fold(pattern.to_owned(), |text, (at, part)| text.replace(&format!("{{{at}}}"), of(part)))
    };
    Pair { ours: fill(ours, |part| &part.ours), theirs: fill(theirs, |part| &part.theirs) }
}

/// One pattern for both.
pub(crate) fn alike(pattern: &str, parts: &[Pair]) -> Pair {
    form(pattern, pattern, parts)
}

impl Generator {
    /// The expressions of a seed.
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed) }
    }

    /// An expression of some type, some levels deep.
    pub fn expression(&mut self) -> Pair {
        // DataFusion's is binary, so it cannot stand within a text.
        if self.random.once_in(200) {
            return alike("sha256({0})", &[self.of(Type::Text, 2)]);
        }
        let ty = *self.random.choose(&TYPES);
        let depth = 1 + self.random.below(4);
        self.of(ty, depth)
    }

    pub(crate) fn of(&mut self, ty: Type, depth: usize) -> Pair {
        if depth == 0 || self.random.once_in(8) {
            return self.leaf(ty);
        }
        if self.random.once_in(7) {
            return self.choice(ty, depth - 1);
        }
        match ty {
            Type::Int => self.int(depth - 1),
            Type::Float => self.float(depth - 1),
            Type::Text => self.text(depth - 1),
            Type::Bool => self.condition(depth - 1),
            Type::Date => self.date(depth - 1),
            Type::Time => self.time(depth - 1),
            Type::Decimal => self.decimal(depth - 1),
        }
    }

    fn leaf(&mut self, ty: Type) -> Pair {
        let literal = self.random.once_in(4);
        match ty {
            Type::Int if literal => same(self.random.range(-3, 12).to_string()),
            Type::Int => self.int_column(),
            Type::Float if literal => same(format!("{:?}", self.random.range(-40, 40) as f64 / 8.0 + 0.0)),
            Type::Float => match self.random.below(3) {
                0 => form("g", "CAST(g AS DOUBLE)", &[]),
                1 => same("f"),
                _ => same("h"),
            },
            Type::Text if literal => {
                same(format!("'{}'", self.random.choose(&["", "a", "EWR", "it''s", "é", "-", "x y", "12", "日"])))
            }
            Type::Text => same(*self.random.choose(&["t", "w"])),
            Type::Bool if literal => same(*self.random.choose(&["true", "false", "cast(null as boolean)"])),
            Type::Bool => same(*self.random.choose(&["p", "q"])),
            Type::Date if literal => {
                same(*self.random.choose(&["date '2013-01-05'", "date '2000-02-29'", "date '1969-12-31'"]))
            }
            Type::Date => same(*self.random.choose(&["d", "c"])),
            Type::Time if literal => {
                form("timestamp '2013-01-05 06:30:00.25'", "cast('2013-01-05T06:30:00.25' as timestamp(6))", &[])
            }
            Type::Time => same(*self.random.choose(&["m", "n"])),
            Type::Decimal if literal => {
                same(*self.random.choose(&["cast('1.25' as decimal(10, 2))", "cast('-0.5' as decimal(6, 1))"]))
            }
            Type::Decimal => same(*self.random.choose(&["e", "k"])),
        }
    }

    fn int_column(&mut self) -> Pair {
        match self.random.below(6) {
            0 => form("s", "CAST(s AS BIGINT)", &[]),
            1 => form("b", "CAST(b AS BIGINT)", &[]),
            2 => form("u", "CAST(u AS BIGINT)", &[]),
            3 => same("i"),
            _ => same("j"),
        }
    }

    fn choice(&mut self, ty: Type, depth: usize) -> Pair {
        match self.random.below(6) {
            0 => alike(
                "case when {0} then {1} else {2} end",
                &[self.of(Type::Bool, depth), self.of(ty, depth), self.of(ty, depth)],
            ),
            1 => alike(
                "case when {0} then {1} when {2} then {3} end",
                &[self.of(Type::Bool, depth), self.of(ty, depth), self.of(Type::Bool, depth), self.of(ty, depth)],
            ),
            // DataFusion's coalesce exists only to be rewritten by its optimiser.
            2 => form(
                "coalesce({0}, {1})",
                "(case when {0} is not null then {0} else {1} end)",
                &[self.of(ty, depth), self.of(ty, depth)],
            ),
            3 => form(
                "if({0}, {1}, {2})",
                "case when {0} then {1} else {2} end",
                &[self.of(Type::Bool, depth), self.of(ty, depth), self.of(ty, depth)],
            ),
            4 if !matches!(ty, Type::Bool | Type::Float) => {
                let name = *self.random.choose(&["greatest", "least"]);
                alike(
                    &format!("{name}({{0}}, {{1}}, {{2}})"),
                    &[self.of(ty, depth), self.of(ty, depth), self.of(ty, depth)],
                )
            }
            5 if !matches!(ty, Type::Float) => alike("nullif({0}, {1})", &[self.of(ty, depth), self.of(ty, depth)]),
            _ => {
                let operand = *self.random.choose(&[Type::Int, Type::Text, Type::Date]);
                alike(
                    "case {0} when {1} then {3} when {2} then {4} else {3} end",
                    &[
                        self.of(operand, depth),
                        self.leaf(operand),
                        self.leaf(operand),
                        self.of(ty, depth),
                        self.of(ty, depth),
                    ],
                )
            }
        }
    }

    fn int(&mut self, depth: usize) -> Pair {
        match self.random.below(20) {
            0..=2 => alike("({0} + {1})", &[self.of(Type::Int, depth), self.of(Type::Int, depth)]),
            3 | 4 => alike("({0} - {1})", &[self.of(Type::Int, depth), self.of(Type::Int, depth)]),
            5 | 6 => alike("({0} * {1})", &[self.of(Type::Int, depth), self.of(Type::Int, depth)]),
            7 => {
                form("({0} // {1})", "({0} / nullif({1}, 0))", &[self.of(Type::Int, depth), self.of(Type::Int, depth)])
            }
            8 => {
                form("div({0}, {1})", "({0} / nullif({1}, 0))", &[self.of(Type::Int, depth), self.of(Type::Int, depth)])
            }
            9 => form("({0} % {1})", "({0} % nullif({1}, 0))", &[self.of(Type::Int, depth), self.of(Type::Int, depth)]),
            10 => alike("abs({0})", &[self.of(Type::Int, depth)]),
            11 => form("sign({0})", "cast(signum(cast({0} as double)) as bigint)", &[self.of(Type::Int, depth)]),
            // DataFusion takes -(a & b) for ~(a & b), and makes ~a | ~b of it.
            12 => form("(- {0})", "(0 - {0})", &[self.of(Type::Int, depth)]),
            13 => alike("cast({0} as bigint)", &[self.of(Type::Float, depth)]),
            14 => alike("try_cast({0} as bigint)", &[self.of(Type::Text, depth)]),
            15 => alike("({0} & {1})", &[self.of(Type::Int, depth), self.of(Type::Int, depth)]),
            16 => {
                let small = *self.random.choose(&["int", "smallint", "tinyint"]);
                let cast = *self.random.choose(&["cast", "try_cast"]);
                form(
                    &format!("{cast}({{0}} as {small})"),
                    &format!("cast({cast}({{0}} as {small}) as bigint)"),
                    &[self.of(Type::Int, depth)],
                )
            }
            17 => alike("cast({0} as bigint)", &[self.of(Type::Bool, depth)]),
            18 => alike("cast({0} as bigint)", &[self.of(Type::Decimal, depth)]),
            _ => {
                if self.random.once_in(2) {
                    self.int_of_text(depth)
                } else {
                    self.int_of_time(depth)
                }
            }
        }
    }

    fn float(&mut self, depth: usize) -> Pair {
        // -0.0 does not equal 0.0 in DataFusion.
        const ZERO: &str = "(case when abs({1}) = 0.0 then cast(null as double) else {1} end)";
        match self.random.below(24) {
            0 | 1 => alike("({0} + {1})", &[self.of(Type::Float, depth), self.of(Type::Float, depth)]),
            2 => alike("({0} - {1})", &[self.of(Type::Float, depth), self.of(Type::Float, depth)]),
            3 | 4 => alike("({0} * {1})", &[self.of(Type::Float, depth), self.of(Type::Float, depth)]),
            5 | 6 => form(
                "({0} / {1})",
                &format!("({{0}} / {ZERO})"),
                &[self.of(Type::Float, depth), self.leaf(Type::Float)],
            ),
            7..=9 => form(
                "({0} / {1})",
                "(cast({0} as double) / nullif(cast({1} as double), 0.0))",
                &[self.of(Type::Int, depth), self.of(Type::Int, depth)],
            ),
            10 => form(
                "({0} % {1})",
                &format!("({{0}} % {ZERO})"),
                &[self.of(Type::Float, depth), self.leaf(Type::Float)],
            ),
            11 => alike("({0} + {1})", &[self.of(Type::Float, depth), self.of(Type::Int, depth)]),
            12 => alike("({0} * {1})", &[self.of(Type::Int, depth), self.of(Type::Float, depth)]),
            13 | 14 => {
                let name = *self.random.choose(&[
                    "abs", "floor", "ceil", "round", "trunc", "sqrt", "exp", "cbrt", "signum", "radians", "degrees",
                ]);
                alike(&format!("{name}({{0}})"), &[self.of(Type::Float, depth)])
            }
            15 => {
                let name = *self.random.choose(&["ln", "log10", "log2", "sin", "cos", "tan", "atan", "asin", "acos"]);
                alike(&format!("{name}({{0}})"), &[self.of(Type::Float, depth)])
            }
            16 => form("round(g, {0})", "round(CAST(g AS DOUBLE), {0})", &[same(self.random.range(-2, 4).to_string())]),
            17 => alike("power({0}, {1})", &[self.of(Type::Float, depth), self.leaf(Type::Float)]),
            18 => alike("atan2({0}, {1})", &[self.of(Type::Float, depth), self.of(Type::Float, depth)]),
            19 => alike("cast({0} as double)", &[self.of(Type::Int, depth)]),
            20 => alike("try_cast({0} as double)", &[self.of(Type::Text, depth)]),
            21 => alike("cast({0} as double)", &[self.of(Type::Decimal, depth)]),
            22 => alike("log({0}, {1})", &[same("2.0"), self.of(Type::Float, depth)]),
            _ => alike("(- {0})", &[self.of(Type::Float, depth)]),
        }
    }

    fn decimal(&mut self, depth: usize) -> Pair {
        match self.random.below(9) {
            0 | 1 => alike("({0} + {1})", &[self.leaf(Type::Decimal), self.leaf(Type::Decimal)]),
            2 => alike("({0} - {1})", &[self.leaf(Type::Decimal), self.leaf(Type::Decimal)]),
            3 => alike("({0} * {1})", &[self.leaf(Type::Decimal), self.leaf(Type::Decimal)]),
            4 => alike("cast({0} as decimal(14, 3))", &[self.of(Type::Decimal, depth)]),
            5 => alike("cast({0} as decimal(24, 2))", &[self.of(Type::Int, depth)]),
            6 => alike("try_cast(nullif({0}, '1e3') as decimal(12, 2))", &[self.leaf(Type::Text)]),
            7 => alike("(- {0})", &[self.of(Type::Decimal, depth)]),
            _ => alike("abs({0})", &[self.of(Type::Decimal, depth)]),
        }
    }

    fn condition(&mut self, depth: usize) -> Pair {
        match self.random.below(20) {
            0..=4 => self.comparison(depth),
            5 | 6 => alike("({0} and {1})", &[self.of(Type::Bool, depth), self.of(Type::Bool, depth)]),
            7 | 8 => alike("({0} or {1})", &[self.of(Type::Bool, depth), self.of(Type::Bool, depth)]),
            9 => alike("(not {0})", &[self.of(Type::Bool, depth)]),
            10 => {
                let ty = *self.random.choose(&TYPES);
                let test = *self.random.choose(&["is null", "is not null"]);
                alike(&format!("({{0}} {test})"), &[self.of(ty, depth)])
            }
            11 => {
                let test = *self.random.choose(&[
                    "is true",
                    "is false",
                    "is not true",
                    "is not false",
                    "is unknown",
                    "is not unknown",
                ]);
                alike(&format!("({{0}} {test})"), &[self.of(Type::Bool, depth)])
            }
            12 => {
                let ty = *self.random.choose(&[Type::Int, Type::Text, Type::Bool, Type::Date, Type::Time]);
                let test = *self.random.choose(&["is distinct from", "is not distinct from"]);
                alike(&format!("({{0}} {test} {{1}})"), &[self.of(ty, depth), self.of(ty, depth)])
            }
            13 => {
                let ty = *self.random.choose(&[Type::Int, Type::Text, Type::Date, Type::Decimal]);
                let test = *self.random.choose(&["between", "not between"]);
                alike(&format!("({{0}} {test} {{1}} and {{2}})"), &[self.of(ty, depth), self.leaf(ty), self.leaf(ty)])
            }
            14 | 15 => self.in_list(depth),
            16 => alike("cast({0} as boolean)", &[self.of(Type::Int, depth)]),
            17 => alike("try_cast({0} as boolean)", &[self.leaf(Type::Text)]),
            _ => self.condition_of_text(depth),
        }
    }

    fn comparison(&mut self, depth: usize) -> Pair {
        let sign = *self.random.choose(&["=", "<>", "<", "<=", ">", ">="]);
        let pattern = format!("({{0}} {sign} {{1}})");
        match self.random.below(8) {
            // In DataFusion -0.0 does not equal 0.0, and a NaN may be smaller than every number.
            0 => {
                let clean = |at: usize| {
                    format!(
                        "(case when abs({{{at}}}) = 0.0 then 0.0 when isnan({{{at}}}) then cast('NaN' as double) else {{{at}}} end)"
                    )
                };
                let theirs = format!("({} {sign} {})", clean(0), clean(1));
                form(&pattern, &theirs, &[self.of(Type::Float, depth), self.leaf(Type::Float)])
            }
            1 => alike(&pattern, &[self.of(Type::Text, depth), self.of(Type::Text, depth)]),
            2 => alike(&pattern, &[self.of(Type::Date, depth), self.of(Type::Date, depth)]),
            3 => alike(&pattern, &[self.of(Type::Time, depth), self.of(Type::Time, depth)]),
            4 => alike(&pattern, &[self.of(Type::Decimal, depth), self.of(Type::Decimal, depth)]),
            5 => alike(&pattern, &[self.of(Type::Bool, depth), self.of(Type::Bool, depth)]),
            6 => alike(&pattern, &[self.of(Type::Date, depth), same("'2013-06-01'")]),
            _ => alike(&pattern, &[self.of(Type::Int, depth), self.of(Type::Int, depth)]),
        }
    }

    fn in_list(&mut self, depth: usize) -> Pair {
        let test = *self.random.choose(&["in", "not in"]);
        let (ty, mut items): (Type, Vec<String>) = match self.random.below(3) {
            0 => (Type::Int, (0..1 + self.random.below(14)).map(|_| self.random.range(-9, 20).to_string()).collect()),
            1 => (
                Type::Text,
                (0..1 + self.random.below(14))
                    .map(|_| format!("'{}'", self.random.choose(&["EWR", "jfk", "a", "abc", "", "日本語"])))
                    .collect(),
            ),
            _ => (
                Type::Date,
                (0..1 + self.random.below(4)).map(|_| format!("date '2013-0{}-05'", self.random.range(1, 9))).collect(),
            ),
        };
        if self.random.once_in(4) {
            items.push("null".to_owned());
        }
        alike(&format!("({{0}} {test} ({}))", items.join(", ")), &[self.of(ty, depth)])
    }
}
