//! Loads rows into newline-delimited JSON
