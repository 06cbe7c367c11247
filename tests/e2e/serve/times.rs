//! What is said of schedules before anything runs.

use sluicebox_tests::serving::{project, quick};

#[test]
fn times_are_shown_with_what_the_clocks_do_to_them() {
    let project = project();
    project.file("gap.toml", quick("gap", "cron = '30 2 * * *'\ntimezone = 'America/New_York'", ""));
    project.file("fold.toml", quick("fold", "cron = ['30 2 * * *', '0 */6 * * *']\ntimezone = 'Europe/Berlin'", ""));
    project.file("often.toml", quick("often", "every = '15m'", ""));
    project.file("follows.toml", quick("follows", "after = { pipelines = ['gap', 'fold'], within = '6h' }", ""));
    project.file("files.toml", quick("files", "when = { file = 'in/*.csv', settled = '1m' }", ""));
    let told = |arguments: &[&str]| project.sluicebox(arguments).with_code(0).stdout;
    insta::assert_snapshot!("next-gap", told(&["schedule", "gap", "--next", "3", "--from", "2026-03-07T00:00:00Z"]));
    insta::assert_snapshot!(
        "next-fold",
        told(&["schedule", "fold.toml", "--next", "9", "--from", "2026-10-24T12:00:00Z"])
    );
    insta::assert_snapshot!("next-follows", told(&["schedule", "follows"]));
    insta::assert_snapshot!("all", told(&["schedule", "--all", "--from", "2026-10-24T12:00:00Z"]));
    let json = project.sluicebox(&["schedule", "gap", "--format", "json", "--from", "2026-03-07T00:00:00Z"]).json();
    assert_eq!(json["next"].as_array().unwrap().len(), 5);
    assert_eq!(json["next"][0]["at"], "2026-03-07T07:30:00Z");
    let wrong = project.sluicebox(&["schedule", "gab"]).with_code(2);
    assert!(wrong.stderr.contains("did you mean `gap`?"), "{}", wrong.stderr);
}

#[test]
fn all_of_a_folder_is_all_of_it() {
    let project = project();
    let all = |arguments: &[&str]| {
        let mut all = vec!["schedule", "--all", "--from", "2026-10-24T12:00:00Z"];
        all.extend(arguments);
        project.sluicebox(&all)
    };
    let empty = all(&[]).with_code(0).stdout;
    assert!(empty.starts_with("there are no pipeline files in "), "{empty}");
    project.file("good.toml", quick("good", "cron = '0 6 * * *'\ntimezone = 'Europe/Berlin'\njitter = '10m'", ""));
    project.file("held.toml", quick("held", "cron = '0 7 * * *'\ntimezone = 'Europe/Berlin'", ""));
    project.file("often.toml", quick("often", "every = '15m'", ""));
    project.file("bad.toml", "[pipeline]\nname = 'bad'\nretries = 'many'\n");
    project.file("odd.toml", quick("odd", "cron = '61 * * * *'", ""));
    project.sluicebox(&["run", "good.toml"]).with_code(0);
    for name in ["held", "often"] {
        project.sluicebox(&["pause", name, "--reason", "the source is moved"]).with_code(0);
    }
    insta::assert_snapshot!("all-of-it", all(&[]).with_code(2).stdout);
    let json = all(&["--format", "json"]).with_code(2).json();
    let files: Vec<&str> = json["broken"].as_array().unwrap().iter().filter_map(|it| it["file"].as_str()).collect();
    assert_eq!(files, ["bad.toml", "odd.toml"]);
    assert_eq!(json["paused"]["held"]["reason"], "the source is moved");
    assert!(json["paused"].get("good").is_none(), "{json}");
    // A broken one is found by its name, and told what is wrong with it.
    let bad = project.sluicebox(&["schedule", "bad"]).with_code(2).stderr;
    assert!(bad.contains("bad.toml:3:") && bad.contains("`retries`"), "{bad}");
    insta::assert_snapshot!(
        "next-held",
        project.sluicebox(&["schedule", "held", "--next", "1", "--from", "2026-10-24T12:00:00Z"]).with_code(0).stdout
    );
    insta::assert_snapshot!(
        "next-jitter",
        project.sluicebox(&["schedule", "good", "--next", "2", "--from", "2026-10-24T12:00:00Z"]).with_code(0).stdout
    );
    let json = project.sluicebox(&["schedule", "held", "--format", "json"]).json();
    assert_eq!(json["paused"]["by"], "cli");
}

#[test]
fn mistakes_in_schedules_are_pointed_at() {
    let project = project();
    let mistakes = [
        ("61 * * * *", "UTC"),
        ("0 6 * *", "UTC"),
        ("0 6 * * mo", "UTC"),
        ("0 0 31 2 *", "UTC"),
        ("*/0 * * * *", "UTC"),
        ("5-1/x * * * *", "UTC"),
        ("@dayly", "UTC"),
        ("@reboot", "UTC"),
        ("0 0 6 * * *", "UTC"),
        ("0 6 * * *", "Europe/Berlyn"),
    ];
    let mut told = String::new();
    for (cron, zone) in mistakes {
        project.file("p.toml", quick("p", &format!("cron = '{cron}'\ntimezone = '{zone}'"), ""));
        let checked = project.sluicebox(&["check", "p.toml"]).with_code(2);
        told += &project.normalise(&checked.stderr);
        told.push('\n');
    }
    insta::assert_snapshot!("mistakes", told);
}

#[test]
fn pipelines_that_follow_each_other_in_a_circle_are_pointed_at() {
    let project = project();
    project.file("a.toml", quick("a", "after = ['c']", ""));
    project.file("b.toml", quick("b", "after = ['a']", ""));
    project.file("deep/c.toml", quick("c", "after = ['b', 'd']", ""));
    project.file("e.toml", quick("e", "every = '1h'", ""));
    let checked = project.sluicebox(&["check", "."]).with_code(2);
    insta::assert_snapshot!("circle", project.normalise(&format!("{}{}", checked.stdout, checked.stderr)));
    // A file alone is checked beside the others.
    let alone = project.sluicebox(&["check", "b.toml"]).with_code(2);
    assert!(alone.stderr.contains("b.toml:"), "{}", alone.stderr);
}
