//! What the extracts of files share: finding files, reading them whatever they were compressed with, and making typed
//! columns of text.

mod appended;
mod block;
mod bookmark;
pub mod column;
mod error;
mod extract;
mod find;
mod format;
mod infer;
mod input;
mod kind;
mod layout;
mod mark;
mod new_files;
pub mod number;
mod queue;
mod reader;
mod rejects;
mod settings;
pub mod time;

pub use block::{Block, PAD};
pub use column::{Column, Misfit, shown};
pub use error::FileError;
pub use extract::FileExtract;
pub use find::{Source, find};
pub use format::{FileFormat, FormatFile, Rows, block_for, open_input};
pub use infer::Guess;
pub use input::{Compression, Input};
pub use kind::{KINDS, Kind};
pub use layout::{Layout, Selected};
pub use mark::Mark;
pub use queue::{Paths, Queue, deal_out};
pub use rejects::{BrokenRows, Rejects, toml_key};
pub use settings::{FileOptions, FileSettings, Incremental, defaults};
pub use time::TimestampParser;

#[doc(hidden)]
pub use sluicebox_stage as stage;
