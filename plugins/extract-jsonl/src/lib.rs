//! Extracts rows from newline-delimited JSON
