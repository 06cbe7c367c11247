//! The limits of the API, for `docs/limits.md`.

use super::{AT_WORK, ApiLimits, runs, serve};
use sluicebox_model::limits::{Bound, Stated};

/// How much a client may send and ask for, and how long it is waited for.
pub fn stated() -> Vec<Stated> {
    // Taken apart, so that a limit that is added is not forgotten here.
    let ApiLimits { head, body, write, request, keep_alive, grace, body_bytes, connections, streams } =
        ApiLimits::default();
    vec![
        Stated::count("connections", connections),
        Stated::count("event streams among them", streams),
        Stated::count("requests at work at once; others wait", AT_WORK),
        Stated::bytes("the head of a request", serve::HEAD_BYTES_MAX),
        Stated::count("lines of the head of a request", serve::HEAD_LINES_MAX),
        Stated::bytes("the body of a request", body_bytes),
        Stated::time("until the head of a request is there", head),
        Stated::time("until the body of a request is there", body),
        Stated::time("until the answer begins", request),
        Stated::time("until the client takes more of an answer", write),
        Stated::time("between comments on a quiet event stream", keep_alive),
        Stated::time("a client that was answered early may go on talking for", serve::LINGER),
        Stated::time("for requests under way as the host ends", grace),
        Stated::fixed("entries of a page", Bound::Count(runs::PAGE_MAX)),
        Stated::count("lines of a log that one request looks at", runs::LINES_MAX as usize),
    ]
}
