//! Compiling beside runs: on threads of their own, which step back for everything else.

use rayon::{ThreadPool, ThreadPoolBuilder};

/// The threads that compile in the background: half of the cores, at least one.
pub(crate) fn pool() -> Option<ThreadPool> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    ThreadPoolBuilder::new()
        .num_threads((cores / 2).max(1))
        .thread_name(|number| format!("sluicebox-compile-{number}"))
        .start_handler(|_| step_back())
        .build()
        .ok()
}

/// Lets this thread run only where a core has nothing better to do. Without it the compiler still has only half of them.
pub(crate) fn step_back() {
    // Of a thread on Linux; elsewhere it would be of the whole process.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 19);
}
