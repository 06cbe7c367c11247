//! SQL expressions over columns, for stages
