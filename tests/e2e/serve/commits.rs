//! Loads that are prepared and cannot be committed while the host serves.

use sluicebox_tests::Project;
use sluicebox_tests::serving::{Serving, project, quick, text};

/// A pipeline whose load cannot commit so many times; 0: never.
fn stubborn(times: u32, more: &str) -> Project {
    let project = project();
    let load = format!(
        "plugin = 'evil-load'\ngrants.write = ['out']\nconfig = {{ mode = 'unavailable-in-commit', times = {times}, path = 'out/steps' }}\n"
    );
    let file = quick("p", "every = '1h'", more);
    let end = file.find("plugin = 'load-csv'").unwrap();
    project.file("p.toml", file[..end].to_owned() + &load).file("out/.keep", "");
    project
}

fn steps(project: &Project) -> Vec<String> {
    project.read("out/steps").lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
}

const TELLS: &str = "[[alert]]\non = ['failure', 'recovery']\ncommand = ['tee', '-a', 'told.jsonl']";

#[test]
fn it_is_tried_again_until_it_succeeds() {
    let project = stubborn(2, TELLS);
    project.file("after.toml", quick("after", "after = ['p']", ""));
    let serving = Serving::begin(&project);
    serving.sluicebox(&["run", "p.toml"]).with_code(1);
    let failed = serving.runs("p", "crashed", 1);
    serving.tells("it still cannot be committed: ");
    serving.tells("what it had prepared is committed now");
    let succeeded = serving.runs("p", "succeeded", 1);
    assert_eq!(text(&succeeded[0], "id"), text(&failed[0], "id"), "the same run");
    assert_eq!(steps(&project), ["prepare", "commit", "commit", "commit"]);
    // What follows from it follows now, and people are told.
    serving.runs("after", "succeeded", 1);
    serving.until("both are told", || (serving.store.alerts("p").len() == 2).then_some(()));
    let store = serving.end();
    let kinds: Vec<String> = store.alerts("p").iter().map(|alert| text(alert, "kind").to_owned()).collect();
    assert_eq!(kinds, ["failure", "recovery"]);
}

#[test]
fn no_other_run_of_its_pipeline_begins_until_somebody_decides() {
    let project = stubborn(0, "");
    let serving = Serving::begin(&project);
    serving.sluicebox(&["run", "p.toml"]).with_code(1);
    let crashed = serving.runs("p", "crashed", 1);
    let run = text(&crashed[0], "id");
    let refused = serving.sluicebox(&["run", "p.toml"]).with_code(2);
    for word in ["has prepared its loads and could not commit them", "sluicebox runs resolve"] {
        assert!(refused.stderr.contains(word), "{}", refused.stderr);
    }
    assert_eq!(steps(&project).iter().filter(|step| *step == "prepare").count(), 1);
    let still = serving.sluicebox(&["runs", "resolve", run, "commit"]);
    assert!(still.stdout.contains("not now, as asked for"), "{} {}", still.stdout, still.stderr);
    serving.sluicebox(&["runs", "resolve", run, "abandon"]).with_code(0);
    let again = serving.sluicebox(&["runs", "resolve", run, "abandon"]).with_code(2);
    assert!(again.stderr.contains("is abandoned already"), "{}", again.stderr);
    // The next one begins (and cannot commit, either).
    serving.sluicebox(&["run", "p.toml"]).with_code(1);
    assert_eq!(steps(&project).iter().filter(|step| *step == "prepare").count(), 2);
    serving.end();
}

#[test]
fn it_is_tried_again_by_a_host_that_starts() {
    let project = stubborn(1, "");
    project.sluicebox(&["run", "p.toml"]).with_code(1);
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 1);
    serving.end();
    assert_eq!(steps(&project), ["prepare", "commit", "commit"]);
}
