//! What to do, and when.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::Column;

/// What to do, and when.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The bad thing.
    pub mode: Mode,
    /// The batch on which it is done, counted from 0 within the instance.
    #[serde(default)]
    pub on: u64,
    /// If more than 0, it is done only in attempts before this one (they count from 1), so that a retry succeeds.
    #[serde(default)]
    pub until_attempt: u32,
    /// With `value`: whatever it does, it does on batches with such a row; panic-on-every: the column to look at.
    pub column: Option<String>,
    /// The value of a poison row.
    pub value: Option<Wanted>,
    /// read-file, write-file, list-folder, many-files, remove-file, make-link, hard-link, rename, ipc-file: where.
    #[serde(default)]
    pub path: String,
    /// make-link, hard-link: what the link leads to; rename: what the file is to be called.
    #[serde(default)]
    pub target: String,
    /// eat-at-once, huge-answer, long-*: how many bytes.
    #[serde(default = "bytes")]
    pub bytes: u64,
    /// flood-*, many-*, answer-many, tiny-calls, small-batches, take-many, promises-deep: how many.
    #[serde(default = "times")]
    pub times: u64,
    /// sleep, slow: how long.
    #[serde(default = "seconds")]
    pub seconds: f64,
    /// exit: the code.
    #[serde(default)]
    pub code: i32,
    /// fault, fault-in-open: of which kind.
    #[serde(default)]
    pub kind: Kind,
}

fn bytes() -> u64 {
    100_000_000
}

fn times() -> u64 {
    10_000
}

fn seconds() -> f64 {
    3600.0
}

/// A fault's kind.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// the options do not fit
    InvalidConfig,
    /// the data cannot be worked on
    InvalidData,
    /// not granted
    Denied,
    /// does not answer now
    #[default]
    Unavailable,
    /// a mistake of the stage
    Internal,
}

/// A value to look for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Wanted {
    /// in a column of numbers
    Number(f64),
    /// in a column of text
    Text(String),
}

impl Wanted {
    /// Whether a row of the column has it.
    pub fn is_in(&self, column: &Column) -> bool {
        match self {
            Self::Text(wanted) => column.strs().is_some_and(|text| text.iter().flatten().any(|value| value == wanted)),
            Self::Number(wanted) => {
                let at = |row: usize, value: f64| value == *wanted && column.is_valid(row);
                if let Some(values) = column.as_f64() {
                    values.iter().enumerate().any(|(row, value)| at(row, *value))
                } else if let Some(values) = column.as_i64() {
                    values.iter().enumerate().any(|(row, value)| at(row, *value as f64))
                } else if let Some(values) = column.as_i32() {
                    values.iter().enumerate().any(|(row, value)| at(row, f64::from(*value)))
                } else {
                    false
                }
            }
        }
    }
}

/// The bad things. Unless it says otherwise, each is done in `process`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// nothing
    Pass,

    /// panics
    Panic,
    /// panics if a row of `column` has `value`: a poison row
    PanicOn,
    /// panics if a row of `column` has a number that leaves 3 when it is divided by `times`
    PanicOnEvery,
    /// panics in `open`
    PanicInOpen,
    /// panics in `finish`
    PanicInFinish,
    /// loops for ever
    Loop,
    /// loops for ever in `open`
    LoopInOpen,
    /// loops for ever in `finish`
    LoopInFinish,
    /// `finish` answers with a batch, for ever
    NeverFinishes,
    /// calls itself until the stack is full
    Recurse,
    /// ends the process with `code`
    Exit,
    /// aborts
    Abort,
    /// reads from an address that is not its own
    WildPointer,
    /// answers with a fault of `kind`
    Fault,
    /// answers `open` with a fault of `kind`
    FaultInOpen,

    /// takes memory bit by bit, for ever
    EatSlowly,
    /// takes `bytes` of memory in one piece
    EatAtOnce,
    /// keeps a handle of every batch
    KeepEveryHandle,
    /// makes handles for ever
    MakeHandles,
    /// answers with `times` batches
    AnswerMany,
    /// writes `times` lines into its log on every batch
    FloodLog,
    /// writes `times` lines to standard output
    FloodStdout,
    /// writes `times` lines to standard error
    FloodStderr,
    /// writes one line of `bytes` bytes into its log
    LongLine,
    /// counts `times` counters of different names
    ManyCounters,
    /// counts a counter whose name has `bytes` bytes
    LongCounter,
    /// answers with a fault whose message has `bytes` bytes
    LongFault,
    /// quarantines `times` records
    FloodQuarantine,
    /// makes a column of `bytes` bytes
    HugeAnswer,

    /// reads the file `path` and logs its size
    ReadFile,
    /// writes the file `path`
    WriteFile,
    /// lists the folder `path` into its log
    ListFolder,
    /// opens the file `path` `times` times, and keeps a stream of each
    ManyFiles,
    /// logs its environment and arguments
    ReadEnvironment,
    /// sleeps for `seconds`
    Sleep,
    /// logs the time, twice
    Clock,
    /// logs random numbers
    Random,
    /// adds a column `stamp` with the time and random numbers
    Stamp,
    /// answers with a fault of kind internal that tells the time and random numbers
    FaultStamp,
    /// the same in `finish`, once all batches were stamped
    FaultStampInFinish,
    /// leaves a line at `path` in `open`, and panics there once there are more than `times`
    PanicInOpenAgain,
    /// logs warnings, errors, and what steers a terminal
    Warn,

    /// makes `times` calls that do next to nothing
    TinyCalls,
    /// sleeps for `seconds` on every batch
    Slow,
    /// makes `times` batches of one row and drops them
    SmallBatches,
    /// counts a counter beyond what a number holds
    CounterOverflow,
    /// panics with a message such as the host writes
    PanicLikeOurs,
    /// answers with a fault whose message is such as the host writes
    FaultLikeOurs,
    /// tells what would steer a terminal in every way that there is, and answers with a fault that does too
    Escapes,
    /// `open` promises a column whose name would steer a terminal
    EscapesInNames,
    /// deletes the file `path`
    RemoveFile,
    /// makes `path` a symbolic link to `target`, and reads through it
    MakeLink,
    /// makes `path` a hard link to `target`, and reads it
    HardLink,
    /// renames `path` to `target`
    Rename,
    /// logs how many bytes of fresh memory are not zero, and leaves some there
    FreshMemory,
    /// logs how often this memory saw an `open`
    Remember,
    /// takes the first row `times` times
    TakeMany,
    /// makes a batch of `times` columns
    ManyColumns,
    /// makes a column of `times` empty texts, and drops it
    ManyEmptyTexts,
    /// makes a batch without columns, and doubles its rows for as long as it may
    RowsWithoutColumns,
    /// a column whose name has `bytes` bytes
    LongName,
    /// decimals of 8 bytes
    DecimalWidth,
    /// Arrow IPC as it stands in the file `path`
    IpcFile,
    /// Arrow IPC with bytes behind its end
    IpcTrailing,
    /// Arrow IPC that says it has a thousand million rows
    IpcRows,
    /// `open` promises a type that is nested `times` deep
    PromisesDeep,

    /// a mask with too few bytes
    MaskShort,
    /// a mask with too many bytes
    MaskLong,
    /// takes a row past the end
    TakePastEnd,
    /// a slice past the end
    SlicePastEnd,
    /// a slice whose end passes 2^32
    SliceOverflow,
    /// reads a column that is not there
    ColumnPastEnd,
    /// selects a column that is not there
    SelectPastEnd,
    /// selects a column twice under one name
    SelectTwice,
    /// asks for numbers in the strings form
    WrongForm,
    /// concat of no batches
    ConcatNothing,
    /// concat of batches with different schemas
    ConcatMixed,
    /// zip with itself
    ZipSelf,
    /// the first offset is not 0
    OffsetsFirst,
    /// offsets that fall
    OffsetsFall,
    /// offsets below 0
    OffsetsNegative,
    /// offsets past the data
    OffsetsPastData,
    /// no offsets at all
    OffsetsNone,
    /// text that is not UTF-8
    InvalidUtf8,
    /// text cut within a character
    SplitCharacter,
    /// a column with a row too few
    ColumnShort,
    /// a column with a row too many
    ColumnLong,
    /// a column of two values that is said to have four thousand million rows
    RowsInflated,
    /// validity with too few bytes
    ValidityShort,
    /// validity with too many bytes
    ValidityLong,
    /// a null where the field says there is none
    NullInNotNull,
    /// values of another type than the field
    WrongType,
    /// bytes that are not a whole number of values
    RaggedBytes,
    /// strings with a validity beside them
    StringsWithValidity,
    /// a schema with a name twice
    NameTwice,
    /// more fields than columns
    FieldsWithoutColumns,
    /// more columns than fields
    ColumnsWithoutFields,
    /// a decimal without precision and scale
    DecimalWithoutDetail,
    /// a decimal of 200 digits
    DecimalTooWide,
    /// a decimal of more digits than its precision
    DecimalOverflow,
    /// a time zone that is none
    BadTimeZone,
    /// a field of type `other` with values
    OtherWithValues,
    /// Arrow IPC of nothing
    IpcEmpty,
    /// Arrow IPC that is none
    IpcGarbage,
    /// Arrow IPC cut off, at every length
    IpcTruncated,
    /// Arrow IPC with one byte changed, each byte in turn; then passes the batch on
    IpcFlipped,
    /// `open` promises a column that no batch has
    PromisesMore,
    /// `open` promises other names
    PromisesOtherNames,
    /// `open` promises other types
    PromisesOtherTypes,
    /// `open` promises that there are no nulls
    PromisesNoNulls,
    /// `open` answers with a name twice
    PromisesNameTwice,
    /// every batch has a column more than the one before
    SchemaChanges,
    /// answers with a batch that it has read the columns of, emptied
    AnswersNoColumns,
}
