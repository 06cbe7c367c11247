//! Why something that a guest handed over is not taken.

use arrow_schema::ArrowError;

/// What is wrong, for whoever wrote the stage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(pub(crate) String);

impl From<ArrowError> for Refusal {
    fn from(error: ArrowError) -> Self {
        Self(match error {
            // What went wrong is said by the text; that an argument was invalid says nothing more.
            ArrowError::InvalidArgumentError(text) | ArrowError::SchemaError(text) | ArrowError::IpcError(text) => text,
            error => error.to_string(),
        })
    }
}

/// Ends a function with a [`Refusal`].
macro_rules! refuse {
    ($($part:tt)*) => { return Err($crate::refusal::Refusal(format!($($part)*))) };
}
pub(crate) use refuse;

/// Runs a kernel of arrow on what a guest handed over, and makes a panic within it a refusal.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    sluicebox_model::caught::caught(work)
        .unwrap_or_else(|text| Err(Refusal(format!("this data cannot be worked on: {text}"))))
}
