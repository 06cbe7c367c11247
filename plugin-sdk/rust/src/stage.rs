//! One trait for each kind of stage.

use crate::{Batch, Fault, Mask, Schema};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// Why and for when this run runs. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The run's id.
    pub run_id: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The stage's name.
    pub stage: String,
    /// Counted from 1.
    pub attempt: u32,
    /// Where the data interval starts, included.
    pub interval_start: String,
    /// Where the data interval ends, excluded.
    pub interval_end: String,
}

/// What a stage without options names as its [`Options`](Transform::Options).
#[derive(Clone, Copy, Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "No options.")]
pub struct NoOptions {}

/// Makes batches from something outside.
pub trait Extract: Sized + 'static {
    /// The stage's options; doc comments of its fields become their documentation.
    type Options: DeserializeOwned + JsonSchema;

    /// Opens the source and answers with the schema of every page. `bookmark` is that of the last run that committed.
    /// Also called to check a pipeline before it runs, so it changes nothing outside.
    ///
    /// # Errors
    /// Where the source cannot be read as the options say.
    fn open(context: &Context, options: Self::Options, bookmark: Option<&str>) -> Result<(Self, Schema), Fault>;

    /// The next page, or none at the end. A page of 8,192 to 65,536 rows is a good size.
    ///
    /// # Errors
    /// Where the source cannot be read on.
    fn next(&mut self) -> Result<Option<Page>, Fault>;
}

/// An extract whose work can be split over instances.
pub trait SplitExtract: Extract {
    /// Called instead of [`Extract::open`], on an instance that makes no pages.
    ///
    /// # Errors
    /// Where the source cannot be read as the options say.
    fn split(context: &Context, options: Self::Options, bookmark: Option<&str>, at_most: u32) -> Result<Plan, Fault>;

    /// Opens one split; [`Extract::next`] then gives its pages.
    ///
    /// # Errors
    /// Where the split cannot be read.
    fn open_split(context: &Context, options: Self::Options, split: &str) -> Result<(Self, Schema), Fault>;
}

/// A batch that an extract made.
#[derive(Debug)]
pub struct Page {
    /// Fits the schema that `open` answered with.
    pub batch: Batch,
    /// Where to resume after this page; kept only once every load of the run has committed.
    pub bookmark: Option<String>,
    /// How much of the work is done, 0 to 1, where it is known.
    pub progress: Option<f32>,
}

impl Page {
    /// A page without bookmark or progress.
    pub fn new(batch: Batch) -> Self {
        Self { batch, bookmark: None, progress: None }
    }

    /// The same with a bookmark.
    #[must_use]
    pub fn with_bookmark(mut self, bookmark: impl Into<String>) -> Self {
        self.bookmark = Some(bookmark.into());
        self
    }

    /// The same with how much of the work is done, 0 to 1.
    #[must_use]
    pub fn with_progress(mut self, progress: f32) -> Self {
        self.progress = Some(progress);
        self
    }
}

/// How the work of an extract is split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The schema of every page of every split.
    pub schema: Schema,
    /// Opaque, each given to `open_split` on an instance of its own; the rows of the extract are those of the splits,
    /// one after another.
    pub splits: Vec<String>,
    /// Where the next run is to resume.
    pub bookmark: Option<String>,
}

/// Where a transform's batches come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The stage that it comes from.
    pub name: String,
    /// The schema of its batches.
    pub schema: Schema,
}

/// Turns batches into batches.
pub trait Transform: Sized + 'static {
    /// The stage's options; doc comments of its fields become their documentation.
    type Options: DeserializeOwned + JsonSchema;

    /// Answers with the schema of what comes out. Also called without data to check a pipeline before it runs.
    ///
    /// # Errors
    /// Where the options do not fit the inputs.
    fn open(context: &Context, options: Self::Options, inputs: &[Input]) -> Result<(Self, Schema), Fault>;

    /// A batch of input number `input`, counted from 0. All of the inputs but the first are delivered before the
    /// first. Answers with the batches that go on, each of the schema that `open` answered with.
    ///
    /// # Errors
    /// Where the batch cannot be worked on.
    fn process(&mut self, input: usize, batch: Batch) -> Result<Vec<Batch>, Fault>;

    /// After the last batch; called again until it answers none.
    ///
    /// # Errors
    /// Where what was gathered cannot be made into batches.
    fn finish(&mut self) -> Result<Option<Batch>, Fault> {
        Ok(None)
    }
}

/// What breaking a rule means for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// told in the outcome; the row goes on
    Warn,
    /// the row goes to quarantine
    Reject,
    /// the run fails
    Fail,
}

/// How many rows may break a rule before the run fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// so many rows
    Rows(u64),
    /// 0 to 100, of the rows seen
    PerCent(f64),
}

/// A rule that a validator checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique within the stage.
    pub name: String,
    /// For people, e.g. "dep_delay is not null".
    pub summary: String,
    /// What breaking it means for a row.
    pub severity: Severity,
    /// More rows than this fail the run; none: no bound (warn, reject), no row at all (fail).
    pub at_most: Option<Threshold>,
}

impl Rule {
    /// A rule without a bound.
    pub fn new(name: impl Into<String>, summary: impl Into<String>, severity: Severity) -> Self {
        Self { name: name.into(), summary: summary.into(), severity, at_most: None }
    }

    /// The same with a bound.
    #[must_use]
    pub fn at_most(mut self, threshold: Threshold) -> Self {
        self.at_most = Some(threshold);
        self
    }
}

/// The rows of a batch that break a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Position in the list of rules.
    pub rule: u32,
    /// 1 = breaks it.
    pub rows: Mask,
}

impl Finding {
    /// These rows break the rule at this position.
    pub fn new(rule: usize, rows: Mask) -> Self {
        // more rules than u32 holds would have been refused when the stage was opened
        Self { rule: u32::try_from(rule).unwrap_or(u32::MAX), rows }
    }
}

/// What a rule says of all the data, e.g. a row count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Position in the list of rules.
    pub rule: u32,
    /// Whether the data keep the rule.
    pub holds: bool,
    /// What was seen, for people, e.g. "12 rows".
    pub observed: String,
}

/// Finds the rows that break rules; the host judges.
pub trait Validate: Sized + 'static {
    /// The stage's options; doc comments of its fields become their documentation.
    type Options: DeserializeOwned + JsonSchema;

    /// Answers with the rules that it will check. Also called without data to check a pipeline before it runs.
    ///
    /// # Errors
    /// Where the options do not fit the input.
    fn open(context: &Context, options: Self::Options, input: &Schema) -> Result<(Self, Vec<Rule>), Fault>;

    /// The rules that rows of this batch break; a rule that none breaks may be left out.
    ///
    /// # Errors
    /// Where the batch cannot be judged.
    fn check(&mut self, batch: &Batch) -> Result<Vec<Finding>, Fault>;

    /// After the last batch: rules that speak of all the data.
    ///
    /// # Errors
    /// Where the data cannot be judged.
    fn finish(&mut self) -> Result<Vec<Outcome>, Fault> {
        Ok(Vec::new())
    }
}

/// Takes batches out of the pipeline, in two steps: `prepare` makes the data durable and unseen, `commit` shows it.
pub trait Load: Sized + 'static {
    /// The stage's options; doc comments of its fields become their documentation.
    type Options: DeserializeOwned + JsonSchema;

    /// `load_id` is the same whenever the same load is tried again, so that what an earlier try left can be replaced;
    /// `part` tells instances of one load apart. Also called to check a pipeline before it runs, so it changes nothing
    /// outside: make files in the first `write` or in `prepare`.
    ///
    /// # Errors
    /// Where the options do not fit the input or the target.
    fn open(context: &Context, options: Self::Options, input: &Schema, load_id: &str, part: u32)
    -> Result<Self, Fault>;

    /// Takes a batch.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn write(&mut self, batch: Batch) -> Result<(), Fault>;

    /// After the last batch, also when there was none. The receipt says all that `commit` needs to know.
    ///
    /// # Errors
    /// Where the data cannot be made durable.
    fn prepare(&mut self) -> Result<String, Fault>;

    /// Shows what was prepared. May be called on a fresh instance, and again after it succeeded.
    ///
    /// # Errors
    /// Where the data cannot be shown.
    fn commit(options: Self::Options, load_id: &str, receipts: &[String]) -> Result<(), Fault>;

    /// Takes back what was written or prepared, as far as it is there; never touches what was committed. May be called
    /// on a fresh instance, with no receipts, and again.
    ///
    /// # Errors
    /// Where something could not be taken back.
    fn abort(options: Self::Options, load_id: &str, receipts: &[String]) -> Result<(), Fault>;
}
