//! Checks rows and whole data against rules
