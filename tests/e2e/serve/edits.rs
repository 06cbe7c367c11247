//! Pipeline files come, change, break and go while the host runs.

use super::rows;
use sluicebox_tests::serving::{Serving, at, project, quick, slow, text};

/// Something that happens every second: when it has happened twice more, a second has passed.
const TICK: &str = "every = '1s'";

fn a_second_passes(serving: &Serving<'_>) {
    let before = serving.store.events(Some("tick"), "fired").len();
    serving.events("tick", "fired", before + 2);
}

#[test]
fn an_edit_takes_effect_with_the_next_run() {
    let project = project();
    project.file("p.toml", quick("p", TICK, ""));
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 1);
    project.file("p.toml", quick("p", TICK, "").replace("out/p", "out/other"));
    serving.events("p", "pipeline-loaded", 2);
    serving.until("rows elsewhere", || (rows(&project, "other") >= 3).then_some(()));
    let before = serving.store.runs("p").len();
    // Another schedule: the old one is gone.
    project.file("p.toml", quick("p", "every = '1h'", "").replace("out/p", "out/third"));
    let loaded = serving.events("p", "pipeline-loaded", 3);
    project.file("tick.toml", quick("tick", TICK, ""));
    serving.events("tick", "fired", 3);
    let late = serving.store.events(Some("p"), "fired");
    let late = late.iter().filter(|event| at(event, "at") > at(&loaded[2], "at")).count();
    assert!(late <= 1, "{late} runs by the old schedule, {before} before");
    serving.end();
}

#[test]
fn a_broken_edit_is_told_and_the_last_good_version_stays() {
    let project = project();
    let good = quick("p", TICK, "");
    project.file("p.toml", &good);
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 1);
    let mistakes = [
        (good.replace("plugin = 'load-csv'", "plugin = 'lod-csv'"), "lod-csv"),
        (good.replace("[[stage]]\nname = 'nap'", "[[stage]\nname = 'nap'"), "line "),
        (good.replace("every = '1s'", "every = '1s'\ncron = '61 * * * *'"), "61"),
        (String::new(), ""),
    ];
    for (number, (text_of, told)) in mistakes.iter().enumerate() {
        project.file("p.toml", text_of);
        let broken = serving.events("p", "pipeline-broken", number + 1);
        let problems = broken[number]["problems"].as_array().unwrap();
        assert!(!problems.is_empty() && problems[0].as_str().unwrap().contains(told), "{told}: {problems:?}");
        let count = serving.store.runs("p").len();
        serving.runs("p", "succeeded", count + 1);
    }
    serving.tells("p.toml is broken; the last good version stays");
    assert_eq!(rows(&project, "other"), 0);
    project.file("p.toml", good.replace("out/p", "out/other"));
    serving.events("p", "pipeline-loaded", 2);
    serving.until("the mended one runs", || (rows(&project, "other") >= 3).then_some(()));
    let store = serving.end();
    assert!(store.runs("p").iter().all(|run| run["state"] == "succeeded"));
}

#[test]
fn a_file_that_is_broken_from_the_start_is_told_and_runs_once_it_is_mended() {
    let project = project();
    let good = quick("p", TICK, "");
    project.file("p.toml", good.replace("extract-csv", "extract-cvs")).file("tick.toml", quick("tick", TICK, ""));
    let serving = Serving::begin(&project);
    let broken = serving.until("told", || serving.store.events(None, "pipeline-broken").pop());
    assert_eq!((text(&broken, "file"), broken["pipeline"].as_str()), ("p.toml", None));
    assert!(broken["problems"][0].as_str().unwrap().contains("did you mean `extract-csv`?"), "{broken}");
    a_second_passes(&serving);
    assert_eq!(serving.store.runs("p").len(), 0);
    // Told once, not with every look.
    assert_eq!(serving.store.events(None, "pipeline-broken").len(), 1);
    project.file("p.toml", good);
    serving.runs("p", "succeeded", 1);
    serving.end();
}

#[test]
fn a_file_that_is_taken_away_ends_its_pipeline() {
    let project = project();
    project.file("p.toml", quick("p", TICK, "")).file("tick.toml", quick("tick", TICK, ""));
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 1);
    std::fs::remove_file(project.path().join("p.toml")).unwrap();
    let gone = serving.events("p", "pipeline-gone", 1);
    assert_eq!(text(&gone[0], "file"), "p.toml");
    let fired = serving.store.events(Some("p"), "fired").len();
    a_second_passes(&serving);
    assert_eq!(serving.store.events(Some("p"), "fired").len(), fired);
    // It comes back.
    project.file("p.toml", quick("p", TICK, ""));
    serving.events("p", "pipeline-loaded", 2);
    serving.events("p", "fired", fired + 1);
    serving.end();
}

#[test]
fn a_run_goes_on_when_its_file_is_taken_away() {
    let project = project();
    project.file("p.toml", slow("p", 2.5, TICK, ""));
    let serving = Serving::begin(&project);
    serving.runs("p", "running", 1);
    std::fs::remove_file(project.path().join("p.toml")).unwrap();
    serving.events("p", "pipeline-gone", 1);
    serving.runs("p", "succeeded", 1);
    serving.end();
    assert_eq!(rows(&project, "p"), 3);
}

#[test]
fn of_two_files_with_one_name_the_first_runs_and_the_other_is_told() {
    let project = project();
    project.file("a.toml", quick("p", TICK, "")).file("b.toml", quick("p", TICK, "").replace("out/p", "out/other"));
    let serving = Serving::begin(&project);
    let broken = serving.until("told", || serving.store.events(None, "pipeline-broken").pop());
    assert_eq!(text(&broken, "file"), "b.toml");
    assert!(broken["problems"][0].as_str().unwrap().contains("is a pipeline `p`, too"), "{broken}");
    serving.runs("p", "succeeded", 2);
    assert_eq!(rows(&project, "other"), 0);
    std::fs::remove_file(project.path().join("a.toml")).unwrap();
    serving.until("the other takes over", || (rows(&project, "other") >= 3).then_some(()));
    serving.end();
}

#[test]
fn settings_are_read_again_and_broken_ones_are_told() {
    let project = project();
    project.file("sluicebox.toml", "[serve]\nruns = 2\n").file("p.toml", quick("p", TICK, ""));
    let serving = Serving::begin(&project);
    project.file("sluicebox.toml", "[serve]\nrunz = 2\n");
    assert!(serving.tells("the settings from before stay").contains("sluicebox.toml:2"), "{}", serving.log());
    project.file("sluicebox.toml", "[serve]\nruns = 3\n");
    serving.tells("the settings have changed");
    let count = serving.store.runs("p").len();
    serving.runs("p", "succeeded", count + 1);
    serving.end();
}
