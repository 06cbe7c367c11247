//! How many runs are under way at once, which of them begin first, and what is told of those that wait.

use super::catch_up::pretend_of;
use super::decisions::get;
use serde_json::Value;
use sluicebox_tests::Project;
use sluicebox_tests::serving::{Serving, at, project, quick, slow, text};
use std::process::{Child, Stdio};

/// A command that waits for its run; killed with the value, so that none outlives a test that failed.
struct Asked(Child);

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Three pipelines of different priorities, each with a time that was missed: `a` of the lowest.
fn three(project: &Project, settings: &str, more: &str) {
    for (name, priority) in [("a", 0), ("b", 5), ("c", 10)] {
        let file = quick(name, "every = '12h'\ncatch-up = 'latest'", "");
        let head = format!("name = '{name}'\npriority = {priority}\n{more}\n\n");
        project.file(&format!("{name}.toml"), file.replace(&format!("name = '{name}'\n\n"), &head));
    }
    project.file("sluicebox.toml", settings);
    Serving::begin(project).end();
    for name in ["a", "b", "c"] {
        pretend_of(project, name, 43_200);
    }
}

/// The three in the order in which they began.
fn began(project: &Project) -> Vec<&'static str> {
    let serving = Serving::begin(project);
    let mut began: Vec<(i64, i64, &'static str)> = ["a", "b", "c"]
        .map(|name| {
            let run = serving.runs(name, "succeeded", 1).remove(0);
            (at(&run, "started_at"), at(&run, "ended_at"), name)
        })
        .into();
    serving.end();
    began.sort_unstable();
    assert!(began.windows(2).all(|pair| pair[0].1 <= pair[1].0), "one after the other: {began:?}");
    began.into_iter().map(|(.., name)| name).collect()
}

#[test]
fn a_higher_priority_begins_first() {
    let project = project();
    three(&project, "[serve]\nruns = 1\n", "");
    assert_eq!(began(&project), ["c", "b", "a"]);
}

#[test]
fn a_higher_priority_takes_the_place_of_a_pool_first() {
    let project = project();
    three(&project, "[serve]\nruns = 9\n[pools]\nw = 1\n", "pool = 'w'");
    assert_eq!(began(&project), ["c", "b", "a"]);
}

#[test]
fn a_pool_that_is_not_there_is_an_error_and_a_bound() {
    let project = project();
    let pooled = |name: &str| {
        let file = slow(name, 1.0, "every = '12h'\ncatch-up = 'latest'", "");
        file.replace(&format!("name = '{name}'\n\n"), &format!("name = '{name}'\npool = 'wharehouse'\n\n"))
    };
    project.file("p.toml", pooled("p")).file("q.toml", pooled("q"));
    project.file("sluicebox.toml", "[pools]\nwarehouse = 2\n");
    let checked = project.sluicebox(&["check", "p.toml"]).with_code(2).stderr;
    assert!(checked.contains("there is no pool `wharehouse`") && checked.contains("p.toml:3:"), "{checked}");
    assert!(checked.contains("did you mean `warehouse`?"), "{checked}");

    // A host does not offer it.
    let serving = Serving::begin(&project);
    let broken = serving.store.events(None, "pipeline-broken");
    assert_eq!(broken.len(), 2, "{broken:?}");
    assert!(broken[0]["problems"].to_string().contains("there is no pool `wharehouse`"), "{}", broken[0]);
    serving.tells("there is no pool `wharehouse`");
    // The pool comes: so do they.
    project.file("sluicebox.toml", "[serve]\nruns = 9\n[pools]\nwharehouse = 2\n");
    serving.events("p", "pipeline-loaded", 1);
    serving.events("q", "pipeline-loaded", 1);
    // It goes: that is told, and their runs go one after the other.
    project.file("sluicebox.toml", "[serve]\nruns = 9\n[pools]\nwarehouse = 2\n");
    for name in ["p", "q"] {
        serving.events(name, "pipeline-broken", 1);
    }
    let shown = get(&serving, "/api/v1/pipelines/p");
    assert!(shown["problems"].to_string().contains("there is no pool `wharehouse`"), "{shown}");
    std::thread::scope(|scope| {
        for file in ["p.toml", "q.toml"] {
            scope.spawn(|| project.sluicebox(&["run", file]).with_code(0));
        }
    });
    let mut runs: Vec<Value> = ["p", "q"].iter().flat_map(|name| serving.store.runs(name)).collect();
    runs.sort_by_key(|run| at(run, "started_at"));
    assert!(at(&runs[0], "ended_at") <= at(&runs[1], "started_at"), "{runs:?}");
    serving.end();
}

#[test]
fn a_run_that_waits_is_shown_with_its_place_and_why() {
    let project = project();
    project.file("sluicebox.toml", "[serve]\nruns = 1\n");
    project.file("p.toml", slow("p", 60.0, "every = '12h'", "")).file("q.toml", quick("q", "every = '12h'", ""));
    let serving = Serving::begin(&project);
    let asked = |file: &str| {
        let mut command = project.command(&["run", file]);
        Asked(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    };
    let mut first = asked("p.toml");
    let running = serving.runs("p", "running", 1);
    let mut second = asked("q.toml");
    let row = serving.until("one waits", || serving.store.queue("q").pop());
    let run = text(&row, "run");
    let why = "as many runs are under way as may be at once";
    let shown = serving.sluicebox(&["runs", "show", run]).with_code(0).stdout;
    assert!(shown.starts_with("q queued: it has not begun\n") && shown.contains(why), "{shown}");
    let shown = serving.sluicebox(&["runs", "show", run, "--format", "json"]).with_code(0).json();
    assert_eq!((&shown["state"], &shown["queue"]["place"]), (&"queued".into(), &1.into()), "{shown}");
    assert_eq!(shown["queue"]["why"], why);
    let listed = serving.sluicebox(&["runs"]).with_code(0).stdout;
    let line = listed.lines().find(|line| line.contains(run)).unwrap_or_else(|| panic!("{listed}"));
    assert!(line.contains("queued") && line.contains(why), "{listed}");
    let listed = serving.sluicebox(&["runs", "--format", "json"]).with_code(0).json();
    assert_eq!(listed["waiting"], Value::from(vec![shown["queue"].clone()]));
    serving.sluicebox(&["cancel", run]).with_code(0);
    serving.sluicebox(&["cancel", text(&running[0], "id")]).with_code(0);
    first.0.wait().unwrap();
    second.0.wait().unwrap();
    serving.end();
}
