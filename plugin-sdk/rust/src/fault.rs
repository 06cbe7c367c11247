//! Why a stage could not do what it was asked.

use std::{fmt, io};

/// What sort of fault it is; the host decides by it whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// the options do not fit: the author of the pipeline has to change the file
    InvalidConfig,
    /// the data cannot be worked on
    InvalidData,
    /// something was needed that the stage was not granted
    Denied,
    /// something outside does not answer now; the only kind that is worth trying again
    Unavailable,
    /// a mistake in the stage itself
    Internal,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidConfig => "invalid-config",
            Self::InvalidData => "invalid-data",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        })
    }
}

/// Why a stage could not do what it was asked. The message is for people: what is wrong, where, and what to do instead.
///
/// ```
/// use sluicebox_stage::Fault;
/// let fault = Fault::invalid_data("air_time is 0, so there is no speed").at_row(17);
/// assert_eq!(fault.to_string(), "invalid-data: air_time is 0, so there is no speed (row 17)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What sort of fault it is.
    pub kind: FaultKind,
    /// For people: what is wrong, where, and what to do instead.
    pub message: String,
    /// The first row at fault, counted from 0 within the batch of this call, where it is known.
    pub row: Option<u32>,
}

impl Fault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), row: None }
    }

    /// The options do not fit.
    pub fn invalid_config(message: impl Into<String>) -> Self {
        Self::new(FaultKind::InvalidConfig, message)
    }

    /// The data cannot be worked on.
    pub fn invalid_data(message: impl Into<String>) -> Self {
        Self::new(FaultKind::InvalidData, message)
    }

    /// Something was needed that was not granted.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Denied, message)
    }

    /// Something outside does not answer now; trying again may help.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Unavailable, message)
    }

    /// A mistake in the stage itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Internal, message)
    }

    /// What went wrong with a file, told with its path: an [`io::Error`] alone does not know it.
    ///
    /// ```
    /// use sluicebox_stage::Fault;
    /// let read = |path: &str| std::fs::read(path).map_err(Fault::of_file(path));
    /// assert!(read("no/such.file").unwrap_err().message.starts_with("no/such.file: "));
    /// ```
    pub fn of_file(path: impl AsRef<std::path::Path>) -> impl FnOnce(io::Error) -> Self {
        move |error| {
            let path = path.as_ref();
            let is_missing = error.kind() == io::ErrorKind::NotFound;
            let mut fault = Self::from(error).within(path.display());
            if is_missing && cfg!(target_family = "wasm") && is_outside(path) {
                fault.kind = FaultKind::Denied;
            }
            fault
        }
    }

    /// The same at this row of the batch of the call, counted from 0.
    #[must_use]
    pub fn at_row(mut self, row: usize) -> Self {
        self.row = u32::try_from(row).ok();
        self
    }

    /// The same with `what` and a colon before the message, e.g. the path of the file at fault.
    #[must_use]
    pub fn within(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

/// Whether a path that is not there is in no granted folder: then what it begins with is not there either.
fn is_outside(path: &std::path::Path) -> bool {
    let first = path.components().find(|part| !matches!(part, std::path::Component::CurDir));
    !std::path::Path::new(".").is_dir() && first.is_none_or(|first| !std::path::Path::new(&first).is_dir())
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        match self.row {
            Some(row) => write!(f, " (row {row})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

/// ENOTCAPABLE of WASI: the path is in no folder that was granted.
#[cfg(target_family = "wasm")]
const NOT_CAPABLE: Option<i32> = Some(76);
#[cfg(not(target_family = "wasm"))]
const NOT_CAPABLE: Option<i32> = None;

/// EIO, for which the standard library has no kind.
const IO: i32 = if cfg!(target_family = "wasm") { 29 } else { 5 };

impl From<io::Error> for Fault {
    /// As in all SDKs: docs/plugins.md has the table. A file that is not there is the pipeline's mistake, one that may not be touched lacks a grant, and what was
    /// slow or interrupted is worth another try.
    fn from(error: io::Error) -> Self {
        use io::ErrorKind;
        let not_granted = (NOT_CAPABLE.is_some() && error.raw_os_error() == NOT_CAPABLE)
            || error.to_string().contains("pre-opened file descriptor");
        if not_granted {
            return Self::denied(
                "the path is in no folder that the stage was granted; \
                 add its folder to grants.read (or grants.write, to write) of the stage",
            );
        }
        match error.kind() {
            ErrorKind::PermissionDenied => Self::denied(format!(
                "{error}; add the folder to grants.read of the stage to read there, to grants.write to write there"
            )),
            ErrorKind::ReadOnlyFilesystem => {
                Self::denied(format!("{error}; add the folder to grants.write of the stage"))
            }
            // Without any granted folder, every path is one that is not there.
            ErrorKind::NotFound => Self::invalid_config(format!(
                "{error}; a stage sees only the folders of its grants.read and grants.write"
            )),
            ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidFilename
            | ErrorKind::AlreadyExists
            | ErrorKind::DirectoryNotEmpty => Self::invalid_config(error.to_string()),
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Self::invalid_data(error.to_string()),
            ErrorKind::TimedOut
            | ErrorKind::Interrupted
            | ErrorKind::WouldBlock
            | ErrorKind::ResourceBusy
            | ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::NotConnected
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::BrokenPipe => Self::unavailable(error.to_string()),
            _ if error.raw_os_error() == Some(IO) => Self::unavailable(error.to_string()),
            _ => Self::internal(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn io_errors_become_faults_by_kind() {
        use io::ErrorKind::*;
        let of = |kind| Fault::from(io::Error::new(kind, "x")).kind;
        for kind in [NotFound, IsADirectory, NotADirectory, InvalidFilename, AlreadyExists, DirectoryNotEmpty] {
            assert_eq!(of(kind), FaultKind::InvalidConfig, "{kind}");
        }
        for kind in [PermissionDenied, ReadOnlyFilesystem] {
            assert_eq!(of(kind), FaultKind::Denied, "{kind}");
        }
        let of_files = [StorageFull, QuotaExceeded, ResourceBusy, WouldBlock, Interrupted, TimedOut];
        let of_connections = [
            ConnectionRefused,
            ConnectionReset,
            ConnectionAborted,
            NotConnected,
            HostUnreachable,
            NetworkUnreachable,
            NetworkDown,
            BrokenPipe,
        ];
        for kind in of_files.into_iter().chain(of_connections) {
            assert_eq!(of(kind), FaultKind::Unavailable, "{kind}");
        }
        assert_eq!(Fault::from(io::Error::from_raw_os_error(IO)).kind, FaultKind::Unavailable);
        assert_eq!(of(UnexpectedEof), FaultKind::InvalidData);
        for kind in [Other, CrossesDevices] {
            assert_eq!(of(kind), FaultKind::Internal, "{kind}");
        }
        let fault = Fault::from(io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(fault.message.contains("grants.read") && fault.message.contains("grants.write"), "{fault}");
        let preopen = "failed to find a pre-opened file descriptor through which \"x\" could be opened";
        assert_eq!(Fault::from(io::Error::other(preopen)).kind, FaultKind::Denied);
    }

    #[test]
    fn within_names_what_was_at_work() {
        let fault = Fault::invalid_data("not a number").within("data/x.csv:3");
        assert_eq!(fault.to_string(), "invalid-data: data/x.csv:3: not a number");
    }
}
