//! SQL expressions held against DataFusion
