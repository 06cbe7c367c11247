//! How much of the machine a stage may use. Every limit is on by default and can be set for each stage.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The limits of one stage; each holds for every instance of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Limits {
    /// Bytes of all linear memories of an instance together. `limits.memory`
    pub memory_bytes_max: u64,
    /// Time of one call. `limits.call`
    pub call_max: Duration,
    /// Bytes of the guest's native stack. `limits.stack`
    pub stack_bytes_max: u64,
    /// Bytes that may cross in one call, both ways, copies of columns included. `limits.transfer`
    pub transfer_bytes_max: u64,
    /// Handles that an instance may hold at once. `limits.handles`
    pub handles_max: u32,
    /// Bytes of the batches that an instance may hold at once. `limits.held`
    pub held_bytes_max: u64,
    /// Bytes of log, standard output and standard error of the stage in a run. `limits.log`
    pub log_bytes_max: u64,
    /// Bytes of the component file. `limits.component`
    pub component_bytes_max: u64,
    /// Connections that an instance may have at once, with the names that it has looked up meanwhile.
    /// `limits.connections`
    pub connections_max: u32,
    /// Connections that an instance may open in its life, with the names that it has looked up.
    /// `limits.connections-total`
    pub connections_total_max: u32,
    /// Bytes that an instance may send and receive in its life. `limits.network`
    pub network_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            memory_bytes_max: 256 * MIB,
            call_max: Duration::from_secs(10),
            stack_bytes_max: MIB,
            transfer_bytes_max: 256 * MIB,
            handles_max: 10_000,
            held_bytes_max: 256 * MIB,
            log_bytes_max: MIB,
            component_bytes_max: 64 * MIB,
            connections_max: 16,
            connections_total_max: 10_000,
            network_bytes_max: 1024 * MIB,
        }
    }
}
