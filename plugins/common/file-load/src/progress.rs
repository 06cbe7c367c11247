//! The writer of a part, through all that may happen to it.

use sluicebox_stage::Fault;

/// How far the writing of a part has come, with a writer of type `W`.
///
/// The host calls again after a fault of kind `unavailable`, on the same instance. What a writer that failed has written
/// is not known, and a new one would begin an empty file; so from then on every call gives the same fault, and the load
/// has to begin anew. Nothing is lost silently.
#[derive(Debug, Default)]
pub struct Progress<W>(State<W>);

#[derive(Debug, Default)]
enum State<W> {
    #[default]
    Unwritten,
    Writing(W),
    Prepared(String),
    Failed(Fault),
}

impl<W> Progress<W> {
    /// Nothing is written.
    #[must_use]
    pub fn new() -> Self {
        Self(State::Unwritten)
    }

    /// The writer, made when it is first needed. If it cannot be made, nothing is lost: it can be tried again.
    ///
    /// # Errors
    /// What `make` says, an earlier fault of [`Progress::write`] or [`Progress::prepare`], `internal` once the part is
    /// prepared.
    pub fn begin(&mut self, make: impl FnOnce() -> Result<W, Fault>) -> Result<&mut W, Fault> {
        if matches!(self.0, State::Unwritten) {
            self.0 = State::Writing(make()?);
        }
        match &mut self.0 {
            State::Writing(writer) => Ok(writer),
            State::Failed(fault) => Err(fault.clone()),
            State::Unwritten | State::Prepared(_) => {
                Err(Fault::internal("a batch came after the load was prepared; the load has to begin anew"))
            }
        }
    }

    /// Writes.
    ///
    /// # Errors
    /// As [`Progress::begin`], and what `work` says: the part is lost then.
    pub fn write(
        &mut self,
        make: impl FnOnce() -> Result<W, Fault>,
        work: impl FnOnce(&mut W) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let done = work(self.begin(make)?);
        if let Err(fault) = &done {
            self.0 = State::Failed(anew(fault));
        }
        done
    }

    /// Ends the writing. Again after it succeeded, it answers the same.
    ///
    /// # Errors
    /// As [`Progress::begin`], and what `finish` says: the part is lost then.
    pub fn prepare(
        &mut self,
        make: impl FnOnce() -> Result<W, Fault>,
        finish: impl FnOnce(W) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        if let State::Prepared(receipt) = &self.0 {
            return Ok(receipt.clone());
        }
        self.begin(make)?;
        let State::Writing(writer) = std::mem::take(&mut self.0) else {
            return Err(Fault::internal("the load has no writer"));
        };
        let done = finish(writer);
        self.0 = match &done {
            Ok(receipt) => State::Prepared(receipt.clone()),
            Err(fault) => State::Failed(anew(fault)),
        };
        done
    }
}

/// The fault of a call that comes after `fault`.
fn anew(fault: &Fault) -> Fault {
    let mut again = fault.clone();
    again.row = None;
    again.message.push_str(" (the file that was begun cannot be gone on with: the load has to begin anew)");
    again
}
