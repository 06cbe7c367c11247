//! Write sluicebox stages in Rust
