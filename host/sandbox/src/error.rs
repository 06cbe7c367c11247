//! Why the sandbox could not do something outside of a call. What ends a call is a
//! [`Fault`](sluicebox_model::fault::Fault) instead.

use std::path::PathBuf;

/// The sandbox could not be made, or a plugin could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The cache folder cannot be used.
    #[error("the cache folder {} cannot be used: {reason}", path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The WebAssembly engine cannot start on this machine.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
    /// The component file cannot be read.
    #[error("{} cannot be read: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The component file is larger than `limits.component` allows.
    #[error(
        "{} has {size_bytes} bytes, more than the {max_bytes} that `limits.component` allows; raise it if this file is \
         meant to be so large",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size_bytes: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// The file is another one than when the catalog was made.
    #[error("{} was changed while it was in use (it was {was}, it is {is}); start again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The digest that the catalog saw.
        was: String,
        /// The digest now.
        is: String,
    },
    /// The file is no component, or not one that this host can run.
    #[error("{} is not a plugin that can be used: {reason}", path.display())]
    NotAPlugin {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The component takes more to compile than one of its size may take.
    #[error("{} cannot be compiled: {reason}", path.display())]
    TooMuchToCompile {
        /// The file.
        path: PathBuf,
        /// What it took, and what to do.
        reason: String,
    },
    /// The machine did not let the component be compiled.
    #[error("{} could not be compiled: {reason}", path.display())]
    NotCompiled {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}
