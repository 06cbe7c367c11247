//! `pause-after = N`: a pipeline that fails again and again is paused.

/// Why a pipeline is to be paused, if it is. `failures`: how many of its runs failed in a row, since it was last resumed; the
/// attempts of one run are one failure.
pub fn pause(pause_after: Option<u32>, failures: u64) -> Option<String> {
    let most = pause_after?;
    (failures >= u64::from(most)).then(|| match failures {
        1 => "its last run failed (`pause-after = 1`)".to_owned(),
        _ => format!("its last {failures} runs failed (`pause-after = {most}`)"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_is_paused_at_its_number_and_past_it() {
        assert_eq!(pause(None, 9), None);
        assert_eq!(pause(Some(2), 1), None);
        assert_eq!(pause(Some(1), 1).as_deref(), Some("its last run failed (`pause-after = 1`)"));
        assert_eq!(pause(Some(2), 3).as_deref(), Some("its last 3 runs failed (`pause-after = 2`)"));
    }
}
