//! What the extracts of files share: finding files, reading them whatever they were compressed with, and making typed
//! columns of text.

mod block;
pub mod column;
mod error;
mod find;
mod infer;
mod input;
mod kind;
pub mod number;
mod queue;
mod rejects;
pub mod time;

pub use block::{Block, PAD};
pub use column::{Column, Misfit, shown};
pub use error::FileError;
pub use find::{Source, find};
pub use infer::Guess;
pub use input::{Compression, Input};
pub use kind::{KINDS, Kind};
pub use queue::{Paths, Queue, deal_out};
pub use rejects::{BrokenRows, Rejects, toml_key};
pub use time::TimestampParser;
