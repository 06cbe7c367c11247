//! What the host keeps of a stage on the disk, within its limits: what it passes on, and what it sets aside.

use crate::checkpoint::CheckpointError;
use crate::run::Ending;
use crate::station::Station;
use crate::stop::lock;
use arrow_array::RecordBatch;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::Quarantined;
use sluicebox_model::limits::Bound;
use sluicebox_model::stage::Level;

impl Station<'_> {
    /// Adds a batch to the checkpoint, if one is kept. The run goes on without one that cannot be written, or is too large.
    pub(crate) fn keep(&self, batch: &RecordBatch) {
        let mut checkpoint = lock(&self.checkpoint);
        let written = checkpoint.as_mut().map(|writer| writer.write(batch).map(|()| writer.bytes()));
        let max = self.spec.limits.checkpoint_bytes_max;
        match written {
            Some(Err(error)) => {
                *checkpoint = None;
                self.no_checkpoint(&error);
            }
            Some(Ok(bytes)) if bytes > max => {
                *checkpoint = None;
                self.too_large_a_checkpoint(max);
            }
            _ => {}
        }
    }

    /// Keeps what was passed on, now that it is whole.
    pub(crate) fn finish_checkpoint(&self) {
        let Some(writer) = lock(&self.checkpoint).take() else { return };
        let bookmark = lock(&self.run.state).bookmarks.get(self.name()).cloned();
        match writer.finish(bookmark) {
            Ok(bytes) => lock(&self.doing).outcome.checkpoint_bytes = bytes,
            Err(error) => self.no_checkpoint(&error),
        }
    }

    /// Keeps what was passed on until another stage failed: its call can be made again with what it was given before.
    pub(crate) fn keep_part(&self) {
        let Some(writer) = lock(&self.checkpoint).take() else { return };
        if matches!(lock(&self.run.state).ending, Some(Ending::Failed(_)))
            && let Err(error) = writer.finish_part()
        {
            self.no_checkpoint(&error);
        }
    }

    fn too_large_a_checkpoint(&self, max: u64) {
        let message = format!(
            "the checkpoint of this run would have more than {}, and is not kept; raise `limits.checkpoint`, or set \
             `checkpoint = false`",
            Bound::Bytes(max)
        );
        self.run.tell(self.name(), Level::Warn, message);
    }

    /// Sets rows or records aside, as long as they are not too much for the disk.
    pub(crate) fn set_aside(&self, rows: &Quarantined) -> Result<(), Fault> {
        let max = self.spec.limits.quarantine_bytes_max;
        let bytes = {
            let doing = &mut *lock(&self.doing);
            doing.set_aside_bytes = doing.set_aside_bytes.saturating_add(rows.bytes());
            doing.set_aside_bytes
        };
        if bytes > max {
            let most = Bound::Bytes(max);
            let message = format!("it would set aside more than {most} in this run");
            let help = format!(
                "raise `limits.quarantine`, now {most}; `reject.at-most` fails a run on a number or a share of rows"
            );
            return Err(Fault::new(FaultKind::Limit, "quarantine", message).with_help(help).of_stage(self.name()));
        }
        self.run.quarantine(self.name(), rows)
    }

    /// The run goes on without: it can still be repeated, from further up.
    pub(crate) fn no_checkpoint(&self, error: &CheckpointError) {
        self.run.tell(self.name(), Level::Warn, error.to_string());
    }
}
