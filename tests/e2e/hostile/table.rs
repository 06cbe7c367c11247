//! The table of `docs/security.md` is held to the tests: whatever stands in it is tested, and whatever is hostile stands in
//! it.

use super::modes;
use sluicebox_tests::root;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A row of the table.
struct Row {
    kind: String,
    /// Plugin and mode.
    guests: Vec<(String, String)>,
    stops: String,
    tests: Vec<String>,
}

/// The words of a cell that stand between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The rows between the marks.
fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let (_, table) = text.split_once("<!-- zoo -->").expect("a mark where the table begins");
    let (table, _) = table.split_once("<!-- /zoo -->").expect("a mark where the table ends");
    let lines =
        table.lines().filter(|line| line.starts_with('|') && !line.starts_with("| ---") && !line.starts_with("| kind"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [kind, guests, stops, tests] = cells.as_slice() else { panic!("not four cells: {line}") };
            let guests = quoted(guests).into_iter().filter_map(|guest| guest.split_once(' '));
            Row {
                kind: (*kind).to_owned(),
                guests: guests.map(|(plugin, mode)| (plugin.to_owned(), mode.to_owned())).collect(),
                stops: (*stops).to_owned(),
                tests: quoted(tests).into_iter().map(str::to_owned).collect(),
            }
        })
        .collect()
}

/// The text of each test, by its path below the end-to-end tests and its name, e.g. `hostile/load::a_receipt_of_1_gb`: from
/// its name to the name of the next.
pub(super) fn tests() -> BTreeMap<String, String> {
    let mut tests = BTreeMap::new();
    collect(&root().join("tests/e2e"), "", &mut tests);
    let runner = fs::read_to_string(root().join("host/runner/src/tests/poison.rs")).unwrap();
    tests_of("runner/poison", &runner, &mut tests);
    tests
}

fn collect(folder: &Path, above: &str, tests: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let below = if above.is_empty() { name } else { format!("{above}/{name}") };
        if path.is_dir() {
            collect(&path, &below, tests);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            tests_of(&below, &fs::read_to_string(&path).unwrap(), tests);
        }
    }
}

/// A test is a function under `#[test]`, or a line of a macro that makes one: `name: options`. What belongs to no test is
/// common to those of its file, and stands under its name and `::`.
fn tests_of(file: &str, text: &str, tests: &mut BTreeMap<String, String>) {
    let (mut current, mut marked, mut in_macro) = (format!("{file}::"), false, false);
    for line in text.lines() {
        let bare = line.trim_start();
        let is_outside = line.len() == bare.len();
        if is_outside && !bare.is_empty() {
            // A macro that makes tests, not one that says how they are made.
            in_macro = bare.contains("! {") && !bare.starts_with("macro_rules");
        }
        let is_word = |name: &&str| {
            let fits = |byte: u8| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
            in_macro && line.len() - bare.len() == 4 && !name.is_empty() && name.bytes().all(fits)
        };
        let made = bare.split_once(": ").map(|(name, _)| name).or_else(|| bare.strip_suffix(':')).filter(is_word);
        let private = bare.strip_prefix("pub(super) ").or_else(|| bare.strip_prefix("pub(crate) ")).unwrap_or(bare);
        let function = private.strip_prefix("fn ").and_then(|rest| rest.split('(').next());
        let function = function.filter(|name| marked && !name.starts_with('$'));
        if let Some(name) = function.or(made) {
            current = format!("{file}::{name}");
        } else if is_outside && !bare.is_empty() && !bare.starts_with('}') {
            current = format!("{file}::");
        }
        marked = bare.starts_with("#[test]") || (marked && bare.starts_with('#'));
        let text = tests.entry(current.clone()).or_default();
        text.push_str(line);
        text.push('\n');
        if bare == "}" && is_outside {
            current = format!("{file}::");
        }
    }
}

#[test]
fn every_row_names_a_guest_what_stops_it_and_tests_that_exist() {
    let (rows, tests) = (rows(), tests());
    assert!(rows.len() >= 60, "{} kinds", rows.len());
    for row in &rows {
        assert!(!row.kind.is_empty() && row.stops.len() > 10, "`{}` is not said to be stopped", row.kind);
        assert!(!row.tests.is_empty(), "`{}` names no test", row.kind);
        for test in &row.tests {
            assert!(
                tests.contains_key(test) && !test.ends_with("::"),
                "`{}` names the test `{test}`, which does not exist",
                row.kind
            );
        }
        // The tests are those of these guests: together, with what is common to them, they name every one.
        let common = row.tests.iter().filter_map(|test| test.split_once("::")).map(|(file, _)| format!("{file}::"));
        let all: String =
            row.tests.iter().cloned().chain(common).filter_map(|test| tests.get(&test).cloned()).collect();
        for (plugin, mode) in &row.guests {
            let named = all.contains(&format!("'{mode}'")) || all.contains(&format!("\"{mode}\""));
            assert!(named, "no test of `{}` speaks of the mode `{mode}` of {plugin}", row.kind);
        }
    }
}

#[test]
fn every_mode_of_every_hostile_plugin_stands_in_the_table() {
    let named: BTreeSet<(String, String)> = rows().into_iter().flat_map(|row| row.guests).collect();
    let modes: BTreeSet<(String, String)> = modes::all().collect();
    // `pass` does nothing bad.
    let missing: Vec<_> = modes.iter().filter(|guest| guest.1 != "pass" && !named.contains(*guest)).collect();
    assert!(missing.is_empty(), "docs/security.md has no row for {missing:?}");
    let unknown: Vec<_> = named.difference(&modes).collect();
    assert!(unknown.is_empty(), "there is no {unknown:?}");
}

/// Every test of a hostile guest is one of a kind.
#[test]
fn every_test_of_the_zoo_stands_in_the_table() {
    let named: BTreeSet<String> = rows().into_iter().flat_map(|row| row.tests).collect();
    let not_a_kind = [
        "hostile/extract::pass",
        "hostile/load::pass",
        "hostile/transform::pass",
        "hostile/transform::the_fault_stands_in_the_answer_for_people",
        "hostile/validate::pass",
        "hostile/wat/lies::without_a_lie_it_passes_on",
        "hostile/zoo::there_are_many_kinds",
    ];
    let of_the_zoo = |test: &str| {
        let file = test.strip_prefix("hostile/").and_then(|test| test.split_once("::"));
        file.is_some_and(|(file, test)| !test.is_empty() && file != "table" && file != "modes")
    };
    let tests = tests();
    let all: Vec<&String> = tests.keys().filter(|test| of_the_zoo(test)).collect();
    assert!(all.len() > 200, "{} tests were found", all.len());
    let missing: Vec<_> =
        all.iter().filter(|test| !not_a_kind.contains(&test.as_str()) && !named.contains(**test)).collect();
    assert!(missing.is_empty(), "docs/security.md has no row for {missing:?}");
    let gone: Vec<_> = not_a_kind.iter().filter(|test| !tests.contains_key(**test)).collect();
    assert!(gone.is_empty(), "there is no {gone:?}");
}
