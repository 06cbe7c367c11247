//! What happened to the house, as it is kept.

use crate::alert::AlertOn;
use crate::run::{Interval, RunId, Trigger};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that the house decided or noticed. What happens within a run is an [`Event`](crate::run::Event) of that run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum HouseEvent {
    /// The host began to run pipelines by itself.
    ServeStarted {
        /// Of sluicebox.
        version: String,
        /// How many it looks after.
        pipelines: u64,
    },
    /// The host ends in good order.
    ServeStopped {
        /// Why.
        reason: String,
    },
    /// A pipeline file is new, or was edited, and holds from now on.
    PipelineLoaded {
        /// The file, relative to the folder of pipelines.
        file: String,
        /// Of its text.
        digest: String,
    },
    /// A pipeline file cannot be used; what was loaded before stays.
    PipelineBroken {
        /// The file, relative to the folder of pipelines.
        file: String,
        /// For people, one each.
        problems: Vec<String>,
    },
    /// A pipeline file is not there any more.
    PipelineGone {
        /// The file, relative to the folder of pipelines.
        file: String,
    },
    /// A plugin is new, or another than before, and is used from now on.
    PluginOffered {
        /// As in pipeline files.
        name: String,
        /// Its own.
        version: String,
        /// Of the component.
        digest: String,
        /// The file, relative to the folder of pipelines.
        file: String,
    },
    /// A file in a plugins folder is no plugin that can be used; what it held before stays.
    PluginRefused {
        /// The file, relative to the folder of pipelines.
        file: String,
        /// For people.
        reason: String,
    },
    /// A plugin's file is not there any more.
    PluginGone {
        /// As in pipeline files.
        name: String,
        /// The file, relative to the folder of pipelines.
        file: String,
        /// The pipelines that cannot run without it.
        pipelines: Vec<String>,
    },
    /// The schedule made a run.
    Fired {
        /// The time of the schedule.
        nominal: Timestamp,
        /// For when it runs.
        interval: Interval,
        /// The run.
        run: RunId,
        /// Why, and how it starts.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// The schedule made a run for a time that had passed.
    CaughtUp {
        /// The time of the schedule.
        nominal: Timestamp,
        /// For when it runs.
        interval: Interval,
        /// The run.
        run: RunId,
        /// Why it was not made in time.
        reason: String,
    },
    /// A time of the schedule made no run.
    Skipped {
        /// The time of the schedule.
        nominal: Timestamp,
        /// For when it would have run.
        interval: Interval,
        /// Why.
        reason: String,
    },
    /// The clock was set back: nothing runs a second time.
    ClockSetBack {
        /// From when to when.
        reason: String,
    },
    /// A run was stopped, or taken out of the queue, because somebody or something wanted it.
    Cancelled {
        /// The run.
        run: RunId,
        /// Why.
        reason: String,
    },
    /// A run that should have started did not.
    Refused {
        /// The time of the schedule, if it was that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nominal: Option<Timestamp>,
        /// The run, if there was one already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        /// Why.
        reason: String,
    },
    /// All that a pipeline waits for has run: so does it.
    DependencyMet {
        /// The run.
        run: RunId,
        /// For when it runs.
        interval: Interval,
        /// The runs that it waited for.
        upstream: Vec<RunId>,
    },
    /// What a pipeline waits for did not run, or not well.
    DependencyMissed {
        /// For when it would have run.
        interval: Interval,
        /// Why.
        reason: String,
    },
    /// Files that a pipeline waits for are there.
    FileTriggered {
        /// The run.
        run: RunId,
        /// Relative to the pipeline's folder.
        files: Vec<String>,
    },
    /// Files that a pipeline waits for are there, and start no run yet.
    FilesHeld {
        /// Relative to the pipeline's folder.
        files: Vec<String>,
        /// Why.
        reason: String,
    },
    /// Pipelines follow each other in a circle, or follow one that is not there.
    DependenciesWrong {
        /// For people, one each; none: all is well again.
        problems: Vec<String>,
    },
    /// Somebody asked for a run.
    Requested {
        /// The run.
        run: RunId,
        /// What sort of run.
        trigger: Trigger,
        /// Who, e.g. `api`.
        by: String,
    },
    /// The pipeline does not run by itself until it is resumed.
    Paused {
        /// Who, e.g. `api`, or `pause-after`.
        by: String,
        /// Why.
        reason: String,
    },
    /// The pipeline runs by itself again.
    Resumed {
        /// Who.
        by: String,
    },
    /// A run waits longer for its start than it should.
    Late {
        /// The run.
        run: RunId,
        /// When it should have started.
        nominal: Timestamp,
        /// How late it is.
        seconds: u64,
    },
    /// A run has not ended by the time it should have.
    DeadlineMissed {
        /// The run.
        run: RunId,
        /// When it should have started; none: it was not of a schedule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nominal: Option<Timestamp>,
        /// When it should have ended.
        deadline: Timestamp,
    },
    /// Somebody is to be told.
    AlertQueued {
        /// The alert.
        alert: u64,
        /// Of what.
        kind: AlertOn,
        /// Who, as the alert says it.
        target: String,
        /// The run that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
    },
    /// Somebody was told.
    AlertDelivered {
        /// The alert.
        alert: u64,
        /// Who.
        target: String,
        /// Which attempt it was, counted from 1.
        attempt: u32,
    },
    /// Somebody could not be told; it is tried again.
    AlertFailed {
        /// The alert.
        alert: u64,
        /// Who.
        target: String,
        /// Why.
        reason: String,
        /// Which attempt it was, counted from 1.
        attempt: u32,
        /// When the next one is due.
        next_at: Timestamp,
    },
    /// Somebody could not be told; it is not tried any more.
    AlertGivenUp {
        /// The alert.
        alert: u64,
        /// Who.
        target: String,
        /// Why.
        reason: String,
        /// Which attempt it was, counted from 1.
        attempt: u32,
    },
}

impl HouseEvent {
    /// The names of all events.
    pub const NAMES: [&str; 28] = [
        "serve-started",
        "serve-stopped",
        "pipeline-loaded",
        "pipeline-broken",
        "pipeline-gone",
        "plugin-offered",
        "plugin-refused",
        "plugin-gone",
        "fired",
        "caught-up",
        "skipped",
        "clock-set-back",
        "cancelled",
        "refused",
        "dependency-met",
        "dependency-missed",
        "file-triggered",
        "files-held",
        "dependencies-wrong",
        "requested",
        "paused",
        "resumed",
        "late",
        "deadline-missed",
        "alert-queued",
        "alert-delivered",
        "alert-failed",
        "alert-given-up",
    ];

    /// The event's name, as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ServeStarted { .. } => "serve-started",
            Self::ServeStopped { .. } => "serve-stopped",
            Self::PipelineLoaded { .. } => "pipeline-loaded",
            Self::PipelineBroken { .. } => "pipeline-broken",
            Self::PipelineGone { .. } => "pipeline-gone",
            Self::PluginOffered { .. } => "plugin-offered",
            Self::PluginRefused { .. } => "plugin-refused",
            Self::PluginGone { .. } => "plugin-gone",
            Self::Fired { .. } => "fired",
            Self::CaughtUp { .. } => "caught-up",
            Self::Skipped { .. } => "skipped",
            Self::ClockSetBack { .. } => "clock-set-back",
            Self::Cancelled { .. } => "cancelled",
            Self::Refused { .. } => "refused",
            Self::DependencyMet { .. } => "dependency-met",
            Self::DependencyMissed { .. } => "dependency-missed",
            Self::FileTriggered { .. } => "file-triggered",
            Self::FilesHeld { .. } => "files-held",
            Self::DependenciesWrong { .. } => "dependencies-wrong",
            Self::Requested { .. } => "requested",
            Self::Paused { .. } => "paused",
            Self::Resumed { .. } => "resumed",
            Self::Late { .. } => "late",
            Self::DeadlineMissed { .. } => "deadline-missed",
            Self::AlertQueued { .. } => "alert-queued",
            Self::AlertDelivered { .. } => "alert-delivered",
            Self::AlertFailed { .. } => "alert-failed",
            Self::AlertGivenUp { .. } => "alert-given-up",
        }
    }
}

/// An event of the house as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HouseEntry {
    /// Grows with each event.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// The pipeline that it is about; none: the house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// What.
    #[serde(flatten)]
    pub event: HouseEvent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_are_known() {
        let read = serde_json::from_str::<HouseEvent>("{\"event\": \"none\"}");
        let told = read.err().map(|error| error.to_string()).unwrap_or_default();
        // `unknown variant `none`, expected one of `serve-started`, ...`
        let names: Vec<&str> = told.split('`').skip(3).step_by(2).collect();
        assert_eq!(names, HouseEvent::NAMES, "{told}");
        let events = [HouseEvent::ClockSetBack { reason: String::new() }, HouseEvent::Resumed { by: "api".to_owned() }];
        for event in events {
            assert!(HouseEvent::NAMES.contains(&event.name()));
        }
    }
}
