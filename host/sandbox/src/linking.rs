//! Taking the place of single functions of an interface.

use crate::state::State;
use wasmtime::component::{Linker, LinkerInstance};

/// Opens an interface that is linked already, to put other functions in the place of some. Fails if it is not there, or has
/// no function of that name: what was meant to be replaced has to be what guests would have got.
pub(crate) fn replacing(
    linker: &mut Linker<State>,
    interface: &str,
    functions: &[&str],
    replace: impl FnOnce(&mut LinkerInstance<'_, State>) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(false);
    for function in functions {
        let free = linker.instance(interface)?.func_wrap(function, |_, (): ()| Ok(()));
        if free.is_ok() {
            return Err(wasmtime::Error::msg(format!("`{interface}` has no `{function}` to replace")));
        }
    }
    linker.allow_shadowing(true);
    let replaced = replace(&mut linker.instance(interface)?);
    linker.allow_shadowing(false);
    replaced
}
