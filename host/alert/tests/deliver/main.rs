//! Deliveries over real sockets of the loopback, and by real commands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(unix)]
mod command;
mod email;
mod server;
mod webhook;

use sluicebox_alert::{Courier, CourierSettings, Delivery, Facts, Message, message};
use sluicebox_model::alert::{AlertOn, AlertTarget, Smtp};
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::run::{Event, Interval, RunId, RunRecord, Trigger};
use std::path::Path;
use std::time::Duration;

/// Long enough never to be reached by what answers.
const LONG: Duration = Duration::from_secs(60);
/// Short enough to be waited for.
const SHORT: Duration = Duration::from_millis(300);

fn courier(most: Duration) -> Courier {
    courier_that_trusts(most, None)
}

fn courier_that_trusts(most: Duration, roots: Option<&[u8]>) -> Courier {
    let roots = roots.map(<[u8]>::to_vec);
    let settings =
        CourierSettings { webhook_max: most, email_max: most, command_max: most, roots, proxy_from_environment: false };
    Courier::new(settings).unwrap()
}

fn alert() -> Message {
    let now = "2026-01-02T03:04:05Z".parse().unwrap();
    let queued = Event::RunQueued {
        pipeline: "flights".into(),
        trigger: Trigger::Schedule,
        interval: Interval { start: now, end: now },
        text: String::new(),
        file: "flights.toml".into(),
        load_key: "k".into(),
        repeats: None,
        stages: Vec::new(),
    };
    let events = [
        (now, queued),
        (now, Event::RunStarted { bookmarks: Default::default() }),
        (now, Event::RunFailed { fault: Fault::new(FaultKind::InvalidData, "check", "größer als erlaubt") }),
    ];
    let run = RunRecord::fold(RunId::new(now, [1; 10]), &events).unwrap();
    let facts = Facts { host: "etl-1", failures_in_a_row: 1, ..Facts::default() };
    message(&[AlertOn::Failure], &run, &facts, &|text| text.to_owned())
}

fn post(courier: &Courier, url: &str) -> Delivery {
    courier.deliver(&AlertTarget::Webhook { url: url.into() }, &alert(), None, Path::new("."))
}

fn mail(courier: &Courier, smtp: &Smtp, to: &[&str]) -> Delivery {
    let to = to.iter().map(|to| (*to).to_owned()).collect();
    courier.deliver(&AlertTarget::Email { to }, &alert(), Some(smtp), Path::new("."))
}

/// The reason of a delivery that is to be tried again.
#[track_caller]
fn again(delivery: Delivery) -> String {
    match delivery {
        Delivery::TryAgain { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

/// The reason of a delivery that is given up.
#[track_caller]
fn given_up(delivery: Delivery) -> String {
    match delivery {
        Delivery::GivenUp { reason } => reason,
        other => panic!("{other:?}"),
    }
}
