//! Delivers alerts: each until its target has taken it, or for a day.

use super::service::Service;
use crate::secrets;
use jiff::Timestamp;
use sluicebox_alert::{Courier, CourierSettings, Delivery, Message, filled, filled_smtp, next_attempt, seed};
use sluicebox_model::alert::AlertTarget;
use sluicebox_model::house::Alert;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Alerts that are delivered at once.
const AT_ONCE: u32 = 4;

/// Looked for at least so often.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Delivers what is due until nobody wakes it any more.
pub(super) fn deliver_all(service: &Service, wake: &Receiver<()>) {
    // Made when it is needed: whom it trusts takes memory.
    let mut made: Option<Courier> = None;
    loop {
        let now = Timestamp::now();
        let due = match service.house.store.due_alerts(now, AT_ONCE) {
            Ok(due) => due,
            Err(error) => {
                tracing::error!("alerts cannot be read: {error}");
                Vec::new()
            }
        };
        if !due.is_empty() && made.is_none() {
            match Courier::new(trusting()) {
                Ok(courier) => made = Some(courier),
                Err(error) => return tracing::error!("alerts cannot be delivered: {error}"),
            }
        }
        std::thread::scope(|scope| {
            for (alert, courier) in due.iter().filter_map(|alert| Some((alert, made.as_ref()?))) {
                scope.spawn(move || deliver(service, courier, alert));
            }
        });
        if due.len() == AT_ONCE as usize {
            continue;
        }
        let next = service.house.store.next_alert_at().ok().flatten();
        let wait = next.map_or(LOOK_EVERY, |next| {
            Duration::try_from(next.duration_since(Timestamp::now())).unwrap_or_default().min(LOOK_EVERY)
        });
        // One that was just tried is due later than now; never spin.
        match wake.recv_timeout(wait.max(Duration::from_millis(5))) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Servers are trusted by the certificates in the file that `SSL_CERT_FILE` names, if it is set.
fn trusting() -> CourierSettings {
    let roots = std::env::var_os("SSL_CERT_FILE").and_then(|file| std::fs::read(file).ok());
    CourierSettings { roots, ..CourierSettings::default() }
}

fn deliver(service: &Service, courier: &Courier, alert: &Alert) {
    let now = Timestamp::now();
    let part = |key: &str| alert.what.body.get(key).cloned().unwrap_or_default();
    let target: Option<AlertTarget> = serde_json::from_value(part("target")).ok();
    let message: Option<Message> = serde_json::from_value(part("message")).ok();
    let root = alert.what.body.get("root").and_then(|root| root.as_str()).map(PathBuf::from).unwrap_or_default();
    let store = &service.house.store;
    let (Some(target), Some(message)) = (target, message) else {
        let _ = store.alert_given_up(alert.id, now, "it cannot be read any more");
        return;
    };
    let way = target.way();
    let pipeline = &alert.what.pipeline;
    let mut fill = |text: &str| secrets::fill_one(text, &root);
    let sent = filled(&target, &mut fill).and_then(|target| {
        let smtp = service.settings().smtp.map(|smtp| filled_smtp(&smtp, &mut fill)).transpose()?;
        Ok(courier.deliver(&target, &message, smtp.as_ref(), &root))
    });
    let delivery = sent.unwrap_or_else(|reason| Delivery::TryAgain { reason, after: None });
    let kept = match delivery {
        Delivery::Delivered => {
            tracing::info!(%pipeline, alert = alert.id, "alert delivered by {way}: {}", message.title);
            store.alert_delivered(alert.id, Timestamp::now())
        }
        Delivery::GivenUp { reason } => {
            tracing::error!(%pipeline, alert = alert.id, "alert given up: {way} refuses it: {reason}");
            store.alert_given_up(alert.id, Timestamp::now(), &reason)
        }
        Delivery::TryAgain { reason, after: wish } => {
            let now = Timestamp::now();
            match next_attempt(alert.attempts + 1, alert.queued_at, now, seed(&message.id), wish) {
                Some(next) => {
                    tracing::warn!(%pipeline, alert = alert.id, "alert not delivered by {way}: {reason}; again at {next:.0}");
                    store.alert_failed(alert.id, now, next, &reason)
                }
                None => {
                    tracing::error!(%pipeline, alert = alert.id, "alert given up after a day: {way}: {reason}");
                    store.alert_given_up(alert.id, now, &reason)
                }
            }
        }
    };
    if let Err(error) = kept {
        tracing::error!("what became of alert {} cannot be kept: {error}", alert.id);
    }
}
