//! Pipelines that files start.

use sluicebox_tests::serving::{Serving, project, quick, text};

const WHEN: &str = "when = { file = 'in/*.csv', settled = '100ms' }";

fn a_while_passes(serving: &Serving<'_>) {
    let before = serving.store.events(Some("tick"), "fired").len();
    serving.events("tick", "fired", before + 3);
}

#[test]
fn files_that_arrive_start_a_run_once() {
    let project = project();
    std::fs::remove_file(project.path().join("in/rows.csv")).unwrap();
    project.file("data/rows.csv", "id,name\n1,a\n");
    let tick = quick("tick", "every = '1s'", "").replace("'in", "'data");
    project.file("tick.toml", tick).file("p.toml", quick("p", WHEN, "").replace("in/rows.csv", "in/*.csv"));
    let serving = Serving::begin(&project);
    a_while_passes(&serving);
    assert_eq!(serving.store.runs("p").len(), 0, "nothing has arrived");
    project.file("in/one.csv", "id,name\n1,a\n");
    let triggered = serving.events("p", "file-triggered", 1);
    assert_eq!(triggered[0]["files"], serde_json::json!(["in/one.csv"]));
    serving.runs("p", "succeeded", 1);
    project.file("in/two.csv", "id,name\n2,b\n");
    let triggered = serving.events("p", "file-triggered", 2);
    assert_eq!(triggered[1]["files"], serde_json::json!(["in/two.csv"]));
    serving.runs("p", "succeeded", 2);
    a_while_passes(&serving);
    assert_eq!(serving.store.runs("p").len(), 2);
    serving.kill();

    // The same files start no other run, whoever looks at them.
    let serving = Serving::begin(&project);
    a_while_passes(&serving);
    assert_eq!(serving.store.runs("p").len(), 2);
    // A file that comes while no host is there, and one that is written anew.
    serving.end();
    project.file("in/three.csv", "id,name\n3,c\n").file("in/one.csv", "id,name\n1,a\n11,aa\n");
    let serving = Serving::begin(&project);
    let triggered = serving.events("p", "file-triggered", 3);
    assert_eq!(triggered[2]["files"], serde_json::json!(["in/one.csv", "in/three.csv"]));
    let runs = serving.runs("p", "succeeded", 3);
    assert_eq!(runs[2]["rows_loaded"], 4);
    assert_eq!(text(&runs[2], "trigger"), "dependency");
    serving.end();
}

#[test]
fn a_file_that_grows_is_waited_for() {
    let project = project();
    project.file("p.toml", quick("p", "when = { file = 'in/*.csv', settled = '2s' }", ""));
    project.file("tick.toml", quick("tick", "every = '1s'", ""));
    let serving = Serving::begin(&project);
    let mut text = "id,name\n1,a\n".to_owned();
    for number in 2..6 {
        let fired = serving.store.events(Some("tick"), "fired").len();
        text += &format!("{number},x\n");
        project.file("in/rows.csv", &text);
        serving.events("tick", "fired", fired + 1);
        assert_eq!(serving.store.runs("p").len(), 0, "it still grows");
    }
    let runs = serving.runs("p", "succeeded", 1);
    assert_eq!(runs[0]["rows_loaded"], 5);
    serving.end();
}

#[test]
fn files_have_to_lie_in_what_is_granted() {
    let project = project();
    project.file("p.toml", quick("p", "when = { file = 'secret/*.csv' }", ""));
    project.file("secret/rows.csv", "id,name\n1,a\n");
    let refused = project.sluicebox(&["check", "p.toml"]).with_code(2);
    insta::assert_snapshot!("file-trigger-outside-the-grants", project.normalise(&refused.stderr));
    project.file("p.toml", quick("p", "when = { file = '../*.csv' }", ""));
    project.sluicebox(&["check", "p.toml"]).with_code(2);
    // The host does not take it either.
    let serving = Serving::begin(&project);
    let broken = serving.until("told", || serving.store.events(None, "pipeline-broken").pop());
    assert_eq!(text(&broken, "file"), "p.toml");
    serving.end();
}
