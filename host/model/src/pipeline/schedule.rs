//! The `[schedule]` table: when a pipeline runs by itself. Kept as it is written; whether a cron text or a time zone
//! means something is for who knows the calendar.

use super::read::{Problems, Table, Value, quote, text, wrong_type};
use super::{Problem, units};
use serde::Serialize;
use std::ops::Range;
use std::time::Duration;
use toml::de::DeValue;

/// When a pipeline runs by itself: at times, after other pipelines, or when files arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Schedule {
    /// Five fields as in crontab each, or a nickname such as `@daily`.
    pub cron: Vec<Written>,
    /// One run in every such time.
    pub every: Option<Duration>,
    /// An IANA name, e.g. `America/New_York`.
    pub timezone: Written,
    /// What becomes of intervals that were missed.
    pub catch_up: CatchUp,
    /// How far back missed intervals are made up for.
    pub catch_up_window: Duration,
    /// What becomes of a run that is due while the one before is under way.
    pub overlap: Overlap,
    /// Runs begin up to so much later, each pipeline by an amount of its own, so that not all begin at once.
    pub jitter: Duration,
    /// How long after its time a run has to have ended; one that has not is told, and goes on.
    pub deadline: Option<Duration>,
    /// After so many failed runs in a row it is paused.
    pub pause_after: Option<u32>,
    /// The pipelines whose runs it follows.
    pub after: Vec<After>,
    /// The files whose arrival starts it.
    pub when: Option<FileTrigger>,
    /// Where its parts stand in the text.
    #[serde(skip)]
    pub spans: ScheduleSpans,
}

impl Schedule {
    /// Whether it runs at times.
    pub fn is_timed(&self) -> bool {
        !self.cron.is_empty() || self.every.is_some()
    }

    /// The names of the pipelines that it follows, each once.
    pub fn upstream(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.after.iter().flat_map(|after| &after.pipelines) {
            if !names.contains(&name.text.as_str()) {
                names.push(&name.text);
            }
        }
        names
    }
}

/// A text with its place in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Written {
    /// The text.
    pub text: String,
    /// Its place, in bytes.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// Pipelines whose runs for an interval have to be there before a run for that interval begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct After {
    /// Their names: all of them.
    pub pipelines: Vec<Written>,
    /// How their runs have to have ended.
    pub on: AfterOn,
    /// How long after the first of them has ended the others are waited for; none: for ever.
    pub within: Option<Duration>,
}

/// How the runs that a pipeline follows have to have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterOn {
    /// Well.
    #[default]
    Success,
    /// In any way.
    Any,
}

/// Files whose arrival starts a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileTrigger {
    /// A path or pattern, from the folder of the pipeline file.
    pub file: Written,
    /// How long the files have to have stayed as they are.
    pub settled: Duration,
}

/// Byte ranges of a schedule's parts in the text of the file; what is not there has the range of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduleSpans {
    /// The table.
    pub table: Range<usize>,
    /// The value of `every`.
    pub every: Range<usize>,
}

/// What becomes of intervals that were missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CatchUp {
    /// They are left out.
    None,
    /// Only the latest runs.
    #[default]
    Latest,
    /// Each runs, in order.
    All,
}

/// What becomes of a run that is due while the one before is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// It is left out.
    #[default]
    Skip,
    /// It waits.
    Queue,
    /// The one under way is cancelled.
    Cancel,
}

const KEYS: [&str; 11] = [
    "cron",
    "every",
    "timezone",
    "catch-up",
    "catch-up-window",
    "overlap",
    "jitter",
    "deadline",
    "pause-after",
    "after",
    "when",
];

/// A week.
const CATCH_UP_WINDOW: Duration = Duration::from_secs(7 * 86_400);

/// How long files have to have stayed as they are unless the pipeline says otherwise.
const SETTLED: Duration = Duration::from_secs(30);

/// More often than this is a stream, no schedule.
const EVERY_MIN: Duration = Duration::from_secs(1);

pub(super) fn read(table: &Table<'_>, problems: &mut Problems) -> Option<Schedule> {
    let elsewhere = [
        ("pool", "it goes under `[pipeline]`"),
        ("priority", "it goes under `[pipeline]`"),
        ("retries", "it goes under `[pipeline]`"),
        ("schedule", "did you mean `cron`?"),
        ("interval", "did you mean `every`?"),
        ("file", "write `when = { file = \"in/*.csv\" }`"),
    ];
    table.known_keys(&KEYS, &elsewhere, problems);
    let spans = ScheduleSpans {
        table: table.span.clone(),
        every: table.get("every").map_or_else(|| table.span.clone(), |(_, span)| span),
    };
    let schedule = Schedule {
        cron: one_or_more(table, "cron", "cron = \"30 6 * * *\"", problems),
        every: table.quantity("every", "a duration", every, problems),
        timezone: timezone(table, problems),
        catch_up: {
            let words = [("none", CatchUp::None), ("latest", CatchUp::Latest), ("all", CatchUp::All)];
            table.choice("catch-up", &words, problems).unwrap_or_default()
        },
        catch_up_window: some_time(table, "catch-up-window", problems).unwrap_or(CATCH_UP_WINDOW),
        overlap: {
            let words = [("skip", Overlap::Skip), ("queue", Overlap::Queue), ("cancel", Overlap::Cancel)];
            table.choice("overlap", &words, problems).unwrap_or_default()
        },
        jitter: table.quantity("jitter", "a duration", units::duration, problems).unwrap_or_default(),
        deadline: some_time(table, "deadline", problems),
        pause_after: table.whole("pause-after", 1, 1000, problems),
        after: afters(table, problems),
        when: when(table, problems),
        spans,
    };
    let names_a_cause = ["cron", "every", "after", "when"].iter().any(|key| table.get(key).is_some());
    if !names_a_cause {
        let help = "add `cron = \"30 6 * * *\"`, `every = \"15m\"`, `after = [\"other-pipeline\"]` or `when = { file = \
                    \"in/*.csv\" }`";
        problems.push(Problem::error(table.span.clone(), "`[schedule]` says nothing of when to run").help(help));
    }
    if schedule.is_timed()
        && let Some((_, span)) = table.get("after")
    {
        let message = "a pipeline runs either at times or after others: `after` does not go with `cron` or `every`";
        let help = "take one of them out; a pipeline with `after` runs for the interval of the run that it follows";
        problems.push(Problem::error(span, message).help(help));
    }
    if names_a_cause && !schedule.is_timed() {
        without_times(table, problems);
    }
    Some(schedule)
}

/// What says something of times, and means nothing without them.
fn without_times(table: &Table<'_>, problems: &mut Problems) {
    for key in ["timezone", "catch-up", "catch-up-window", "overlap", "jitter"] {
        if let Some((_, span)) = table.get(key) {
            let message = format!("{} means nothing without `cron` or `every`", table.of(key));
            let help = "take it out: one run of a pipeline is under way at a time, and every interval or set of files that is \
                        due has its run";
            problems.push(Problem::warning(span, message).help(help));
        }
    }
}

fn every(text: &str) -> Result<Duration, String> {
    match units::duration(text)? {
        time if time < EVERY_MIN => Err("at most once in a second: write e.g. \"15m\"".to_owned()),
        time => Ok(time),
    }
}

fn some_time(table: &Table<'_>, key: &str, problems: &mut Problems) -> Option<Duration> {
    let some = |text: &str| match units::duration(text)? {
        time if time.is_zero() => Err("it has to be more than nothing".to_owned()),
        time => Ok(time),
    };
    table.quantity(key, "a duration", some, problems)
}

/// A text or a list of texts, none of them empty.
fn one_or_more(table: &Table<'_>, key: &str, example: &str, problems: &mut Problems) -> Vec<Written> {
    let Some((value, span)) = table.get(key) else { return Vec::new() };
    let items: Vec<Value<'_>> = match value {
        DeValue::Array(items) => items.iter().map(|item| (item.get_ref(), item.span())).collect(),
        _ => vec![(value, span.clone())],
    };
    if items.is_empty() {
        problems.push(Problem::error(span, format!("{} is empty", table.of(key))).help(format!("write `{example}`")));
    }
    items.into_iter().filter_map(|item| text(item, &table.of(key), problems)).map(written).collect()
}

fn written((text, span): (String, Range<usize>)) -> Written {
    Written { text, span }
}

fn timezone(table: &Table<'_>, problems: &mut Problems) -> Written {
    let Some((name, span)) = table.text("timezone", problems) else {
        return Written { text: "UTC".to_owned(), span: table.span.clone() };
    };
    if !is_zone(&name) {
        let message = format!("{}: {} is not the name of a time zone", table.of("timezone"), quote(&name));
        let help = "write a name such as \"UTC\" or \"America/New_York\"";
        problems.push(Problem::error(span.clone(), message).help(help));
    }
    Written { text: name, span }
}

/// Whether a text has the form of an IANA name. Whether there is such a zone is for who looks at the clock.
fn is_zone(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.split('/').all(|part| !part.is_empty())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c))
}

const AFTER_HELP: &str = "write `after = [\"other-pipeline\"]`, or `after = { pipelines = [\"a\", \"b\"], on = \"any\", \
                          within = \"6h\" }`";

fn afters(table: &Table<'_>, problems: &mut Problems) -> Vec<After> {
    let Some((value, span)) = table.get("after") else { return Vec::new() };
    let what = table.of("after");
    match value {
        DeValue::Array(items) if !items.is_empty() => {
            let values = items.iter().map(|item| (item.get_ref(), item.span()));
            let item = format!("an item of {what}");
            let pipelines: Vec<Written> =
                values.filter_map(|value| text(value, &item, problems)).map(written).collect();
            vec![After { pipelines, on: AfterOn::Success, within: None }]
        }
        DeValue::Table(_) => {
            let Some(table) = table.table("after", problems) else { return Vec::new() };
            table.known_keys(&["pipelines", "on", "within"], &[], problems);
            table.needed("pipelines", "`pipelines = [\"other-pipeline\"]`", problems);
            let pipelines: Vec<Written> = table.texts("pipelines", problems).into_iter().map(written).collect();
            if pipelines.is_empty() && table.get("pipelines").is_some() {
                problems.push(Problem::error(span, format!("{what} names no pipeline")).help(AFTER_HELP));
            }
            let on = table.choice("on", &[("success", AfterOn::Success), ("any", AfterOn::Any)], problems);
            let within = some_time(&table, "within", problems);
            vec![After { pipelines, on: on.unwrap_or_default(), within }]
        }
        DeValue::Array(_) => {
            problems.push(Problem::error(span, format!("{what} names no pipeline")).help(AFTER_HELP));
            Vec::new()
        }
        other => {
            problems.push(wrong_type(other, span, &what, "a list of names, or a table", AFTER_HELP));
            Vec::new()
        }
    }
}

fn when(table: &Table<'_>, problems: &mut Problems) -> Option<FileTrigger> {
    let (value, span) = table.get("when")?;
    let DeValue::Table(_) = value else {
        let help = "write `when = { file = \"in/*.csv\", settled = \"30s\" }`";
        problems.push(wrong_type(value, span, &table.of("when"), "a table", help));
        return None;
    };
    let table = table.table("when", problems)?;
    table.known_keys(&["file", "settled"], &[("files", "did you mean `file`? It may be a pattern")], problems);
    let file = table.needed_text("file", "`file = \"in/*.csv\"`", problems).map(written)?;
    if file.text.is_empty() {
        let help = "write a path or a pattern from the folder of the pipeline file, e.g. \"in/*.csv\"";
        problems.push(Problem::error(file.span.clone(), format!("{} is empty", table.of("file"))).help(help));
    }
    let settled = table.quantity("settled", "a duration", units::duration, problems).unwrap_or(SETTLED);
    Some(FileTrigger { file, settled })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::parse;
    use super::*;

    fn file(schedule: &str) -> String {
        format!("[pipeline]\nname = \"p\"\n[schedule]\n{schedule}\n[[stage]]\nname = \"a\"\nplugin = \"x\"\n")
    }

    fn read(schedule: &str) -> Schedule {
        parse(&file(schedule)).unwrap().schedule.unwrap()
    }

    #[test]
    fn all_of_it_is_read() {
        let all = read(
            "cron = [\"30 6 * * *\", \"@hourly\"]\nevery = \"15m\"\ntimezone = \"Europe/Berlin\"\ncatch-up = \"all\"\n\
             catch-up-window = \"2d\"\noverlap = \"queue\"\njitter = \"30s\"\ndeadline = \"2h\"\npause-after = 5\n\
             when = { file = \"in/*.csv\", settled = \"5s\" }",
        );
        let crons: Vec<&str> = all.cron.iter().map(|cron| cron.text.as_str()).collect();
        assert_eq!(crons, ["30 6 * * *", "@hourly"]);
        let seconds = Duration::from_secs;
        assert_eq!((all.every, all.catch_up_window), (Some(seconds(900)), seconds(2 * 86_400)));
        assert_eq!((all.catch_up, all.overlap), (CatchUp::All, Overlap::Queue));
        assert_eq!((all.jitter, all.deadline, all.pause_after), (seconds(30), Some(seconds(7200)), Some(5)));
        let when = all.when.unwrap();
        assert_eq!((when.file.text.as_str(), when.settled), ("in/*.csv", seconds(5)));

        let short = read("cron = \"@daily\"");
        assert_eq!((short.timezone.text.as_str(), short.catch_up_window), ("UTC", CATCH_UP_WINDOW));
        assert!(short.is_timed() && short.after.is_empty());
    }

    #[test]
    fn dependencies_are_read() {
        let short = read("after = [\"a\", \"b\"]");
        assert_eq!(short.upstream(), ["a", "b"]);
        assert_eq!((short.after[0].on, short.after[0].within), (AfterOn::Success, None));
        let long = read("after = { pipelines = [\"a\"], on = \"any\", within = \"6h\" }");
        assert_eq!((long.after[0].on, long.after[0].within), (AfterOn::Any, Some(Duration::from_secs(6 * 3600))));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, told) in [
            ("", "`[schedule]` says nothing of when to run"),
            ("cron = 5", "`cron` of `[schedule]` has to be a text"),
            ("cron = []", "`cron` of `[schedule]` is empty"),
            ("every = \"10ms\"", "`every` of `[schedule]`: \"10ms\" is not a duration"),
            ("every = \"often\"", "`every` of `[schedule]`: \"often\" is not a duration"),
            ("cron = \"@daily\"\ntimezone = \"no zone\"", "`timezone` of `[schedule]`: \"no zone\" is not the name of"),
            ("cron = \"@daily\"\noverlap = \"wait\"", "`overlap` of `[schedule]` cannot be \"wait\""),
            ("cron = \"@daily\"\npause-after = 0", "`pause-after` of `[schedule]` cannot be 0"),
            ("cron = \"@daily\"\npool = \"a\"", "unknown key `pool` in `[schedule]`"),
            ("cron = \"@daily\"\nafter = [\"a\"]", "a pipeline runs either at times or after others"),
            ("after = []", "`after` of `[schedule]` names no pipeline"),
            ("after = \"a\"", "`after` of `[schedule]` has to be a list of names, or a table"),
            ("after = { on = \"any\" }", "`[schedule]` has no `after.pipelines`"),
            ("after = { pipelines = [\"a\"], on = \"failure\" }", "`after.on` of `[schedule]` cannot be \"failure\""),
            ("when = \"in/*.csv\"", "`when` of `[schedule]` has to be a table"),
            ("when = { settled = \"1s\" }", "`[schedule]` has no `when.file`"),
            ("when = { file = \"\" }", "`when.file` of `[schedule]` is empty"),
        ] {
            let problems = parse(&file(text)).unwrap_err();
            assert!(problems.iter().any(|problem| problem.message.starts_with(told)), "{text}: {problems:?}");
            assert!(problems.iter().all(|problem| problem.help.is_some()), "{text}");
        }
    }
}
