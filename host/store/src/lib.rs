//! The store: the journal of runs and what they left, in SQLite
