//! Joins columns of a second input by key
