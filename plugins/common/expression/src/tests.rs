#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use sluicebox_stage::{Batch, DataType, Field, Schema, testing::batch};

use crate::{Expression, functions, functions_markdown};

fn one_row() -> Batch {
    batch! { "x" => [1i64] }
}

/// Whether a condition without columns holds.
fn holds(text: &str) -> bool {
    let batch = one_row();
    let expression = Expression::plan_condition(text, batch.schema()).unwrap_or_else(|error| panic!("{text}: {error}"));
    expression.evaluate_mask(&batch).unwrap_or_else(|fault| panic!("{text}: {fault}")).get(0)
}

#[test]
fn the_table_holds_what_its_examples_say() {
    let mut names: Vec<&str> = Vec::new();
    for function in functions() {
        let (example, answer) = function.example;
        assert!(holds(&format!("({example}) is not distinct from ({answer})")), "{example} = {answer}");
        let called = example.contains(&format!("{}(", function.names[0]));
        assert!(called, "the example of {} shows it", function.names[0]);
        assert!(function.signature.starts_with(function.names[0]), "{}", function.signature);
        assert!(function.summary.len() > 4 && function.summary.contains('.'), "{}", function.signature);
        names.extend(function.names);
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "no name twice");
    assert!(functions_markdown().lines().count() > names.len() / 2);
}

#[test]
fn the_speed_of_flights_is_a_float() {
    let batch = batch! { "distance" => [1400i64, 2133], "air_time" => [Some(227i64), None] };
    let speed = Expression::plan("distance / air_time * 60", batch.schema()).unwrap();
    let column = speed.evaluate(&batch).unwrap();
    assert_eq!(column.as_f64().unwrap()[0], 1400.0 / 227.0 * 60.0);
    assert!(column.is_null(1));
    assert_eq!(speed.data_type(), DataType::Float64);
}

fn error(text: &str) -> String {
    let zone = Field::timestamp_in("time", "America/New_York");
    let schema = Schema::new([
        Field::new("distance", DataType::Int64),
        Field::new("dest", DataType::Utf8),
        Field::new("day", DataType::Date32),
        zone,
        Field::new("Week", DataType::Int8),
        Field::new("tags", DataType::Other).with_detail("List(Utf8)"),
    ]);
    match Expression::plan(text, &schema) {
        Ok(_) => panic!("{text} is fine"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_show_the_place() {
    for (text, message) in [
        ("", "the expression is empty"),
        (
            "distance / upper(dest)",
            "`/` takes numbers, this is utf8\n  distance / upper(dest)\n             ^^^^^^^^^^\nhelp: write cast(... as float64), or try_cast to get null where the text does not fit",
        ),
        ("distence > 5", "there is no column `distence`\n  distence > 5\n  ^^^^^^^^\nhelp: did you mean distance?"),
        (
            "dest = \"EWR\"",
            "there is no column `EWR`\n  dest = \"EWR\"\n         ^^^^^\nhelp: the columns are distance, dest, day, time, Week, tags; text is written in single quotes: 'EWR'",
        ),
        ("uper(dest)", "there is no function `uper`\n  uper(dest)\n  ^^^^\nhelp: did you mean upper?"),
        (
            "sum(distance)",
            "`sum` would look at many rows; an expression sees one row at a time\n  sum(distance)\n  ^^^",
        ),
        (
            "day < current_date",
            "`current_date` is not known here: the same input gives the same output\n  day < current_date\n        ^^^^^^^^^^^^\nhelp: write the time as a literal; the pipeline file can take one from its environment: ${env:NAME}",
        ),
        ("upper(dest, 1)", "`upper` takes 1 argument, not 2\n  upper(dest, 1)\n  ^^^^^\nhelp: upper(text) -> utf8"),
        (
            "day >= '2013-02-30'",
            "'2013-02-30' is not date32; try_cast makes it null\n  day >= '2013-02-30'\n         ^^^^^^^^^^^^",
        ),
        (
            "distance = dest",
            "`=` cannot compare int64 with utf8\n  distance = dest\n  ^^^^^^^^^^^^^^^\nhelp: cast one side: cast(... as int64)",
        ),
        (
            "hour(time)",
            "the offset of America/New_York changes over the year, and the parts of a time with it\n  hour(time)\n       ^^^^\nhelp: only UTC and fixed offsets such as +01:00 are known here: cast(... as timestamptz) gives UTC",
        ),
        (
            "regexp_like(dest, '(')",
            "the regular expression '(' cannot be read: unclosed group\n  regexp_like(dest, '(')\n                    ^^^",
        ),
        (
            "tags",
            "columns of type List(Utf8) can only be passed on\n  tags\n  ^^^^\nhelp: `keep` and `rename` pass columns on",
        ),
        (
            "tags = 'a'",
            "`=` cannot compare List(Utf8) with utf8\n  tags = 'a'\n  ^^^^^^^^^^\nhelp: columns of type List(Utf8) can only be passed on",
        ),
        (
            "flights.dest",
            "there is no column `flights.dest`\n  flights.dest\n  ^^^^^^^^^^^^\nhelp: columns have no table in front: write dest",
        ),
        (
            "distance as d",
            "the expression ends before this\n  distance as d\n           ^^\nhelp: the name of a column stands on the left: columns = { name = \"expression\" }",
        ),
        (
            "cast(dest as int4)",
            "int2 and int4 are no types here: write int16 or int32, named by their bits\n  cast(dest as int4)\n       ^^^^\nhelp: the types are boolean, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, decimal(precision, scale), utf8, binary, date, timestamp and timestamptz; also smallint, int, bigint, real, double, text, varchar",
        ),
        (
            "day + interval '1 fortnight'",
            "this is not an interval\n  day + interval '1 fortnight'\n                 ^^^^^^^^^^^^^\nhelp: write interval '1 day', interval '2 hours 30 minutes' or interval 3 month",
        ),
        (
            "9223372036854775807 + 1",
            "9223372036854775807 + 1 does not fit in int64\n  9223372036854775807 + 1\n  ^^^^^^^^^^^^^^^^^^^^^^^",
        ),
        ("(select 1)", "there are no queries within an expression"),
        ("distance >", "here is expected: an expression, found the end"),
        (
            "dest like 'a'\n  and distance",
            "`and` takes booleans, this is int64 (line 2)\n    and distance\n        ^^^^^^^^\nhelp: write a comparison, as in x <> 0",
        ),
    ] {
        let shown = error(text);
        assert!(
            shown == message || (shown.starts_with(message) && !message.contains('\n')),
            "{text}\n{shown}\n---\n{message}"
        );
    }
}

#[test]
fn names_are_found_in_any_case_unless_quoted() {
    let batch = batch! { "Dest" => ["a"], "time_hour" => [1i64], "a b" => [2i64], "x" => [3i64], "X" => [4i64] };
    let value =
        |text: &str| Expression::plan(text, batch.schema()).map(|e| e.evaluate(&batch).unwrap().as_i64().map(|v| v[0]));
    assert_eq!(value("TIME_HOUR").unwrap(), Some(1));
    assert_eq!(value("\"a b\"").unwrap(), Some(2));
    assert_eq!(value("x").unwrap(), Some(3));
    assert_eq!(value("X").unwrap(), Some(4));
    assert!(value("dest").is_ok() && value("\"dest\"").is_err());
    for name in [
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "flight",
        "date",
        "left",
        "time",
        "timestamp",
        "first",
        "value",
        "key",
        "name",
        "type",
        "position",
        "count",
    ] {
        let schema = Schema::new([Field::new(name, DataType::Int64)]);
        assert!(Expression::plan(&format!("{name} + 1"), &schema).is_ok(), "{name}");
    }
}

#[test]
fn hostile_texts_are_refused_and_not_followed() {
    let deep = |open: &str, inner: &str, close: &str, levels: usize| {
        format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    for text in [
        deep("(", "1", ")", 100_000),
        deep("not ", "true", "", 100_000),
        deep("- ", "1", "", 3000),
        deep("abs(", "1", ")", 1000),
        deep("case when true then ", "1", " end", 900),
        deep("case ", "1", " when 1 then 1 when 2 then 2 end", 300),
        deep("", "x", " + x", 1900),
        deep("", "x", " is null", 1900),
        deep("", "x", "::int", 1900),
        deep("", "x", "[1]", 1300),
        "x +".repeat(500_000),
        "'".repeat(1001),
        "/*".repeat(1000),
        "x in (".repeat(500),
        "case when ".repeat(500),
        "\u{0}".to_owned(),
        "🦀".to_owned(),
    ] {
        let shown = match Expression::plan(&text, one_row().schema()) {
            Ok(_) => panic!("{} is fine", &text[..40]),
            Err(error) => error.to_string(),
        };
        assert!(shown.len() < 900, "{shown}");
    }
    // Long but flat is fine.
    for text in [
        format!("x = 0{}", " or x = 1".repeat(900)),
        format!("x in (0{})", ", 1".repeat(50_000)),
        format!("'a'{}", " || 'b'".repeat(1500)),
    ] {
        assert!(Expression::plan(&text, one_row().schema()).is_ok());
    }
}

#[test]
fn a_case_looks_only_at_the_rows_that_it_needs() {
    let batch = batch! { "text" => [Some("1"), Some(""), None, Some("x")], "n" => [1i64, 2, 3, i64::MAX] };
    let evaluate = |text: &str| Expression::plan(text, batch.schema()).unwrap().evaluate(&batch);
    assert!(evaluate("cast(text as int64)").is_err());
    let guarded = evaluate("case when text ~ '^[0-9]+$' then cast(text as int64) end").unwrap();
    assert_eq!((guarded.as_i64().unwrap()[0], guarded.null_count()), (1, 3));
    let fault = evaluate("n + 1").unwrap_err();
    assert_eq!(fault.row, Some(3));
    assert!(evaluate("n < 3 and n + 1 > 0").is_ok());
    assert!(evaluate("n > 3 or n + 1 > 0").is_ok());
    assert!(evaluate("coalesce(n, n + 1)").is_ok());
    assert!(evaluate("if(n < 100, n + 1, n)").is_ok());
}

#[test]
fn the_page_of_functions_is_up_to_date() {
    let page = format!(
        "# Functions of expressions\n\n<!-- Made from the table in the code; `UPDATE_README=1 cargo test -p sluicebox-expression` writes it again. -->\n\n{}",
        functions_markdown().trim_end()
    ) + "\n";
    let path = format!("{}/FUNCTIONS.md", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "FUNCTIONS.md is out of date; run UPDATE_README=1 cargo test -p sluicebox-expression");
}

#[test]
fn what_expressions_mean() {
    let wrong = [
        // numbers
        "7 / 2 = 3.5",
        "7 // 2 = 3 and -7 // 2 = -3 and 7 % -3 = 1",
        "1 / 0 is null and 1.0 / 0 is null and 1 // 0 is null and 1 % 0 is null and mod(1, 0) is null",
        "2 + 3 * 4 = 14 and (2 + 3) * 4 = 20 and -2 + 5 = 3",
        "-9223372036854775808 < 0",
        "9223372036854775808 > 9223372036854775807",
        "sqrt(-1) = sqrt(-1) and sqrt(-1) > 1e308 and -0.0 = 0.0",
        "cast(2.9 as int64) = 2 and cast(-2.9 as int64) = -2",
        "try_cast(300 as int8) is null and try_cast('x' as date) is null",
        "cast('1.255' as decimal(10, 2)) = '1.26'",
        "cast('1.10' as decimal(10, 2)) + cast('2.205' as decimal(10, 3)) = '3.305'",
        "cast('1.10' as decimal(4, 2)) * 3 = '3.30'",
        "round(cast('-2.345' as decimal(10, 3)), 2) = '-2.35' and floor(cast('-2.3' as decimal(4, 1))) = -3",
        "ceil(cast('2.1' as decimal(4, 1))) = 3 and trunc(cast('-2.9' as decimal(4, 1))) = -2",
        "round(1250, -2) = 1300 and round(-2.5) = -3.0 and round(1e300, 5) = 1e300 and round(5.0, -400) = 0",
        "6 & 3 = 2",
        "6 | 3 = 7",
        "null + 1 is null and (null > 1) is null",
        // logic
        "(null and false) = false and (null or true) = true and (null and true) is null and not (1 = 2)",
        "null is not distinct from null and 1 is distinct from null",
        "(1 in (2, null)) is null and 1 in (1, null) and (1 not in (2, null)) is null and x in (1, 2)",
        "x between 1 and 2 and x not between 2 and 3 and (x between null and 0) = false",
        "(1 = 1) is true and (null = 1) is unknown and (1 = 2) is not true",
        "case x when 1 then 'one' when 2 then 'two' end = 'one'",
        "case when null then 1 else 2 end = 2",
        "case when x = 2 then 1 end is null",
        "nullif(x, 1) is null and nullif(x, 2) = 1",
        // text
        "'it''s' = concat('it', chr(39), 's')",
        "'10$%' like '10$$$%' escape '$' and '10%' like '10\\%' and not '10x' like '10\\%'",
        "'ÉCOLE' ilike 'éc%' and 'abc' not like 'b%'",
        "'abc' ~ '^a' and 'ABC' ~* '^a' and 'abc' !~ '^b' and 'abc' !~* '^B'",
        "regexp_match('flight UA1545', '([A-Z]+)(\\d+)') = 'UA' and regexp_match('abc', 'x') is null and regexp_match('abc', 'b') = 'b'",
        "'a' || 1 || true = 'a1true' and ('a' || null) is null",
        "substring('flight' from 3) = 'ight' and substring('flight', 0, 3) = 'fl'",
        "trim(leading 'x' from 'xxa') = 'a' and trim(both ' ' from ' a ') = 'a'",
        "position('li' in 'flight') = 2",
        "cast(X'4142' as utf8) = 'AB' and octet_length(X'00ff') = 2",
        "cast(1.0 as utf8) = '1.0' and cast(0.1 as utf8) = '0.1' and cast(true as utf8) = 'true'",
        "cast(' 12 ' as int64) = 12 and '12'::int = 12",
        // times
        "date '2013-01-31' + interval '1 month' = '2013-02-28' and date '2013-01-31' + 1 = date '2013-02-01'",
        "date '2013-03-01' - date '2013-02-01' = 28 and date '2013-03-01' - 1 = date '2013-02-28'",
        "date '2013-01-01' + interval '1 hour' = timestamp '2013-01-01 01:00:00'",
        "interval '2' day + date '2013-01-01' = date '2013-01-03' and date '2013-01-03' - interval 2 day = date '2013-01-01'",
        "timestamp '2013-01-01 00:00:00' - interval '1 day 02:30:00' = timestamp '2012-12-30 21:30:00'",
        "timestamptz '2013-01-01 00:00:00+01:00' = timestamptz '2012-12-31 23:00:00'",
        "cast(timestamptz '2013-01-01 12:00:00Z' as utf8) = '2013-01-01T12:00:00Z'",
        "extract(dow from date '2013-01-06') = 0 and extract(isodow from date '2013-01-06') = 7",
        "date_part('epoch', timestamp '1970-01-01 00:00:01.5') = 1.5",
        "to_timestamp(86400) = timestamp '1970-01-02 00:00:00' and to_timestamp(1.5) = timestamp '1970-01-01 00:00:01.5'",
        "to_timestamp('05/Jan/2013:06:30:00 -0500', '%d/%b/%Y:%H:%M:%S %z') = timestamp '2013-01-05 11:30:00'",
        "date_diff('month', date '2013-01-31', date '2013-03-01') = 2 and date_diff('hour', timestamp '2013-01-01 01:59:59', timestamp '2013-01-01 02:00:00') = 1",
        "date_trunc('week', date '2013-01-06') = date '2012-12-31'",
        "to_char(timestamp '2013-01-05 16:05:09', '%I:%M %p, day %j') = '04:05 PM, day 005'",
        "date '2013-01-05' > '2013-01-04' and '2013-01-05' = date '2013-01-05'",
        "greatest(date '2013-01-05', date '2013-01-06') = date '2013-01-06' and least('b', 'a') = 'a'",
    ];
    let wrong: Vec<_> =
        wrong.into_iter().filter(|text| !std::panic::catch_unwind(|| holds(text)).unwrap_or(false)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_condition_says_what_holds_fails_and_is_unknown() {
    let batch = batch! { "n" => [Some(1i64), Some(5), None] };
    let truth = Expression::plan_condition("n > 2", batch.schema()).unwrap().evaluate_truth(&batch).unwrap();
    let list = |mask: sluicebox_stage::Mask| mask.iter().collect::<Vec<_>>();
    assert_eq!(list(truth.holds), [false, true, false]);
    assert_eq!(list(truth.fails), [true, false, false]);
    assert_eq!(list(truth.unknown), [false, false, true]);
    assert!(Expression::plan_condition("n", batch.schema()).is_err());
}

#[test]
fn columns_of_every_width_are_read_and_made() {
    let batch = batch! {
        "a" => [1i8, -1], "b" => [2i16, -2], "c" => [3i32, -3], "d" => [4u8, 200], "e" => [5u16, 6], "f" => [6u32, 7],
        "g" => [u64::MAX, 1], "h" => [1.5f32, -0.25], "i" => [true, false],
    };
    let show = |text: &str| {
        let expression = Expression::plan(text, batch.schema()).unwrap_or_else(|error| panic!("{text}: {error}"));
        let utf8 = Expression::plan(&format!("cast({text} as utf8)"), batch.schema()).unwrap();
        let column = utf8.evaluate(&batch).map_err(|fault| fault.message);
        let texts = column.map(|column| {
            (0..2).map(|row| column.strs().unwrap().get(row).unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        });
        (expression.data_type().name(), texts.unwrap_or_else(|message| message))
    };
    for (text, ty, texts) in [
        ("a", "int8", "1 -1"),
        ("a + b", "int64", "3 -3"),
        ("c", "int32", "3 -3"),
        ("if(i, c, 7)", "int64", "3 7"),
        ("if(i, a, b)", "int16", "1 -2"),
        ("if(i, d, a)", "int16", "4 -1"),
        ("g", "uint64", "18446744073709551615 1"),
        ("g + 1", "int64", "18446744073709551615 does not fit in int64; try_cast makes it null"),
        ("coalesce(g, a)", "decimal128", "18446744073709551615 1"),
        ("h", "float32", "1.5 -0.25"),
        ("h * 2", "float64", "3.0 -0.5"),
        ("cast(f as decimal(12, 2))", "decimal128", "6.00 7.00"),
        ("cast(d as int8)", "int8", "200 does not fit in int8; try_cast makes it null"),
        ("greatest(a, b)", "int64", "2 -1"),
        ("-d", "int64", "-4 -200"),
    ] {
        assert_eq!(show(text), (ty, texts.to_owned()), "{text}");
    }
    for text in ["g > a", "c in (3, -3)", "h < 2", "a = 1 or a = -1", "e between d and 10 or d > 100", "a is not null"]
    {
        let truth = Expression::plan_condition(text, batch.schema()).unwrap().evaluate_truth(&batch).unwrap();
        assert!(truth.holds.any(), "{text}");
    }
}
