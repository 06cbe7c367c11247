//! Who is told when something about a pipeline is not as it should be, and by which way.

use serde::{Deserialize, Serialize};

/// Something about a run that people can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertOn {
    /// Runs of the pipeline failed, so many in a row as the rule waits for.
    Failure,
    /// A run took, or is taking, longer than a deadline allows.
    Deadline,
    /// A run ended well after failures that were told.
    Recovery,
    /// A monitor found something.
    Monitor,
    /// Rows were set aside.
    Quarantine,
    /// A run began long after its time.
    Late,
}

impl AlertOn {
    /// All of them, the gravest first.
    pub const ALL: [Self; 6] =
        [Self::Failure, Self::Deadline, Self::Recovery, Self::Monitor, Self::Quarantine, Self::Late];

    /// The word used in pipeline files, JSON and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Deadline => "deadline",
            Self::Recovery => "recovery",
            Self::Monitor => "monitor",
            Self::Quarantine => "quarantine",
            Self::Late => "late",
        }
    }
}

/// One `[alert]`: what is told, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AlertRule {
    /// What is told; each once.
    pub on: Vec<AlertOn>,
    /// A failure is told at so many failures in a row; at least 1.
    pub after: u32,
    /// To whom; at least one.
    pub to: Vec<AlertTarget>,
}

impl AlertRule {
    /// What is told where the rule does not say.
    pub const ON_DEFAULT: [AlertOn; 2] = [AlertOn::Failure, AlertOn::Recovery];
}

/// Where an alert is delivered to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "kebab-case")]
pub enum AlertTarget {
    /// JSON is posted to it.
    Webhook {
        /// As it is written, `${...}` not yet filled in. Filled in, it is a secret: whoever knows it can post.
        url: String,
    },
    /// A mail, by the house's [`Smtp`] server.
    Email {
        /// The addresses.
        to: Vec<String>,
    },
    /// A command that is given JSON on its standard input. No shell.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
    },
}

impl AlertTarget {
    /// The way by which it is reached, which is also the key it is set with.
    pub fn way(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Email { .. } => "email",
            Self::Command { .. } => "command",
        }
    }

    /// How it is told to people: of a webhook only the host, of a command only the program.
    pub fn shown(&self) -> String {
        match self {
            Self::Webhook { url } if url.starts_with("${") => format!("webhook {url}"),
            Self::Webhook { url } => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
                format!("webhook at {}", host.rsplit_once('@').map_or(host, |(_, host)| host))
            }
            Self::Email { to } => format!("email to {}", to.join(", ")),
            Self::Command { argv } => format!("command `{}`", argv.first().map_or("", String::as_str)),
        }
    }

    /// The same, by one delivery each: a mail that one address refuses still reaches the others.
    pub fn each(&self) -> Vec<Self> {
        match self {
            Self::Email { to } => to.iter().map(|to| Self::Email { to: vec![to.clone()] }).collect(),
            Self::Webhook { .. } | Self::Command { .. } => vec![self.clone()],
        }
    }
}

/// The `[smtp]` table: the server that takes the house's mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Smtp {
    /// `smtps://host:465` (TLS from the start), or `smtp://host:587` (TLS is asked for; a password needs it).
    pub server: String,
    /// Whom the mail is from: `ops@example.org`, or `Sluicebox <ops@example.org>`.
    pub from: String,
    /// Whom the server knows, `${...}` not yet filled in.
    pub user: Option<String>,
    /// As it is written, `${...}` not yet filled in.
    pub password: Option<String>,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A password may stand here as it is.
        let password = self.password.as_ref().map(|_| "...");
        f.debug_struct("Smtp")
            .field("server", &self.server)
            .field("from", &self.from)
            .field("user", &self.user)
            .field("password", &password)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_told_without_its_secret() {
        let webhook = |url: &str| AlertTarget::Webhook { url: url.into() };
        assert_eq!(
            webhook("https://me:x@hooks.example.org:8443/T/secret").shown(),
            "webhook at hooks.example.org:8443"
        );
        assert_eq!(webhook("https://example.org?token=secret").shown(), "webhook at example.org");
        assert_eq!(webhook("${env:HOOK}").shown(), "webhook ${env:HOOK}");
        let email = AlertTarget::Email { to: vec!["a@b.org".into(), "c@d.org".into()] };
        assert_eq!(email.shown(), "email to a@b.org, c@d.org");
        assert_eq!(email.each().len(), 2);
        let command = AlertTarget::Command { argv: vec!["notify".into(), "--token=x".into()] };
        assert_eq!(command.shown(), "command `notify`");
        assert_eq!(command.each(), [command]);
    }
}
