//! Loads into files, for stages: prepare, commit, abort
