//! Runs stages as WebAssembly components: engine, catalog, instances, grants, limits and batches
