//! Hostile guests, one a module
