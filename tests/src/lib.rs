//! End-to-end tests through the real binary and real components
