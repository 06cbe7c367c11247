//! Alerts: which are due ([`due`]), what they say ([`message`](fn@message)), when they are tried again ([`next_attempt`])
//! and how they are delivered ([`Courier`]). The first three are pure: times, numbers and secrets are arguments.
//!
//! An alert is delivered at least once: whoever uses this crate keeps what is due and its [`Message`] until a delivery is
//! [`Delivery::Delivered`] or [`Delivery::GivenUp`], and asks [`next_attempt`] when to try again. What is kept is the
//! target as it is written; [`filled`] puts the values of its `${...}` in just before it is used.

mod clean;
mod decide;
mod deliver;
mod fill;
mod message;
mod retry;
mod stated;
mod text;

pub use decide::{Circumstances, Due, due, target_name};
pub use deliver::{Courier, CourierSettings, Delivery};
pub use fill::{filled, filled_smtp};
pub use message::{AlertFault, Facts, Message, Rows, command, message};
pub use retry::{GIVEN_UP_AFTER, next_attempt, seed};
pub use stated::stated;
