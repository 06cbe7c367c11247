//! The host is killed while it runs much at once. The long form is `cargo xtask crash --serve 100`.

use sluicebox_tests::killed::{Tally, kill_hosts};

#[test]
fn killed_with_ten_runs_under_way_and_five_queued_the_next_host_makes_it_whole() {
    let mut tally = Tally::default();
    kill_hosts(5, &mut tally);
    assert_eq!(tally.wrong, Vec::<String>::new());
    assert_eq!(tally.kills, 5);
    assert!(tally.repeated >= 5 && tally.waiting >= 25, "{tally:?}");
}
