//! The hostile guests that are tried in one process.

use crate::hostile::wat;
use crate::neighbours::{EATS, Hostility, LOOPS, PANICS, TALKS_NONSENSE, of};
use sluicebox_model::fault::FaultKind;
use std::path::Path;

/// Hostilities beside those of the neighbours.
const MORE: &[Hostility] = &[
    of("evil", "mode = 'panic-like-ours'", FaultKind::Trap, "the stage panicked"),
    of("evil", "mode = 'exit', code = 0", FaultKind::Exit, "exit code 0"),
    of("evil", "mode = 'abort'", FaultKind::Trap, "the stage gave up"),
    of("evil", "mode = 'wild-pointer'", FaultKind::Trap, "memory that it does not have"),
    of("evil", "mode = 'loop-in-finish'", FaultKind::Timeout, "ran longer than"),
    of("evil", "mode = 'tiny-calls', times = 1000000000000", FaultKind::Timeout, "ran longer than"),
    of("evil", "mode = 'small-batches', times = 10000000", FaultKind::Timeout, "ran longer than"),
    of("evil", "mode = 'fault-like-ours'", FaultKind::Unavailable, "the stage misused"),
    of("evil", "mode = 'long-fault', bytes = 10000000", FaultKind::Internal, "xxx"),
    of("evil", "mode = 'huge-answer', bytes = 40000000", FaultKind::Memory, "the limit is 48MiB"),
    of("evil", "mode = 'take-many', times = 2000000", FaultKind::Limit, "would hold"),
    of("evil", "mode = 'rows-without-columns'", FaultKind::Contract, "without columns"),
    of("evil", "mode = 'many-columns', times = 110000", FaultKind::Contract, "more than 100000 columns"),
    of("evil", "mode = 'long-name', bytes = 10000000", FaultKind::Contract, "10000000 bytes"),
    of("evil", "mode = 'mask-long'", FaultKind::Contract, "the mask has"),
    of("evil", "mode = 'take-past-end'", FaultKind::Contract, "does not exist"),
    of("evil", "mode = 'concat-mixed'", FaultKind::Contract, "the first has"),
    of("evil", "mode = 'decimal-too-wide'", FaultKind::Contract, "forged"),
    of("evil", "mode = 'validity-long'", FaultKind::Contract, "validity"),
    of("evil", "mode = 'name-twice'", FaultKind::Contract, "two columns"),
    of("evil", "mode = 'ipc-garbage'", FaultKind::Contract, "stream"),
    of("evil", "mode = 'ipc-rows'", FaultKind::Contract, "1000000000 rows"),
    of("evil", "mode = 'ipc-trailing'", FaultKind::Contract, "behind its end"),
    of("evil", "mode = 'answers-no-columns'", FaultKind::Contract, "0 columns"),
    of("evil", "mode = 'read-file', path = '/etc/passwd'", FaultKind::Denied, "/etc/passwd"),
    of("evil-extract", "mode = 'empty-for-ever'", FaultKind::Limit, "pages without rows"),
    of("evil-extract", "mode = 'nulls', on = 3", FaultKind::Contract, "nulls"),
    of("evil-validate", "mode = 'mask-short'", FaultKind::Contract, "the mask has"),
    of("evil-validate", "mode = 'finding-twice'", FaultKind::Contract, "twice"),
    of("evil-load", "mode = 'long-receipt'", FaultKind::Memory, "the limit is 48MiB"),
];

/// Those that reach for what is not theirs.
const REACHES: &[Hostility] = &[
    of("evil", "mode = 'read-file', path = 'data/../secret/key'", FaultKind::Denied, "secret/key").with(FOLDERS),
    of("evil", "mode = 'write-file', path = 'data/new'", FaultKind::Denied, "data/new").with(FOLDERS),
    of("evil", "mode = 'remove-file', path = 'data/rows.csv'", FaultKind::Denied, "data/rows.csv").with(FOLDERS),
    of("evil", "mode = 'list-folder', path = '/proc'", FaultKind::Denied, "/proc").with(FOLDERS),
    of("evil", "mode = 'make-link', path = 'own/link', target = '/etc/passwd'", FaultKind::Denied, "own/link")
        .with(FOLDERS),
    of("evil", "mode = 'hard-link', path = 'own/link', target = 'data/rows.csv'", FaultKind::Denied, "own/link")
        .with(FOLDERS),
    of("evil", "mode = 'rename', path = 'own/file', target = 'data/file'", FaultKind::Denied, "own/file").with(FOLDERS),
    of("evil", "mode = 'ipc-file', path = 'data/stream'", FaultKind::Contract, "2147483647").with(FOLDERS),
    of("evil-network", "mode = 'get', url = 'http://127.0.0.1:1/'", FaultKind::Denied, REFUSED),
    of("evil-network", "mode = 'panic-if-refused', url = 'http://127.0.0.1:1/'", FaultKind::Trap, "panicked"),
    of("evil-network", "mode = 'tcp-raw', to = '169.254.169.254:80'", FaultKind::Denied, REFUSED),
    of("evil-network", "mode = 'resolve', name = 'elsewhere.example'", FaultKind::Denied, REFUSED),
    of("evil-network", "mode = 'udp', to = '127.0.0.1:1'", FaultKind::Denied, REFUSED),
    of("evil-network", "mode = 'listen-raw'", FaultKind::Denied, REFUSED).with("grants.tcp = ['127.0.0.1:1']"),
    of("evil-network", "mode = 'hoard-fields'", FaultKind::Limit, "512 HTTP messages"),
    of("evil-network", "mode = 'hoard-bodies'", FaultKind::Limit, "512 HTTP messages"),
    of("evil-network", "mode = 'long-method'", FaultKind::Denied, "the method was not taken"),
];

/// What the host says of what the network was asked for.
const REFUSED: &str = "the stage was refused ";

const FOLDERS: &str = "grants.read = ['data']\ngrants.write = ['own']";

/// Those whose rows are set aside.
const SET_ASIDE: &[Hostility] = &[
    of("evil", "mode = 'panic', on = 0", FaultKind::Threshold, "hardly the cause").with("on-fault = 'quarantine'"),
    of("evil", "mode = 'panic-on-every', column = 'id', times = 655", FaultKind::Threshold, "rows were at fault")
        .with("on-fault = 'quarantine'\nreject.at-most = 50"),
    of("evil", "mode = 'flood-quarantine', times = 10000", FaultKind::Threshold, "could not be made rows")
        .with("on-fault = 'quarantine'\nreject.at-most = 10"),
    of("evil-extract", "mode = 'quarantine-then-panic', on = 3", FaultKind::Trap, "a panic after quarantine"),
    of("evil-validate", "mode = 'reject-all'", FaultKind::Threshold, "rows were rejected")
        .with("reject.at-most = '5%'"),
];

/// All of them; those that are written by hand are put into the folder, for the host to find.
pub(super) fn all_with(folder: &Path) -> Vec<Hostility> {
    [PANICS, LOOPS, EATS, TALKS_NONSENSE, MORE, REACHES, SET_ASIDE, &wat::all_into(folder)].concat()
}
