//! The limits of alerts, for `docs/limits.md`.

use crate::deliver::{self, command, webhook};
use crate::{message, retry};
use sluicebox_model::limits::{Bound, Stated};

/// What an alert says, and how long it is tried.
pub fn stated() -> Vec<Stated> {
    vec![
        Stated::bytes("a fault's message, its help, and a finding in an alert", message::MESSAGE_MAX),
        Stated::bytes("a name in an alert", message::NAME_MAX),
        Stated::bytes("a path in an alert", message::FOLDER_MAX),
        Stated::count("findings in an alert", message::FINDINGS_MAX),
        Stated::time("an alert is tried again for", retry::GIVEN_UP_AFTER),
        Stated::time("the wait between two attempts at an alert", retry::LONGEST_WAIT),
        Stated::fixed("what is read of the answer of a webhook", Bound::Bytes(webhook::ANSWER_MAX)),
        Stated::bytes("what is kept of what a command says", command::SAID_MAX),
        Stated::bytes("what is told of either", deliver::ANSWER_SHOWN),
    ]
}
