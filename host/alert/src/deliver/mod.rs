//! Delivering an alert: one attempt, bounded in time and in what is read of the other side.

pub(crate) mod command;
mod email;
pub(crate) mod webhook;

use crate::clean::line;
use crate::message::Message;
use sluicebox_model::alert::{AlertTarget, Smtp};
use std::path::Path;
use std::time::Duration;

/// Bytes of what the other side said that are told.
pub(crate) const ANSWER_SHOWN: usize = 300;

/// How one attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The other side has taken it.
    Delivered,
    /// It has not; another attempt may go better.
    TryAgain {
        /// Why, for people; no secrets.
        reason: String,
        /// How long the other side wants to be left alone.
        after: Option<Duration>,
    },
    /// It has not, and never will.
    GivenUp {
        /// Why and what to do, for people; no secrets.
        reason: String,
    },
}

impl Delivery {
    fn again(reason: impl Into<String>) -> Self {
        Self::TryAgain { reason: reason.into(), after: None }
    }

    fn given_up(reason: impl Into<String>) -> Self {
        Self::GivenUp { reason: reason.into() }
    }
}

/// How long deliveries may take, and whom they trust.
#[derive(Clone, Debug)]
pub struct CourierSettings {
    /// From looking up the name to the end of the answer.
    pub webhook_max: Duration,
    /// From looking up the name to the server's word that it has the mail.
    pub email_max: Duration,
    /// From its start to its end; then it is killed, with the processes that it started.
    pub command_max: Duration,
    /// PEM certificates that servers are trusted by, in place of those that are built in (Mozilla's).
    pub roots: Option<Vec<u8>>,
    /// Whether webhooks go through the proxy that `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` names, `NO_PROXY` heeded.
    pub proxy_from_environment: bool,
}

impl Default for CourierSettings {
    fn default() -> Self {
        Self {
            webhook_max: Duration::from_secs(30),
            email_max: Duration::from_secs(60),
            command_max: Duration::from_secs(60),
            roots: None,
            proxy_from_environment: true,
        }
    }
}

/// Delivers alerts. Calls block; any number may be under way at once.
#[derive(Debug)]
pub struct Courier {
    settings: CourierSettings,
    agent: ureq::Agent,
}

impl Courier {
    /// A courier.
    ///
    /// # Errors
    /// The given certificates cannot be read.
    pub fn new(settings: CourierSettings) -> Result<Self, String> {
        Ok(Self { agent: webhook::agent(&settings)?, settings })
    }

    /// Makes one attempt. The target and the server have their `${...}` [`filled`](crate::filled) in. A command runs in
    /// `folder`.
    pub fn deliver(&self, target: &AlertTarget, message: &Message, smtp: Option<&Smtp>, folder: &Path) -> Delivery {
        match target {
            AlertTarget::Webhook { url } => webhook::post(&self.agent, url, message, self.settings.webhook_max),
            AlertTarget::Email { to } => match smtp {
                Some(smtp) => email::send(&self.settings, smtp, to, message),
                None => Delivery::again("there is no `[smtp]` in `sluicebox.toml`; add it, with `server` and `from`"),
            },
            AlertTarget::Command { argv } => command::run(argv, message, folder, self.settings.command_max),
        }
    }
}

/// What the other side said, on one line, without the secrets.
fn shown(said: &str, secrets: &[&str]) -> String {
    let mut said = said.to_owned();
    for secret in secrets {
        // Shorter ones are no secrets, and would tear words apart.
        if secret.len() >= 4 {
            said = said.replace(secret, "...");
        }
    }
    line(said.trim(), ANSWER_SHOWN)
}

/// A time in seconds, for people.
fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs_f64())
}
