//! Several files, one after another, and how they are dealt out to instances.

use crate::{Input, Source};
use schemars::JsonSchema;
use serde::Deserialize;

/// One path or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Paths {
    /// one
    One(String),
    /// several
    Many(Vec<String>),
}

impl Paths {
    /// All of them.
    #[must_use]
    pub fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(path) => vec![path],
            Self::Many(paths) => paths,
        }
    }
}

/// The files that are still to be read, and how far the work is.
#[derive(Debug)]
pub struct Queue {
    sources: std::vec::IntoIter<Source>,
    total: u64,
    passed: u64,
    current: u64,
}

impl Queue {
    /// All of them, in order.
    #[must_use]
    pub fn new(sources: Vec<Source>) -> Self {
        let total = sources.iter().map(|source| source.size).sum();
        Self { sources: sources.into_iter(), total, passed: 0, current: 0 }
    }

    /// The next file; the one before counts as read.
    pub fn next_source(&mut self) -> Option<Source> {
        self.passed += self.current;
        let source = self.sources.next();
        self.current = source.as_ref().map_or(0, |source| source.size);
        source
    }

    /// How much is done, 0 to 1, by bytes as they stand on disk. `input` is the file being read.
    #[must_use]
    pub fn progress(&self, input: Option<&Input>) -> f32 {
        if self.total == 0 {
            return 1.0;
        }
        let read = input.map_or(0, |input| input.bytes_read().min(self.current));
        ((self.passed + read) as f64 / self.total as f64).min(1.0) as f32
    }
}

/// Deals the files out into at most `at_most` groups of neighbours, of much the same size in bytes; none is empty.
#[must_use]
pub fn deal_out(sources: Vec<Source>, at_most: usize) -> Vec<Vec<Source>> {
    let at_most = at_most.max(1);
    // Opening a file costs something too.
    let weight = |source: &Source| u128::from(source.size) + 1;
    let total: u128 = sources.iter().map(weight).sum::<u128>().max(1);
    let mut groups: Vec<Vec<Source>> = Vec::new();
    let mut group_of_last = None;
    let mut before = 0_u128;
    for source in sources {
        let weight = weight(&source);
        // The group in which the middle of the file falls.
        let group = ((before + weight / 2) * at_most as u128 / total).min(at_most as u128 - 1);
        before += weight;
        match groups.last_mut() {
            Some(last) if group_of_last == Some(group) => last.push(source),
            _ => groups.push(vec![source]),
        }
        group_of_last = Some(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn dealt(sizes: &[u64], at_most: usize) -> Vec<Vec<u64>> {
        let sources = sizes.iter().map(|size| Source::new(String::new(), *size)).collect();
        deal_out(sources, at_most).iter().map(|group| group.iter().map(|s| s.size).collect()).collect()
    }

    #[test]
    fn files_are_dealt_out_in_order() {
        assert_eq!(dealt(&[5, 5, 5, 5], 2), [[5, 5], [5, 5]]);
        assert_eq!(dealt(&[5, 5], 8), [[5], [5]]);
        assert_eq!(dealt(&[100, 1, 1, 1], 2), [vec![100], vec![1, 1, 1]]);
        assert_eq!(dealt(&[0, 0, 0], 2).concat(), [0, 0, 0]);
        assert_eq!(dealt(&[1, 2, 3], 1), [[1, 2, 3]]);
        assert!(dealt(&[], 3).is_empty());
    }
}
