//! The host is killed: while it runs much at once (the long form is `cargo xtask crash --serve 100`), and again and again in
//! the same run.

use sluicebox_tests::killed::{Tally, kill_hosts};
use sluicebox_tests::serving::{Serving, Store, project, slow, text};

#[test]
fn killed_with_ten_runs_under_way_and_five_queued_the_next_host_makes_it_whole() {
    let mut tally = Tally::default();
    kill_hosts(5, &mut tally);
    assert_eq!(tally.wrong, Vec::<String>::new());
    assert_eq!(tally.kills, 5);
    assert!(tally.repeated >= 5 && tally.waiting >= 25, "{tally:?}");
}

/// As of a run that brings the host down: it is started again a bounded number of times, and then told as failed.
#[test]
fn a_run_in_which_the_host_dies_again_and_again_is_given_up() {
    const TIMES: usize = 8;
    let project = project();
    let tells = "[[alert]]\non = ['failure']\ncommand = ['tee', '-a', 'told.jsonl']";
    project.file("p.toml", slow("p", 60.0, "every = '1h'\ncatch-up = 'latest'", tells));
    Serving::begin(&project).end();
    super::catch_up::pretend(&project, 3601);
    let mut serving = Serving::begin(&project);
    for time in 1..=TIMES {
        serving.runs("p", "running", 1);
        serving.kill();
        serving = Serving::begin(&project);
        let failed = serving.runs("p", "failed", time);
        assert_eq!(failed.len(), time);
    }
    serving.tells("not started again: the host died 8 times in a row while it ran");
    serving.until("it is told", || project.has("told.jsonl").then_some(()));
    let store: Store = serving.end();
    assert_eq!(store.runs("p").len(), TIMES, "{:?}", store.runs("p"));
    assert_eq!(store.alerts("p").len(), 1, "{:?}", store.alerts("p"));
    assert_eq!(text(&store.alerts("p")[0], "kind"), "failure");
}
