//! A component whose engine cannot give back a lent batch in time.
//!
//! The contract lends a validate the batch of a call (`borrow<batch>`), and a component has to end what it was lent before it
//! answers. QuickJS, as componentize-qjs 0.4.5 embeds it in components without the async ABI, ends it only afterwards, which is refused; a batch that it is
//! given for good (`own<batch>`) it can end at any time. So a validate in JavaScript is built as if it was given the batch, the
//! SDK ends it before it answers, and here the component's type is made what it really is. For the code within there is no
//! difference: both are a handle, and ended by the same call.

use crate::error::ToolchainError;
use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{Component, ComponentDefinedTypeEncoder, InstanceType};
use wasmparser::{ComponentDefinedType, InstanceTypeDeclaration, Parser};

/// Makes every `own` of what the component exports a `borrow`. What it imports stays: it is given those batches.
///
/// # Errors
/// The bytes are no component.
pub(crate) fn lent(component: &[u8]) -> Result<Vec<u8>, ToolchainError> {
    let mut out = Component::new();
    let made = Lend { imports: 0 }.parse_component(&mut out, Parser::new(0), component);
    made.map_err(|error| ToolchainError::new(format!("what was built is no component: {error}")))?;
    Ok(out.finish())
}

struct Lend {
    /// How deep within types of imported instances.
    imports: usize,
}

impl Reencode for Lend {
    type Error = std::convert::Infallible;
}

impl ReencodeComponent for Lend {
    fn component_instance_type(
        &mut self,
        declarations: Box<[InstanceTypeDeclaration<'_>]>,
    ) -> Result<InstanceType, Error<Self::Error>> {
        self.imports += 1;
        let made = component_utils::component_instance_type(self, declarations);
        self.imports -= 1;
        made
    }

    fn parse_component_defined_type(
        &mut self,
        encoder: ComponentDefinedTypeEncoder<'_>,
        defined: ComponentDefinedType<'_>,
    ) -> Result<(), Error<Self::Error>> {
        match defined {
            ComponentDefinedType::Own(resource) if self.imports == 0 => {
                encoder.borrow(self.component_type_index(resource));
                Ok(())
            }
            other => component_utils::parse_component_defined_type(self, encoder, other),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_no_component_is_told() {
        assert!(lent(b"no component").unwrap_err().message.contains("no component"));
    }
}
