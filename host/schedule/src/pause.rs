//! `pause-after = N`: a pipeline that fails again and again is paused.

use sluicebox_model::run::RunState;

/// How many of the last runs failed in a row. `newest_first` is how its runs ended since it was last resumed, the newest
/// first. A run that was cancelled, or has not ended, says nothing.
pub fn failures_in_a_row(newest_first: impl IntoIterator<Item = RunState>) -> u32 {
    let mut failures = 0;
    for state in newest_first {
        match state {
            RunState::Succeeded => break,
            RunState::Failed => failures += 1,
            _ => {}
        }
    }
    failures
}

/// Why a pipeline is to be paused, if it is.
pub fn pause(pause_after: Option<u32>, newest_first: impl IntoIterator<Item = RunState>) -> Option<String> {
    let most = pause_after?;
    // A run of the far past changes nothing any more.
    let failures = failures_in_a_row(newest_first.into_iter().take(10_000));
    (failures >= most).then(|| match failures {
        1 => "its last run failed (`pause-after = 1`)".to_owned(),
        _ => format!("its last {failures} runs failed (`pause-after = {most}`)"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use RunState::{Cancelled, Failed, Running, Succeeded};

    #[test]
    fn failures_are_counted_up_to_the_last_success() {
        for (states, failures) in [
            (vec![], 0),
            (vec![Succeeded, Failed], 0),
            (vec![Failed, Failed, Succeeded, Failed], 2),
            (vec![Running, Failed, Cancelled, Failed], 2),
        ] {
            assert_eq!(failures_in_a_row(states.clone()), failures, "{states:?}");
            assert_eq!(pause(Some(2), states.clone()).is_some(), failures >= 2);
            assert_eq!(pause(None, states), None);
        }
        let told = pause(Some(2), [Failed, Failed, Failed]);
        assert_eq!(told.as_deref(), Some("its last 3 runs failed (`pause-after = 2`)"));
    }
}
