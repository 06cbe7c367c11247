//! Conducts runs: channels, retries, quarantine and commit
