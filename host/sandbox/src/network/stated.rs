//! The limits of the network that no key changes, for `docs/limits.md`.

use super::{connect, http, link_http, live, refused, resolve};
use sluicebox_model::limits::{Bound, Stated};

/// What a stage that is granted the network may open, send and be told.
pub fn stated() -> Vec<Stated> {
    vec![
        Stated::count("HTTP messages, fields and bodies of an instance", link_http::PARTS_MAX),
        Stated::bytes("the fields of a request", link_http::FIELDS_BYTES_MAX),
        Stated::bytes("the path of a request", link_http::PATH_MAX),
        Stated::bytes("the server of a request, as it is named", link_http::AUTHORITY_MAX),
        Stated::bytes("the method and the scheme of a request, each", link_http::WORD_MAX),
        Stated::bytes("the head of an answer", http::HEAD_BYTES_MAX),
        Stated::count("the fields of an answer", http::HEAD_FIELDS_MAX),
        Stated::bytes("what waits in the host of a body that is sent", http::CHUNK_BYTES_MAX),
        Stated::time("how long an answer may be silent", http::SILENT_MAX),
        Stated::time("to look up a name, to connect and to agree on keys", connect::CONNECT_MAX),
        Stated::count("addresses of a name", resolve::ADDRESSES_MAX),
        Stated::count("addresses that an instance was told of, in all", live::ANSWERS_MAX),
        Stated::fixed("the file `network.hosts` names", Bound::Bytes(resolve::HOSTS_BYTES_MAX)),
        Stated::count("refusals that an instance has in the log", refused::TOLD_MAX),
        Stated::count("bytes of what a refusal shows", refused::SHOWN_MAX),
    ]
}
