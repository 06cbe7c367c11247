//! What sluicebox's words mean: plain data, pure functions, and the traits by which the runner calls a stage and writes
//! the journal. No runtime, no sandbox, no database and no clock: times are arguments.

pub mod alert;
pub mod batch;
pub mod cancel;
pub mod caught;
pub mod fault;
pub mod grant;
pub mod house;
pub mod journal;
pub mod limits;
pub mod monitor;
pub mod net;
pub mod pipeline;
pub mod plugin;
pub mod retention;
pub mod run;
pub mod stage;
pub mod text;
