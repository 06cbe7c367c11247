//! How many files and connections the process may have open.

/// Raises the bound of open files as far as the system lets it: a connection each, and the usual bound is 1,024.
#[cfg(unix)]
pub(super) fn raise() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // Should it not be allowed, the bound stays, and connections beyond it wait.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

#[cfg(not(unix))]
pub(super) fn raise() {}
