//! What a stage may reach, as WASI sees it: nothing but its grants.

use crate::console::{Console, ConsoleStream};
use crate::network::{self, Net};
use crate::own_world::{OwnWorld, StandingClock, insecure_seed};
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::grant::Grants;
use sluicebox_model::stage::{LogSource, RunContext};
use std::path::Path;
use std::sync::Arc;
use wasmtime_wasi::{FsPerms, WasiCtx};

/// The call that faults of this module belong to.
const CALL: &str = "instantiate";

/// The context of one instance.
pub(crate) fn context(
    grants: &Grants,
    root: &Path,
    run: &RunContext,
    world: &OwnWorld,
    console: &Console,
    net: &Net,
) -> Result<WasiCtx, Box<Fault>> {
    let mut wasi = WasiCtx::builder();
    // An instance has a thread of its own, so files are read on it.
    wasi.allow_blocking_current_thread(true);
    wasi.allow_tcp(!grants.tcp.is_empty()).allow_udp(false).allow_ip_name_lookup(false);
    if !grants.tcp.is_empty() {
        let live = Arc::clone(&net.live);
        wasi.socket_addr_check(move |address, wanted| {
            let granted = network::check(&live, address, wanted);
            Box::pin(std::future::ready(granted))
        });
    }
    wasi.stdout(ConsoleStream { console: console.clone(), source: LogSource::Stdout });
    wasi.stderr(ConsoleStream { console: console.clone(), source: LogSource::Stderr });
    if !grants.clock {
        wasi.wall_clock(StandingClock::new(run)).monotonic_clock(world.monotonic_clock());
    }
    if !grants.random {
        wasi.secure_random(world.secure_random())
            .insecure_random(world.insecure_random())
            .insecure_random_seed(insecure_seed(run));
    }
    for name in &grants.env {
        let value = std::env::var(name).map_err(|error| {
            let problem = match error {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is not UTF-8",
            };
            let message = format!("the environment variable `{name}`, granted by `grants.env`, {problem}");
            Box::new(
                Fault::new(FaultKind::InvalidConfig, CALL, message)
                    .with_help(format!("set `{name}`, or take it out of `grants.env`")),
            )
        })?;
        wasi.env(name, value);
    }
    for path in &grants.write {
        let folder = root.join(path);
        std::fs::create_dir_all(&folder)
            .map_err(|error| folder_fault("grants.write", path, &folder, &format!("cannot be made: {error}")))?;
        preopen(&mut wasi, "grants.write", path, &folder, FsPerms::ReadWrite)?;
    }
    for path in grants.read.iter().filter(|path| !grants.write.contains(path)) {
        preopen(&mut wasi, "grants.read", path, &root.join(path), FsPerms::ReadOnly)?;
    }
    Ok(wasi.build())
}

fn preopen(
    wasi: &mut wasmtime_wasi::WasiCtxBuilder,
    key: &str,
    path: &str,
    folder: &Path,
    perms: FsPerms,
) -> Result<(), Box<Fault>> {
    let problem = match std::fs::metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        Err(error) => format!("cannot be opened: {error}"),
        Ok(metadata) if !metadata.is_dir() => "is a file, not a folder".to_owned(),
        Ok(_) => match wasi.preopened_dir(folder, path, perms) {
            Ok(_) => return Ok(()),
            Err(error) => format!("cannot be opened: {error:#}"),
        },
    };
    Err(folder_fault(key, path, folder, &problem))
}

fn folder_fault(key: &str, path: &str, folder: &Path, problem: &str) -> Box<Fault> {
    let message = format!("the folder `{path}` of `{key}` {problem} (it is {})", folder.display());
    let help = "folders of grants start at the folder of the pipeline file; grant the folder that a file lies in";
    Box::new(Fault::new(FaultKind::InvalidConfig, CALL, message).with_help(help))
}
