//! What sluicebox's words mean: plain data and pure functions
