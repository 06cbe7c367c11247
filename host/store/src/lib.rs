//! The store: the journal of runs and what they left, in SQLite. The only crate that names the database.
//!
//! Everything stands in one folder: `store.sqlite`, and `runs/RUN/quarantine/STAGE-N.arrow` with the rows that were set
//! aside, as Arrow IPC streams with the reason as the last column. Several processes may use it at once.

mod alerts;
mod bookmarks;
mod dealt;
mod error;
mod failed;
mod feed;
mod figures;
mod house;
mod journal;
mod json;
mod lock;
mod quarantine;
mod query;
mod queue;
mod retention;
mod schedules;
mod schema;
mod stated;
mod store;
#[cfg(test)]
mod tests;
mod watch;
mod whole;
mod witness;

pub use alerts::Failures;
pub use bookmarks::Bookmark;
pub use dealt::{Dealt, LoadedByReplay, SetAside};
pub use error::StoreError;
pub use feed::JournalEntry;
pub use figures::{Durations, Figures, QueueLength, RunTotals};
pub use house::HouseFilter;
pub use lock::{Holder, RunLock};
pub use quarantine::{QuarantineEntry, QuarantineKind, ReasonCount};
pub use query::{LogEntry, RunFilter, RunSummary};
pub use retention::Remains;
pub use stated::stated;
pub use store::Store;
pub use watch::Change;
