//! `sluicebox.toml` beside a pipeline file: how long is kept what runs leave behind.

use super::parse::syntax;
use super::read::{Problems, Table};
use super::{Problem, units};
use crate::retention::Retention;
use std::time::Duration;
use toml::de::DeTable;

/// A hundred years.
const DAYS_MAX: u32 = 36_500;

/// Reads the text of a `sluicebox.toml`.
///
/// # Errors
/// All that is wrong, in the order of the file.
pub fn settings(text: &str) -> Result<Retention, Vec<Problem>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax(text, &errors));
    }
    let mut problems = Problems::default();
    let root = Table::new(root.get_ref(), 0..text.lines().next().unwrap_or_default().len(), "the file");
    root.known_keys(&["retention"], &[], &mut problems);
    let mut retention = Retention::default();
    if let Some(value) = root.get("retention")
        && let Some(table) = Table::from_value(value, "`[retention]`", &mut problems)
    {
        table.known_keys(&["checkpoints", "runs"], &[], &mut problems);
        let days = |table: &Table<'_>, problems: &mut Problems| {
            let days = table.whole("days", 0, DAYS_MAX, problems);
            days.map(|days| Duration::from_secs(u64::from(days) * 86_400))
        };
        if let Some(checkpoints) = table.table("checkpoints", &mut problems) {
            checkpoints.known_keys(&["days", "size"], &[], &mut problems);
            retention.checkpoints_for = days(&checkpoints, &mut problems).unwrap_or(retention.checkpoints_for);
            let size = checkpoints.quantity("size", "a size", units::size, &mut problems);
            retention.checkpoints_bytes_max = size.unwrap_or(retention.checkpoints_bytes_max);
        }
        if let Some(runs) = table.table("runs", &mut problems) {
            runs.known_keys(&["days"], &[("size", "only checkpoints are bounded by size")], &mut problems);
            retention.runs_for = days(&runs, &mut problems).unwrap_or(retention.runs_for);
        }
    }
    if problems.0.is_empty() { Ok(retention) } else { Err(problems.0) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn settings_are_read() {
        assert_eq!(settings("").unwrap(), Retention::default());
        let day = Duration::from_secs(86_400);
        let read = settings("[retention]\ncheckpoints = { days = 1, size = \"1KiB\" }\nruns = { days = 0 }\n").unwrap();
        let wanted = Retention { checkpoints_for: day, checkpoints_bytes_max: 1024, runs_for: Duration::ZERO };
        assert_eq!(read, wanted);
        for (text, told) in [
            ("[retantion]", "unknown key `retantion` in the file"),
            ("[retention]\nruns = { days = -1 }", "`runs.days` of `[retention]` cannot be -1"),
            (
                "[retention]\ncheckpoints = { size = \"10\" }",
                "`checkpoints.size` of `[retention]`: \"10\" is not a size",
            ),
            ("[retention", "this is not TOML: "),
        ] {
            let problems = settings(text).unwrap_err();
            assert!(problems.iter().any(|problem| problem.message.starts_with(told)), "{text}: {problems:?}");
        }
    }
}
