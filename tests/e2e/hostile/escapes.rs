//! What would steer a terminal, wherever a guest can say something: nothing of it reaches a terminal, a log or the API.

use super::{OUT, READ, evil, project, run};
use sluicebox_model::text::steers;
use sluicebox_tests::Project;

/// Fails if the text would steer the terminal that shows it, or turn its words around.
#[track_caller]
pub(super) fn are_none(text: &str) {
    if let Some(found) = text.chars().find(|c| steers(*c) && !matches!(c, '\n' | '\t')) {
        panic!("{found:?} in {text:?}");
    }
}

/// Every way to look at the last run.
const LOOKS: [&[&str]; 12] = [
    &["runs", "list"],
    &["runs", "show", "last"],
    &["runs", "show", "last", "--format", "json"],
    &["logs", "last"],
    &["logs", "last", "--format", "json"],
    &["quarantine", "list"],
    &["quarantine", "show", "last"],
    &["quarantine", "show", "last", "--format", "json"],
    &["bookmarks"],
    &["bookmarks", "--format", "json"],
    &["check", "pipeline.toml"],
    &["run", "pipeline.toml"],
];

/// Runs the pipeline and looks at it in every way; answers with all that was told.
#[track_caller]
fn all_that_is_told(project: &Project) -> String {
    let first = run(project);
    let mut all = first.stdout + &first.stderr;
    for look in LOOKS {
        let ended = project.sluicebox(look);
        all += &format!("\n$ {}\n{}{}", look.join(" "), ended.stdout, ended.stderr);
    }
    are_none(&all);
    all
}

#[test]
pub(super) fn of_a_transform() {
    let project = project(&format!("{READ}{}{OUT}", evil("evil", "mode = 'escapes'", "")));
    let told = all_that_is_told(&project);
    // It is told, as what it is.
    assert!(told.matches("\\u{1b}[2J").count() >= 5, "{told}");
}

#[test]
pub(super) fn in_the_names_of_columns() {
    let project = project(&format!("{READ}{}{OUT}", evil("evil", "mode = 'escapes-in-names'", "")));
    let told = all_that_is_told(&project);
    assert!(told.contains("were promised"), "{told}");
    for look in [&["graph", "pipeline.toml"][..], &["docs", "pipeline.toml"][..]] {
        let ended = project.sluicebox(look);
        are_none(&(ended.stdout + &ended.stderr));
    }
}

#[test]
pub(super) fn in_a_bookmark() {
    let project = project(&(evil("evil-extract", "mode = 'escapes', on = 9", "") + OUT));
    let told = all_that_is_told(&project);
    assert!(told.contains("\\u{1b}[2J"), "{told}");
}

#[test]
pub(super) fn in_rules() {
    let project = project(&format!("{READ}{}{OUT}", evil("evil-validate", "mode = 'escapes'", "")));
    let told = all_that_is_told(&project);
    assert!(told.contains("\\u{1b}[2J"), "{told}");
}

/// The API answers with JSON, whose text is escaped twice: as JSON, and as what a log may hold.
#[test]
fn over_the_api() {
    let project = project(&format!("{READ}{}{OUT}", evil("evil", "mode = 'escapes'", "")));
    run(&project).with_code(1);
    let record = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
    let id = record["id"].as_str().unwrap();
    let serving = crate::api::Serving::begin(&project);
    for path in [
        "/api/v1/runs".to_owned(),
        format!("/api/v1/runs/{id}"),
        format!("/api/v1/runs/{id}/events"),
        format!("/api/v1/runs/{id}/logs"),
        format!("/api/v1/quarantine/{id}"),
        "/metrics".to_owned(),
    ] {
        let (status, body) = serving.curl(&[], &path);
        assert_eq!(status, 200, "{path}: {body}");
        are_none(&body);
        // What was set aside is data: it is told as JSON tells it.
        let is_data = path.contains("quarantine");
        assert!(is_data || !body.contains("\\u001b") && !body.contains("\\u0007"), "{path}: {body}");
    }
}
