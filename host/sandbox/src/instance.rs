//! A live component: one Store, and how each call to it is driven, bounded and judged.

use crate::console::Console;
use crate::contract::types;
use crate::counts::Living;
use crate::end;
use crate::engine::Linked;
use crate::isolation::{self, Part};
use crate::limiter::Passed;
use crate::lines::Lines;
use crate::network::{Live, Net};
use crate::own_world::OwnWorld;
use crate::refusal::Refusal;
use crate::state::State;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::limits::{COUNTERS_MAX, Limits};
use sluicebox_model::stage::{Report, Usage};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::WasiCtx;

/// How often a call that waits in the host is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How much longer a call may wait in the host than run in the guest: whoever runs is stopped by the epoch first, which
/// has a backtrace to show.
pub(crate) const GRACE: Duration = Duration::from_millis(30);

/// One instance, whatever its kind.
pub(crate) struct Core {
    /// None once the instance is dead.
    store: Option<Store<State>>,
    /// Why it is dead.
    died: Option<String>,
    runtime: Handle,
    limits: Limits,
    console: Console,
    report: Report,
    usage: Usage,
    world: OwnWorld,
    lines: Option<Arc<Lines>>,
    /// What the next call is counted as, if the runner has said so.
    turn: Option<u64>,
}

/// What an instance is made with.
pub(crate) struct Making<'a> {
    pub(crate) linked: &'a Linked,
    pub(crate) runtime: &'a Handle,
    pub(crate) limits: &'a Limits,
    pub(crate) console: Console,
    pub(crate) cancel: Cancel,
    pub(crate) wasi: WasiCtx,
    pub(crate) net: Net,
    pub(crate) world: OwnWorld,
    pub(crate) lines: Option<Arc<Lines>>,
}

impl Core {
    /// Instantiates the component; instantiation runs guest code and is bounded like a call.
    pub(crate) fn instantiate(pre: &InstancePre<State>, making: Making<'_>) -> Result<(Self, Instance), Fault> {
        let Making { linked, runtime, limits, console, cancel, wasi, net, world, lines } = making;
        let mut store = Store::new(
            &linked.engine,
            State::new(wasi, net, limits, console.clone(), cancel, Living::new(&linked.counters)),
        );
        if isolation::is_on(Part::Limits) {
            store.limiter(|state| &mut state.memory);
            store.set_hostcall_fuel(usize::try_from(limits.transfer_bytes_max).unwrap_or(usize::MAX));
            store.set_max_component_handles(limits.handles_max as usize);
        } else {
            store.set_hostcall_fuel(usize::MAX);
        }
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| match store.data().passed() {
            Some(passed) => Err(passed.into()),
            None => Ok(UpdateDeadline::Continue(1)),
        });
        let mut core = Self {
            store: Some(store),
            died: None,
            runtime: runtime.clone(),
            limits: limits.clone(),
            console,
            report: Report::default(),
            usage: Usage::default(),
            world,
            lines,
            turn: None,
        };
        let instance = core.drive("instantiate", async |store| pre.instantiate_async(store).await)?;
        core.settle();
        Ok((core, instance))
    }

    /// The store of an instance that lives.
    pub(crate) fn store(&mut self) -> Option<&mut Store<State>> {
        self.store.as_mut()
    }

    /// Says what the next call is counted as.
    pub(crate) fn next_turn(&mut self, turn: u64) {
        self.turn = Some(turn);
    }

    /// Calls a function of the contract. `take` makes of its answer what the runner gets; what it refuses breaks the
    /// contract and ends the instance.
    pub(crate) fn call<A, R>(
        &mut self,
        name: &'static str,
        function: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<Result<A, types::Fault>>,
        take: impl FnOnce(&mut State, A) -> Result<R, Refusal>,
    ) -> Result<R, Fault> {
        self.usage.calls += 1;
        self.world.begin(name, self.turn.take().unwrap_or(self.usage.calls));
        let answer = match self.drive(name, function)? {
            Ok(answer) => answer,
            Err(fault) => {
                self.forget();
                let refused = self.store.as_ref().and_then(|store| store.data().net.live.help());
                return Err(end::refused(end::told(name, fault), refused));
            }
        };
        let taken = match &mut self.store {
            Some(store) => take(store.data_mut(), answer),
            None => return Err(self.dead(name)),
        };
        match taken {
            Ok(taken) => {
                self.settle();
                Ok(taken)
            }
            Err(Refusal(reason)) => Err(self.kill(end::contract(name, &reason))),
        }
    }

    /// A function that has no fault to answer with.
    pub(crate) fn ask<A>(
        &mut self,
        name: &'static str,
        function: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<A>,
    ) -> Result<A, Fault> {
        self.usage.calls += 1;
        let answer = self.drive(name, function)?;
        self.settle();
        Ok(answer)
    }

    /// Ends the instance, its memory with it.
    pub(crate) fn kill(&mut self, fault: Fault) -> Fault {
        self.forget();
        self.store = None;
        self.died = Some(fault.to_string());
        fault
    }

    /// Puts a batch into the hands of the guest, or does something else to its state before a call.
    pub(crate) fn with_state<R>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut State) -> wasmtime::Result<R>,
    ) -> Result<R, Fault> {
        let Some(store) = &mut self.store else { return Err(self.dead(name)) };
        match work(store.data_mut()) {
            Ok(done) => Ok(done),
            Err(error) => {
                let fault = end::of_error(name, &error, &[], &self.limits, None);
                Err(self.kill(fault))
            }
        }
    }

    fn dead(&self, name: &str) -> Fault {
        let why = self.died.as_deref().unwrap_or("it ended");
        Fault::new(
            FaultKind::Host,
            name,
            format!("the instance is dead since an earlier call ({why}); make a fresh one"),
        )
    }

    /// Runs the function until it answers, its time is up or the run is cancelled.
    fn drive<A>(
        &mut self,
        name: &'static str,
        function: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<A>,
    ) -> Result<A, Fault> {
        let Some(mut store) = self.store.take() else { return Err(self.dead(name)) };
        let start = Instant::now();
        store.data_mut().start_call(name);
        store.set_epoch_deadline(1);
        if store.data().watch.cancel.is_cancelled() {
            return Err(self.kill(end::passed(name, &Passed::Cancelled)));
        }
        let watch = &store.data().watch;
        let (cancel, call_max, late) = (watch.cancel.clone(), watch.call_max, watch.until + GRACE);
        let live = Arc::clone(&store.data().net.live);
        let ended = self.runtime.block_on(async {
            let call = std::pin::pin!(function(&mut store));
            if !isolation::is_on(Part::Time) {
                return call.await;
            }
            tokio::select! {
                biased;
                answer = call => answer,
                passed = waits_too_long(&cancel, call_max, late, &live) => Err(passed.into()),
            }
        });
        // Whatever the guest made of it.
        let ended = ended.and_then(|answer| live.passed().map_or(Ok(answer), |passed| Err(passed.into())));
        self.console.end_call();
        self.usage.call_time += start.elapsed();
        self.usage.memory_peak_bytes = store.data().memory.peak();
        match ended {
            Ok(answer) => {
                self.store = Some(store);
                Ok(answer)
            }
            Err(error) => {
                let (said, lines) = (self.console.tail(), self.lines.as_deref());
                let fault = end::of_error(name, &error, &said, &self.limits, lines);
                Err(self.kill(end::refused(fault, live.help())))
            }
        }
    }

    /// Keeps what the guest told in a call that ended well.
    fn settle(&mut self) {
        let Some(store) = &mut self.store else { return };
        let pending = std::mem::take(&mut store.data_mut().pending);
        for (name, by) in pending.counts {
            if self.report.counts.len() < COUNTERS_MAX || self.report.counts.contains_key(&name) {
                let count = self.report.counts.entry(name).or_default();
                *count = count.saturating_add(by);
            }
        }
        self.report.bad_records.extend(pending.bad_records);
    }

    /// Drops what the guest told in a call that failed.
    fn forget(&mut self) {
        if let Some(store) = &mut self.store {
            store.data_mut().pending = crate::state::Pending::default();
        }
    }

    pub(crate) fn take_report(&mut self) -> Report {
        let mut report = std::mem::take(&mut self.report);
        report.log = self.console.take();
        report
    }

    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }
}

/// Answers once a call that waits in the host has to end.
async fn waits_too_long(cancel: &Cancel, call_max: Duration, late: Instant, live: &Live) -> Passed {
    loop {
        tokio::time::sleep(LOOK.min(late.saturating_duration_since(Instant::now()))).await;
        if cancel.is_cancelled() {
            return Passed::Cancelled;
        }
        if let Some(passed) = live.passed() {
            return passed;
        }
        if Instant::now() >= late {
            return Passed::Time { max: call_max };
        }
    }
}
