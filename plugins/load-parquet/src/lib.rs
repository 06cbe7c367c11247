//! Loads rows into a Parquet file
