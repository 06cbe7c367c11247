//! A desk that does nothing, and remembers what it was asked.

use super::super::{
    BookmarkAsk, Desk, DeskError, Fire, Gauges, PipelineView, PluginView, PluginsView, RefusedView, ReplayAsk,
    RerunAsk, ScheduleView, StageView, StartAsk, Timing,
};
use super::{at, run};
use crate::trouble::Trouble;
use sluicebox_model::pipeline::Settings;
use sluicebox_model::run::{Interval, RunId, RunState};
use std::sync::{Condvar, Mutex};

#[derive(Default)]
pub(super) struct FakeDesk {
    asked: Mutex<Vec<String>>,
    /// What is in the way of work.
    pub(super) not_ready: Mutex<Option<Trouble>>,
    /// While it is true, starts do not come to an end.
    pub(super) held: Mutex<bool>,
    pub(super) released: Condvar,
}

impl FakeDesk {
    /// What it was asked since the last look.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    fn known(&self, name: &str) -> Result<(), DeskError> {
        let message = format!("there is no pipeline `{name}`");
        if name == "flights" { Ok(()) } else { Err(DeskError::NotFound(Trouble::new(message).help("look"))) }
    }
}

fn timing() -> Timing {
    Timing { words: "every day at 06:30".into(), written: vec!["30 6 * * *".into()], timezone: "UTC".into() }
}

fn fire() -> Fire {
    Fire {
        at: at(0),
        local: "2027-01-15 08:00 UTC".into(),
        begins: Some(at(7)),
        interval: Interval { start: at(-86_400), end: at(0) },
        note: None,
    }
}

impl Desk for FakeDesk {
    fn pipelines(&self) -> Result<Vec<PipelineView>, DeskError> {
        Ok(vec![PipelineView { next: Vec::new(), ..self.pipeline("flights")? }])
    }

    fn pipeline(&self, name: &str) -> Result<PipelineView, DeskError> {
        self.known(name)?;
        Ok(PipelineView {
            name: name.to_owned(),
            file: "flights.toml".into(),
            schedule: Some(timing()),
            next: vec![fire()],
            stages: vec![StageView {
                name: "read".into(),
                kind: Some("extract".into()),
                plugin: "extract-csv".into(),
                inputs: Vec::new(),
            }],
            ..PipelineView::default()
        })
    }

    fn schedule(&self, name: &str, n: usize) -> Result<ScheduleView, DeskError> {
        self.known(name)?;
        let next = vec![fire(); n];
        Ok(ScheduleView { pipeline: name.to_owned(), schedule: Some(timing()), paused: None, next })
    }

    fn start(&self, name: &str, ask: &StartAsk) -> Result<RunId, DeskError> {
        self.known(name)?;
        self.note(format!("start {name} {:?} {}", ask.interval.map(|interval| interval.end.to_string()), ask.backfill));
        let held = self.held.lock().unwrap();
        drop(self.released.wait_while(held, |held| *held).unwrap());
        Ok(run(9))
    }

    fn cancel(&self, run: RunId) -> Result<(), DeskError> {
        self.note(format!("cancel {run}"));
        Err(DeskError::Conflict(Trouble::new("it has ended already")))
    }

    fn rerun(&self, id: RunId, ask: &RerunAsk) -> Result<RunId, DeskError> {
        self.note(format!("rerun {id} {:?} {} {}", ask.from, ask.failed, ask.latest));
        Ok(run(9))
    }

    fn resolve(&self, run: RunId, commit: bool) -> Result<RunState, DeskError> {
        self.note(format!("resolve {run} {commit}"));
        Ok(if commit { RunState::Succeeded } else { RunState::Crashed })
    }

    fn replay(&self, id: RunId, ask: &ReplayAsk) -> Result<RunId, DeskError> {
        self.note(format!("replay {id} {:?} {}", ask.stage, ask.replace_targets));
        Ok(run(9))
    }

    fn set_bookmark(&self, ask: &BookmarkAsk) -> Result<Option<sluicebox_store::Bookmark>, DeskError> {
        self.known(&ask.pipeline)?;
        self.note(format!("bookmark {} {} {:?}", ask.pipeline, ask.stage, ask.bookmark));
        Ok(None)
    }

    fn pause(&self, name: &str, reason: &str) -> Result<(), DeskError> {
        self.known(name)?;
        self.note(format!("pause {name} {reason}"));
        Ok(())
    }

    fn resume(&self, name: &str) -> Result<(), DeskError> {
        self.known(name)?;
        self.note(format!("resume {name}"));
        Ok(())
    }

    fn plugins(&self) -> Result<PluginsView, DeskError> {
        Ok(PluginsView {
            plugins: vec![PluginView {
                name: "extract-csv".into(),
                version: "1.0.0".into(),
                kind: "extract".into(),
                summary: "Reads CSV".into(),
                digest: "ab".repeat(32),
                contract: "0.1.0".into(),
                file: "plugins/extract-csv.wasm".into(),
            }],
            refused: vec![RefusedView { file: "plugins/none.wasm".into(), reason: "it is not WebAssembly".into() }],
        })
    }

    fn settings(&self) -> Settings {
        Settings::default()
    }

    fn gauges(&self) -> Gauges {
        Gauges { pipelines: 1, ..Gauges::default() }
    }

    fn ready(&self) -> Result<(), Trouble> {
        self.not_ready.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}
