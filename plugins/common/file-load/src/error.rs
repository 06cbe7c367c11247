//! Errors of files as faults for people.

use std::io::{Error, ErrorKind};
use std::path::Path;

use sluicebox_stage::Fault;

use crate::receipt::Receipt;

/// What went wrong with `path` while we tried to `verb` it ("write to", "rename").
pub(crate) fn fault(verb: &str, path: &Path, error: &Error) -> Fault {
    let shown = path.display();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Fault::unavailable(format!("cannot {verb} `{shown}`: the disk is full; free some space, then run again"))
        }
        // What a guest is told of most failures, a full disk included: the streams of WASI keep the reason to themselves.
        _ if cfg!(target_os = "wasi") && error.raw_os_error() == Some(29) => Fault::unavailable(format!(
            "cannot {verb} `{shown}`: the disk is full, can only be read, or fails ({error}); free some space or put that right, then run again"
        )),
        ErrorKind::FileTooLarge => Fault::unavailable(format!(
            "cannot {verb} `{shown}`: the file is larger than the file system takes; load into a folder with mode = \"append\""
        )),
        ErrorKind::ReadOnlyFilesystem => Fault::unavailable(format!(
            "cannot {verb} `{shown}`: its file system can only be read; make it writable, or load to another path"
        )),
        ErrorKind::PermissionDenied => Fault::denied(format!(
            "cannot {verb} `{shown}`: {error}; grant its folder with grants.write = [\"{}\"] and see that the user who runs this may write there",
            granted_folder(path)
        )),
        ErrorKind::IsADirectory => {
            Fault::invalid_config(format!("cannot {verb} `{shown}`: it is a folder; name a file in it"))
        }
        ErrorKind::NotADirectory => Fault::invalid_config(format!(
            "cannot {verb} `{shown}`: a part of the path is a file where a folder is needed"
        )),
        _ => Fault::unavailable(format!("cannot {verb} `{shown}`: {error}")),
    }
}

/// What went wrong as a prepared file was to be shown. Somebody can put each of these right, and nothing is lost.
pub(crate) fn at_commit(verb: &str, receipt: &Receipt, error: &Error) -> Fault {
    let what_to_do = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "make its folder writable for the user who runs this"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full; free some space",
        _ => "see that its folder can be written to and that its disk works",
    };
    Fault::unavailable(format!(
        "cannot {verb} `{}`: {error}; {what_to_do}, then commit again: the rows wait in `{}`",
        receipt.path.display(),
        receipt.temporary.display()
    ))
}

/// The fault of a path of which no folder is there: nothing of it was granted.
pub(crate) fn not_granted(path: &Path) -> Fault {
    Fault::denied(format!(
        "`{}` is not in a folder that this stage may write to; add grants.write = [\"{}\"] to the stage",
        path.display(),
        granted_folder(path)
    ))
}

/// The folder to grant for `path`: its first part, or "." for a bare file name.
fn granted_folder(path: &Path) -> String {
    let mut parts = path.components();
    match (parts.next(), parts.next()) {
        (Some(std::path::Component::RootDir), _) => {
            path.parent().map_or_else(|| "/".to_owned(), |folder| folder.display().to_string())
        }
        (Some(first), Some(_)) => first.as_os_str().to_string_lossy().into_owned(),
        _ => ".".to_owned(),
    }
}
