//! Files to read, for stages: glob, decompression
