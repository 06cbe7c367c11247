//! Core modules made components.

use crate::error::ToolchainError;
use crate::sdk::WIT;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Makes a component of a core module that was built against a world of the contract; what it asks of WASI preview 1 is
/// adapted.
pub(crate) fn encode(module: &[u8], world: &str) -> Result<Vec<u8>, ToolchainError> {
    let encoded = || -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("stage.wit", WIT)?;
        let world = resolve.select_world(&[package], Some(world))?;
        let mut module = module.to_vec();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
        let adapter = WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
        let mut encoder = ComponentEncoder::default()
            .validate(true)
            .module(&module)?
            .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?;
        Ok(encoder.encode()?)
    };
    encoded().map_err(|error| {
        let said = Some(format!("{error:#}"));
        ToolchainError { said, ..ToolchainError::new("what the compiler made does not fit the contract") }
            .help("see that the stage is registered, and is of the kind that plugin.toml says")
    })
}
