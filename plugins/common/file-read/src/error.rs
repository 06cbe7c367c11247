//! What can go wrong with a file that a stage reads.

/// Why a file cannot be read. The text is for people: what is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A pattern is malformed or finds nothing: the author of the pipeline has to change it.
    #[error("{0}")]
    Config(String),
    /// The stage was not granted the folder (or it is not there: from inside, both look alike).
    #[error("{0}")]
    Denied(String),
    /// The content cannot be worked on, e.g. a gzip file that ends early.
    #[error("{0}")]
    Data(String),
    /// Reading failed outside; trying again may help.
    #[error("{0}")]
    Unavailable(String),
}

impl FileError {
    /// Sorts an error of opening `path`.
    pub(crate) fn opening(path: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::PermissionDenied => Self::Denied(format!("{path} may not be read: {error}")),
            ErrorKind::NotFound => Self::Config(format!("{path} is not there")),
            ErrorKind::IsADirectory => {
                Self::Config(format!("{path} is a folder; to read all files in it write \"{path}/*\""))
            }
            _ => Self::Unavailable(format!("{path} cannot be opened: {error}")),
        }
    }
}

impl From<FileError> for sluicebox_stage::Fault {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Config(message) => Self::invalid_config(message),
            FileError::Denied(message) => Self::denied(message),
            FileError::Data(message) => Self::invalid_data(message),
            FileError::Unavailable(message) => Self::unavailable(message),
        }
    }
}
