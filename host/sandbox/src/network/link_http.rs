//! `wasi:http` with bounds: what a guest may keep of it in the host.

use crate::limiter::Passed;
use crate::linking::replacing;
use crate::state::State;
use std::any::Any;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host as _;
use wasmtime_wasi_http::p2::bindings::http::types::{
    self, ErrorCode, HeaderError, HostFields as _, HostOutgoingRequest as _, Method, Scheme,
};
use wasmtime_wasi_http::p2::body::{HostIncomingBody, HostOutgoingBody};
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingResponse, HostOutgoingRequest, HostOutgoingResponse,
};
use wasmtime_wasi_http::{FieldMap, RequestOptions, WasiHttpCtxView, WasiHttpView};

/// Bytes of the fields of a message that a guest makes, as the host keeps them.
pub(super) const FIELDS_BYTES_MAX: usize = 64 * 1024;
/// Messages, their fields and their bodies that an instance may have at once.
pub(super) const PARTS_MAX: usize = 512;
/// Bytes of the path of a request, of the name of its server, and of its method.
pub(super) const PATH_MAX: usize = 16 * 1024;
pub(super) const AUTHORITY_MAX: usize = 512;
pub(super) const WORD_MAX: usize = 64;

const TYPES: &str = "wasi:http/types@0.2.12";
const HANDLER: &str = "wasi:http/outgoing-handler@0.2.12";

type Store<'a> = StoreContextMut<'a, State>;

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    let functions = [
        "[constructor]fields",
        "[static]fields.from-list",
        "[method]fields.clone",
        "[constructor]outgoing-request",
        "[constructor]outgoing-response",
        "[method]outgoing-request.set-method",
        "[method]outgoing-request.set-scheme",
        "[method]outgoing-request.set-authority",
        "[method]outgoing-request.set-path-with-query",
    ];
    replacing(linker, TYPES, &functions, |it| {
        it.func_wrap("[constructor]fields", |mut store: Store<'_>, (): ()| {
            Ok((types::HostFields::new(&mut room(&mut store)?)?,))
        })?;
        it.func_wrap("[static]fields.from-list", |mut store: Store<'_>, (entries,): (Vec<(String, Vec<u8>)>,)| {
            match room(&mut store)?.from_list(entries) {
                Ok(fields) => Ok((Ok(fields),)),
                Err(error) => Ok((Err::<Resource<FieldMap>, HeaderError>(error.downcast()?),)),
            }
        })?;
        it.func_wrap("[method]fields.clone", |mut store: Store<'_>, (fields,): (Resource<FieldMap>,)| {
            Ok((types::HostFields::clone(&mut room(&mut store)?, fields)?,))
        })?;
        it.func_wrap("[constructor]outgoing-request", |mut store: Store<'_>, (fields,): (Resource<FieldMap>,)| {
            Ok((types::HostOutgoingRequest::new(&mut room(&mut store)?, fields)?,))
        })?;
        it.func_wrap("[constructor]outgoing-response", |mut store: Store<'_>, (fields,): (Resource<FieldMap>,)| {
            Ok((types::HostOutgoingResponse::new(&mut room(&mut store)?, fields)?,))
        })?;
        it.func_wrap(
            "[method]outgoing-request.set-method",
            |mut store: Store<'_>, (request, method): (Resource<HostOutgoingRequest>, Method)| match &method {
                Method::Other(word) if word.len() > WORD_MAX => Ok((Err(()),)),
                _ => Ok((store.data_mut().http().set_method(request, method)?,)),
            },
        )?;
        it.func_wrap(
            "[method]outgoing-request.set-scheme",
            |mut store: Store<'_>, (request, scheme): (Resource<HostOutgoingRequest>, Option<Scheme>)| match &scheme {
                Some(Scheme::Other(word)) if word.len() > WORD_MAX => Ok((Err(()),)),
                _ => Ok((store.data_mut().http().set_scheme(request, scheme)?,)),
            },
        )?;
        it.func_wrap(
            "[method]outgoing-request.set-authority",
            |mut store: Store<'_>, (request, text): (Resource<HostOutgoingRequest>, Option<String>)| {
                if text.as_ref().is_some_and(|text| text.len() > AUTHORITY_MAX) {
                    return Ok((Err(()),));
                }
                Ok((store.data_mut().http().set_authority(request, text)?,))
            },
        )?;
        it.func_wrap(
            "[method]outgoing-request.set-path-with-query",
            |mut store: Store<'_>, (request, text): (Resource<HostOutgoingRequest>, Option<String>)| {
                if text.as_ref().is_some_and(|text| text.len() > PATH_MAX) {
                    return Ok((Err(()),));
                }
                Ok((store.data_mut().http().set_path_with_query(request, text)?,))
            },
        )
    })?;
    replacing(linker, HANDLER, &["handle"], |it| {
        it.func_wrap(
            "handle",
            |mut store: Store<'_>,
             (request, options): (Resource<HostOutgoingRequest>, Option<Resource<RequestOptions>>)| {
                match room(&mut store)?.handle(request, options) {
                    Ok(future) => Ok((Ok(future),)),
                    Err(error) => Ok((Err::<Resource<HostFutureIncomingResponse>, ErrorCode>(error.downcast()?),)),
                }
            },
        )
    })
}

/// The context of a call that makes the instance keep more in the host. Fails where it keeps enough.
fn room<'a>(store: &'a mut Store<'_>) -> wasmtime::Result<WasiHttpCtxView<'a>> {
    let state = store.data_mut();
    if state.table.iter_mut().filter(|entry| is_part(&**entry)).count() >= PARTS_MAX {
        return Err(Passed::Messages { max: PARTS_MAX }.into());
    }
    Ok(state.http())
}

fn is_part(entry: &(dyn Any + Send)) -> bool {
    entry.is::<FieldMap>()
        || entry.is::<HostOutgoingRequest>()
        || entry.is::<HostOutgoingResponse>()
        || entry.is::<HostOutgoingBody>()
        || entry.is::<HostFutureIncomingResponse>()
        || entry.is::<HostIncomingResponse>()
        || entry.is::<HostIncomingBody>()
}
