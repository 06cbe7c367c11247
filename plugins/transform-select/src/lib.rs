//! Selects, derives, casts and filters with SQL expressions
