//! Loads rows into a CSV file
