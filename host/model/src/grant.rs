//! What the pipeline's author gives a stage. The default is nothing.

use serde::{Deserialize, Serialize};

/// The grants of one stage. Folders are relative to the pipeline file's folder unless absolute; the guest sees each
/// under the very path that is written here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Grants {
    /// Folders to read.
    pub read: Vec<String>,
    /// Folders to read and write; made if missing.
    pub write: Vec<String>,
    /// Names of environment variables.
    pub env: Vec<String>,
    /// The real clock. Without it, the stage's clock stands at the end of the run's interval.
    pub clock: bool,
    /// Real randomness. Without it, the stage's randomness comes from the run's data interval, the pipeline and
    /// the stage.
    pub random: bool,
}
