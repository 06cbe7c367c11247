//! Extracts rows from CSV files
