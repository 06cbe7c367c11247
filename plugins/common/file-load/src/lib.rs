//! Loads into files, for stages that write them.
//!
//! [`FileLoad`] writes to a temporary file beside the target, hidden and named after the target, the load id and the
//! part. `prepare` makes it durable, [`commit`] renames it onto the target, [`abort`] removes it. Each of the three
//! may be called again, also by another instance that knows only the receipts.
//!
//! ```text
//! out/.flights.csv.<load-id>.0.tmp   --commit-->   out/flights.csv            mode = "replace"
//! out/.<load-id>-0.csv.<load-id>.0.tmp   -->   out/flights/<load-id>-0.csv    mode = "append", a folder
//! ```
//!
//! [`text`] holds what text formats share: how a number, a date, a time or bytes are written.

mod block;
pub mod cells;
mod error;
mod steps;
mod target;
pub mod text;

pub use block::{BlockWriter, Compression};
pub use steps::{FileLoad, Receipt, abort, commit};
pub use target::{Mode, Target};
