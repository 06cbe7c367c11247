//! What the host keeps for one instance: the data of its Store.

use crate::console::Console;
use crate::counts::Living;
use crate::files::Files;
use crate::held::Held;
use crate::isolation::{self, Part};
use crate::limiter::{Memory, Passed};
use crate::network::Net;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::limits::Limits;
use sluicebox_model::stage::BadRecord;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    pub(crate) net: Net,
    pub(crate) table: ResourceTable,
    pub(crate) memory: Memory,
    pub(crate) held: Held,
    pub(crate) files: Files,
    pub(crate) transfer: Transfer,
    pub(crate) console: Console,
    /// Told in the call under way; kept only if it ends well.
    pub(crate) pending: Pending,
    pub(crate) watch: Watch,
    _living: Living,
}

/// Bytes that crossed in the call under way.
#[derive(Debug)]
pub(crate) struct Transfer {
    used: u64,
    max: u64,
}

impl Transfer {
    /// Counts what crosses. Fails with [`Passed`] where it is too much.
    pub(crate) fn add(&mut self, bytes: u64) -> wasmtime::Result<()> {
        if !isolation::is_on(Part::Limits) {
            return Ok(());
        }
        let wanted = self.used.saturating_add(bytes);
        if wanted > self.max {
            return Err(Passed::Transfer { wanted, max: self.max }.into());
        }
        self.used = wanted;
        Ok(())
    }
}

/// When the call under way has to end.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) cancel: Cancel,
    pub(crate) call_max: Duration,
    pub(crate) until: Instant,
}

impl Watch {
    /// Why the call has to end now, if it has to.
    pub(crate) fn passed(&self) -> Option<Passed> {
        if self.cancel.is_cancelled() {
            Some(Passed::Cancelled)
        } else if Instant::now() >= self.until {
            Some(Passed::Time { max: self.call_max })
        } else {
            None
        }
    }
}

/// What a guest told in a call.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) counts: BTreeMap<String, u64>,
    pub(crate) bad_records: Vec<BadRecord>,
}

impl State {
    pub(crate) fn new(
        wasi: WasiCtx,
        net: Net,
        limits: &Limits,
        console: Console,
        cancel: Cancel,
        living: Living,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles_max as usize);
        Self {
            wasi,
            http: crate::network::http_context(),
            net,
            table,
            memory: Memory::new(limits),
            held: Held::new(limits.held_bytes_max, limits.handles_max),
            files: Files::new(limits.files_max),
            transfer: Transfer { used: 0, max: limits.transfer_bytes_max },
            console,
            pending: Pending::default(),
            watch: Watch { cancel, call_max: limits.call_max, until: Instant::now() },
            _living: living,
        }
    }

    /// Makes ready for the next call.
    pub(crate) fn start_call(&mut self, name: &'static str) {
        self.net.live.start_call(name);
        self.transfer.used = 0;
        self.pending = Pending::default();
        self.console.start_call();
        // A limit of centuries is no limit.
        let far = Duration::from_secs(u32::MAX.into());
        self.watch.until = Instant::now() + self.watch.call_max.min(far);
    }
}

impl State {
    /// Why the call has to end now, if it has to.
    pub(crate) fn passed(&self) -> Option<Passed> {
        self.watch.passed().or_else(|| self.net.live.passed())
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.net }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
