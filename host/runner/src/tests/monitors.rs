//! Runs that are not as their author expects.
