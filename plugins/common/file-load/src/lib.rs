//! Loads into files, for stages that write them.
//!
//! [`FileLoad`] writes to a temporary file beside the target, hidden and named after the target, the load id and the
//! part. `prepare` makes it durable, [`commit`] renames it onto the target, [`abort`] removes it. Each of the three
//! may be called again, the last two also by another instance that knows only the receipts.
//!
//! A load id is the same for every run of a pipeline for the same interval. So in a folder, `commit` also removes what an
//! earlier run showed under the same id and this one did not prepare: its rows are replaced, and no others.
//!
//! ```text
//! out/.flights.csv.<load-id>.0.tmp   --commit-->   out/flights.csv            mode = "replace"
//! out/.<load-id>-0.csv.<load-id>.0.tmp   -->   out/flights/<load-id>-0.csv    mode = "append", a folder
//! ```
//!
//! [`text`] holds what text formats share: how a number, a date, a time or bytes are written.

mod block;
pub mod cells;
mod commit;
mod disk;
mod error;
mod progress;
mod receipt;
mod steps;
mod target;
pub mod text;
pub mod zstd;

#[cfg(test)]
mod tests;

pub use block::{BlockWriter, Compression};
pub use commit::{abort, commit};
pub use progress::Progress;
pub use receipt::Receipt;
pub use steps::FileLoad;
pub use target::{Mode, Target};
