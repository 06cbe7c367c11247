//! The program that libFuzzer drives; it gives the inputs. `cargo xtask fuzz` builds it and names the target.

#![no_main]
// What the macro makes is called by C++.
#![allow(unsafe_code)]

use sluicebox_fuzz::{TARGETS, Target};
use std::sync::OnceLock;

/// Names the target.
const VARIABLE: &str = "SLUICEBOX_FUZZ_TARGET";

static TARGET: OnceLock<Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var(VARIABLE).unwrap_or_default();
        match TARGETS.iter().find(|target| target.name == name) {
            Some(target) => drop(TARGET.set(*target)),
            None => {
                let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
                eprintln!("{VARIABLE} has to name a target: {}", names.join(", "));
                std::process::exit(2);
            }
        }
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.run)(data);
        }
    }
);
