//! A file of cases.

use crate::error::CaseError;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sluicebox_model::grant::Grants;
use sluicebox_model::plugin::Capability;
use sluicebox_model::stage::Severity;
use std::collections::BTreeMap;
use std::path::Path;

/// A file with more than this is no file of cases.
pub(crate) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    case: Vec<Case>,
}

/// What a stage is given, and what it is to answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// For people; unique within the file.
    pub name: String,
    /// The stage's options.
    #[serde(default = "no_options")]
    pub config: Value,
    /// The rows of the only input.
    #[serde(default)]
    pub input: Option<Side>,
    /// The rows of each input, in order, for a transform with several.
    #[serde(default)]
    pub inputs: Vec<Side>,
    /// How the rows are batches; all in one batch unless given.
    #[serde(default)]
    pub batch_rows: Option<BatchRows>,
    /// Where an extract resumes.
    #[serde(default)]
    pub bookmark: Option<String>,
    /// The data interval: its start and its end.
    #[serde(default)]
    pub interval: Option<(Timestamp, Timestamp)>,
    /// Files that are there before, by path: the stage's folder has these and no others.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What the stage is granted, as in a pipeline file. Unless given, of what it asks for: to read the folders of `files`, and to
    /// write into `out`.
    #[serde(default)]
    pub grants: Option<Grants>,
    /// Whether options that do not fit the plugin's schema are given to the stage all the same, which refuses them itself; else they
    /// are refused before, as `check` does.
    #[serde(default)]
    pub unchecked: bool,
    /// Whether a load is told to abort instead of to commit.
    #[serde(default)]
    pub abort: bool,
    /// What it is to answer; what is not named is not compared, except that no fault is expected.
    #[serde(default)]
    pub expect: Expect,
}

fn no_options() -> Value {
    Value::Object(serde_json::Map::new())
}

/// How the rows of an input are batches.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "batch-rows is a number of rows, or a list with that of each batch")]
pub enum BatchRows {
    /// So many in each, but for the last.
    Most(usize),
    /// So many in each, in order, of which some may have none.
    Each(Vec<usize>),
}

/// Rows, given in one of several ways.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Side {
    /// The name of the stage that they come from, as a transform sees it.
    #[serde(default)]
    pub name: Option<String>,
    /// CSV with a header. An empty cell is null.
    #[serde(default)]
    pub csv: Option<String>,
    /// The same in a file beside this one.
    #[serde(default)]
    pub csv_file: Option<String>,
    /// JSON: an array of objects, or one object a line.
    #[serde(default)]
    pub json: Option<String>,
    /// The same in a file beside this one.
    #[serde(default)]
    pub json_file: Option<String>,
    /// A table a row; a key that is not there is null.
    #[serde(default)]
    pub rows: Option<Vec<Value>>,
    /// The columns' types, e.g. `int64` or `utf8 not null`, in the columns' order. Columns that are not named have the type that
    /// their values look like.
    #[serde(default)]
    pub columns: Option<serde_json::Map<String, Value>>,
}

impl Side {
    /// Whether it says anything of rows.
    pub fn has_rows(&self) -> bool {
        self.csv.is_some()
            || self.csv_file.is_some()
            || self.json.is_some()
            || self.json_file.is_some()
            || self.rows.is_some()
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is expected.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The fault that ends it.
    #[serde(default)]
    pub fault: Option<FaultExpected>,
    /// The rows that an extract or a transform gives, in order: CSV with a header. An empty cell is null.
    #[serde(default)]
    pub csv: Option<String>,
    /// The same in a file beside this one.
    #[serde(default)]
    pub csv_file: Option<String>,
    /// JSON: an array of objects, or one object a line.
    #[serde(default)]
    pub json: Option<String>,
    /// The same in a file beside this one.
    #[serde(default)]
    pub json_file: Option<String>,
    /// A table a row; a key that is not there is null.
    #[serde(default)]
    pub rows: Option<Vec<Value>>,
    /// All the columns' types, in the columns' order.
    #[serde(default)]
    pub columns: Option<serde_json::Map<String, Value>>,
    /// The bookmark of the last page.
    #[serde(default)]
    pub bookmark: Option<String>,
    /// How far an extract said to be with its last page that said it, from 0 to 1.
    #[serde(default)]
    pub progress: Option<f32>,
    /// The rules of a validate, in order.
    #[serde(default)]
    pub rules: Option<Vec<RuleExpected>>,
    /// By rule: the rows that break it, counted from 0 over all batches. Rules that are not named are broken by none.
    #[serde(default)]
    pub broken: Option<BTreeMap<String, Vec<u64>>>,
    /// By rule: what it says of all the data.
    #[serde(default)]
    pub outcomes: Option<BTreeMap<String, OutcomeExpected>>,
    /// All files that are there at the end, by path, but those that were there before and have not changed.
    #[serde(default)]
    pub files: Option<BTreeMap<String, String>>,
    /// All files that were there before and are not any more.
    #[serde(default)]
    pub gone: Option<Vec<String>>,
    /// The records that are set aside, in order.
    #[serde(default)]
    pub quarantined: Option<Vec<Quarantined>>,
    /// Texts that stand in the log, in this order.
    #[serde(default)]
    pub log: Option<Vec<String>>,
    /// Counters.
    #[serde(default)]
    pub counters: Option<BTreeMap<String, u64>>,
}

impl Expect {
    /// The rows.
    pub fn side(&self) -> Side {
        Side {
            name: None,
            csv: self.csv.clone(),
            csv_file: self.csv_file.clone(),
            json: self.json.clone(),
            json_file: self.json_file.clone(),
            rows: self.rows.clone(),
            columns: self.columns.clone(),
        }
    }

    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        let named = self.fault.is_some()
            || self.bookmark.is_some()
            || self.progress.is_some()
            || self.rules.is_some()
            || self.broken.is_some()
            || self.outcomes.is_some()
            || self.files.is_some()
            || self.gone.is_some()
            || self.quarantined.is_some()
            || self.log.is_some()
            || self.counters.is_some();
        !named && self.side().is_empty()
    }
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultExpected {
    /// Its kind, e.g. `invalid-config`.
    #[serde(default)]
    pub kind: Option<String>,
    /// What its message has in it.
    #[serde(default)]
    pub message: Option<String>,
    /// The function of the contract, e.g. `open`.
    #[serde(default)]
    pub call: Option<String>,
    /// The first row at fault, counted from 0 over all batches.
    #[serde(default)]
    pub row: Option<u64>,
}

/// A rule of a validate. What is not named is not compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleExpected {
    /// Its name.
    pub name: String,
    /// What it says.
    #[serde(default)]
    pub summary: Option<String>,
    /// `warn`, `reject` or `fail`.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// How many rows may break it: `2 rows` or `50 %`.
    #[serde(default)]
    pub at_most: Option<String>,
}

/// What a rule says of all the data.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeExpected {
    /// Whether it holds.
    pub holds: bool,
    /// What was seen.
    #[serde(default)]
    pub observed: Option<String>,
}

/// A record that is set aside. What is not named is not compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantined {
    /// Where it stood.
    #[serde(default)]
    pub origin: Option<String>,
    /// The record.
    #[serde(default)]
    pub content: Option<String>,
    /// What is wrong with it.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Case {
    /// The cases of a file, in order.
    ///
    /// # Errors
    /// It cannot be read; it is no TOML, or has other keys; two cases have one name, or there is none.
    pub fn read(path: &Path) -> Result<Vec<Self>, CaseError> {
        let size = std::fs::metadata(path).map_err(|error| CaseError::of_file("read", path, &error))?.len();
        if size > FILE_BYTES_MAX {
            return Err(CaseError::new(format!("{} has {size} bytes: that is no file of cases", path.display()))
                .help("put large tables into files of their own: `input.csv-file = \"NAME.csv\"`"));
        }
        let text = std::fs::read_to_string(path).map_err(|error| CaseError::of_file("read", path, &error))?;
        Self::of_text(&text).map_err(|error| error.at(path.display()))
    }

    /// The cases of a file's text.
    ///
    /// # Errors
    /// As of [`Case::read`].
    pub fn of_text(text: &str) -> Result<Vec<Self>, CaseError> {
        let file: File =
            toml::from_str(text).map_err(|error| CaseError::new(error.to_string().trim_end().to_owned()))?;
        if file.case.is_empty() {
            return Err(CaseError::new("there is no case in it").help("a case begins with `[[case]]` and has a `name`"));
        }
        for (at, case) in file.case.iter().enumerate() {
            if file.case.iter().take(at).any(|earlier| earlier.name == case.name) {
                return Err(
                    CaseError::new(format!("there are two cases `{}`", case.name)).help("give each its own name")
                );
            }
            case.check().map_err(|error| error.at(format!("case `{}`", case.name)))?;
        }
        Ok(file.case)
    }

    /// What the stage is granted, if it asks for these capabilities.
    pub fn grants(&self, asked: &[Capability]) -> Grants {
        if let Some(given) = &self.grants {
            return given.clone();
        }
        let mut grants = Grants::default();
        if asked.contains(&Capability::ReadFiles) {
            let folders =
                self.files.keys().map(|path| path.split_once('/').map_or(".", |(folder, _)| folder).to_owned());
            grants.read = folders.collect();
            grants.read.sort();
            grants.read.dedup();
        }
        if asked.contains(&Capability::WriteFiles) {
            grants.write.push("out".to_owned());
        }
        grants
    }

    fn check(&self) -> Result<(), CaseError> {
        if self.batch_rows == Some(BatchRows::Most(0)) {
            return Err(CaseError::new("batch-rows is 0").help("leave it out: all rows are one batch then"));
        }
        if self.input.is_some() && !self.inputs.is_empty() {
            return Err(CaseError::new("it has `input` and `inputs`").help("keep one of them"));
        }
        for side in self.input.iter().chain(&self.inputs).chain([&self.expect.side()]) {
            let ways = [side.csv.is_some(), side.csv_file.is_some(), side.json.is_some(), side.json_file.is_some()];
            let ways = ways.iter().filter(|is| **is).count() + usize::from(side.rows.is_some());
            if ways > 1 {
                return Err(CaseError::new("its rows are given in two ways")
                    .help("keep one of `csv`, `csv-file`, `json`, `json-file` and `rows`"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn a_case_is_read() {
        let text = r#"
            [[case]]
            name = "joined"
            config = { columns = ["a", "b"] }
            interval = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
            input.csv = "a,b\nx,y\n"
            expect.rows = [{ a = "x", b = "y", joined = "x-y" }]

            [[case]]
            name = "refused"
            expect.fault = { kind = "invalid-config", message = "columns" }
        "#;
        let cases = Case::of_text(text).unwrap();
        assert_eq!(cases[0].input.as_ref().unwrap().csv.as_deref(), Some("a,b\nx,y\n"));
        assert_eq!(cases[0].interval.unwrap().0.as_second(), 1_767_225_600);
        assert_eq!(cases[1].expect.fault.as_ref().unwrap().kind.as_deref(), Some("invalid-config"));
        assert!(!cases[1].expect.is_empty() && cases[1].config.is_object());
    }

    #[test]
    fn a_stage_is_granted_the_files_of_its_case() {
        let text = "[[case]]\nname = \"a\"\nfiles = { \"in/a\" = \"\", \"in/b\" = \"\" }\n";
        let case = Case::of_text(text).unwrap().remove(0);
        let grants = case.grants(&[Capability::ReadFiles, Capability::WriteFiles]);
        assert_eq!((grants.read, grants.write), (vec!["in".to_owned()], vec!["out".to_owned()]));
        assert_eq!(case.grants(&[Capability::Clock]), Grants::default());
        let given = Case::of_text(&format!("{text}grants = {{ clock = true }}\n")).unwrap().remove(0);
        assert!(given.grants(&[Capability::ReadFiles]).clock);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let told = |text: &str| Case::of_text(text).unwrap_err().to_string();
        let unknown = told("[[case]]\nname = \"a\"\nexpects.csv = \"\"\n");
        assert!(unknown.contains("line 3") && unknown.contains("expects"), "{unknown}");
        assert!(told("").contains("no case"));
        assert!(told("[[case]]\nname = \"a\"\n[[case]]\nname = \"a\"\n").contains("two cases `a`"));
        assert!(told("[[case]]\nname = \"a\"\ninput.csv = \"\"\ninput.rows = []\n").contains("two ways"));
        assert!(told("[[case]]\nname = \"a\"\nbatch-rows = 0\n").contains("batch-rows is 0"));
        let words = told("[[case]]\nname = \"a\"\nbatch-rows = 'all'\n");
        assert!(words.contains("a number of rows, or a list with that of each batch"), "{words}");
    }
}
