//! The steps of a load after `prepare`: commit and abort. Both may be called again, on an instance that knows nothing but
//! the receipts.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use sluicebox_stage::Fault;

use crate::disk::{self, folder_of};
use crate::error::{at_commit, fault};
use crate::receipt::Receipt;
use crate::target::Target;

/// Renames every prepared file onto its target, then removes what earlier runs of the same load left: parts that this
/// run does not have, and temporary files. Again after it succeeded, it finds the targets as the receipts say and shows
/// nothing anew. Without receipts nothing was prepared, and nothing is done.
///
/// # Errors
/// `internal` for a receipt that is not ours, `invalid-config` for one of another target, `invalid-data` where a prepared
/// file has another length, `unavailable` for all that somebody can put right: the folder or a prepared file is gone, the
/// folder cannot be written to, a folder stands where the file goes. All files are looked at before the first is renamed,
/// and what was prepared stays for the next try.
pub fn commit(target: &Target, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
    let receipts = Receipt::read_all(target, load_id, receipts)?;
    let Some(first) = receipts.first() else { return Ok(()) };
    let folder = folder_of(&first.path);
    look_at_folder(&folder, first)?;
    let mut waiting = Vec::with_capacity(receipts.len());
    for receipt in &receipts {
        if is_waiting(receipt)? {
            waiting.push(receipt);
        }
    }
    for receipt in waiting {
        disk::rename(&receipt.temporary, &receipt.path).map_err(|error| at_commit("show", receipt, &error))?;
    }
    remove_left(target, load_id, &receipts, &folder)?;
    disk::sync_folder(&folder).map_err(|error| fault("make durable what was renamed in", &folder, &error))
}

/// Removes the temporary files of a load, those of the receipts and any other that bears its id. Never the target, nor
/// what an earlier run of the same load committed.
///
/// # Errors
/// `unavailable` where a file is there and cannot be removed; as [`commit`] for receipts that are not this load's, after
/// all files that bear its id are removed.
pub fn abort(target: &Target, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
    let folder = target.folder();
    let names = match disk::names(&folder) {
        // A folder that is not there, or is none, holds nothing to take back.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Vec::new(),
        Err(error) => return Err(fault("look for temporary files in", &folder, &error)),
        Ok(names) => names,
    };
    for name in names.iter().filter(|name| target.is_temporary(name, load_id)) {
        remove(&folder.join(name))?;
    }
    // All that they name was found by its name.
    Receipt::read_all(target, load_id, receipts).map(|_| ())
}

fn look_at_folder(folder: &Path, first: &Receipt) -> Result<(), Fault> {
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Fault::unavailable(format!(
            "cannot show `{}`: `{}` is a file now, and was a folder that held what was prepared; put the folder back, then commit again",
            first.path.display(),
            folder.display()
        ))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(Fault::unavailable(format!(
                "cannot show `{}`: the folder `{}` is gone, and what was prepared is in it; put it back (is its disk mounted, is it still granted?), then commit again",
                first.path.display(),
                folder.display()
            )))
        }
        Err(error) => Err(at_commit("look at the folder of", first, &error)),
    }
}

/// Whether the file is yet to be renamed; if it is not, it is shown already.
fn is_waiting(receipt: &Receipt) -> Result<bool, Fault> {
    let temporary = receipt.temporary.display();
    let path = receipt.path.display();
    let found = match fs::symlink_metadata(&receipt.temporary) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(at_commit("look at what was prepared for", receipt, &error)),
    };
    if found.as_ref().is_some_and(|found| found.is_file() && found.len() == receipt.bytes) {
        // Follows links: a link to a folder is a folder to everybody who reads.
        return match fs::metadata(&receipt.path) {
            Ok(target) if target.is_dir() => Err(Fault::unavailable(format!(
                "cannot show `{path}`: a folder of that name stands there now; move it away, then commit again: the rows wait in `{temporary}`"
            ))),
            _ => Ok(true),
        };
    }
    if receipt.is_shown().map_err(|error| at_commit("look at", receipt, &error))? {
        return Ok(false);
    }
    match found {
        Some(found) => Err(Fault::invalid_data(format!(
            "`{temporary}` holds {} bytes and was prepared with {}; something wrote to it since: give up this commit, then rerun this run",
            found.len(),
            receipt.bytes
        ))),
        None => Err(Fault::unavailable(format!(
            "`{temporary}` was prepared and is gone, and `{path}` is not the file that was prepared; if its folder was moved away or its disk is not mounted, put it back and commit again, else give up this commit, then rerun this run"
        ))),
    }
}

/// Removes what earlier runs of the load left: what they showed in a folder and this one did not prepare, and temporary
/// files.
fn remove_left(target: &Target, load_id: &str, receipts: &[Receipt], folder: &Path) -> Result<(), Fault> {
    let names = match disk::names(folder) {
        Ok(names) => names,
        // One file has no other parts, and a temporary file does no harm.
        Err(_) if target.is_one_file() => return Ok(()),
        Err(error) => return Err(fault("look for earlier files of this load in", folder, &error)),
    };
    for name in names {
        let path = folder.join(&name);
        let shown_before = !target.is_one_file()
            && target.is_shown(&name, load_id)
            && !receipts.iter().any(|receipt| receipt.path == path);
        if shown_before || target.is_temporary(&name, load_id) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes a file; a folder of such a name is none of ours.
fn remove(path: &Path) -> Result<(), Fault> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
        return Ok(());
    }
    disk::remove(path).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Fault::unavailable(format!(
            "cannot remove `{}`: {error}; make its folder writable, then try again",
            path.display()
        )),
        _ => fault("remove", path, &error),
    })
}
