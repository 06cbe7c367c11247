//! The contract changes with its version, or not at all.

use sluicebox_tests::root;
use std::fs;
use std::path::Path;

/// What is left of a WIT file without comments and layout: what a component is built against.
fn bare(text: &str) -> String {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn version(text: &str) -> &str {
    text.lines()
        .find_map(|line| line.strip_prefix("package sluicebox:stage@")?.strip_suffix(';'))
        .expect("the contract names its package and version")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `wit/frozen/` holds the contract of every version that a component may have been built against.
#[test]
fn a_change_of_the_contract_needs_a_new_version() {
    let contract = read("wit/stage.wit");
    let version = version(&contract);
    let frozen = read(format!("wit/frozen/{version}.wit"));
    assert!(
        bare(&contract) == bare(&frozen),
        "wit/stage.wit is no longer version {version}, as components know it from wit/frozen/{version}.wit: \
         raise the version in its `package` line and add the new contract as wit/frozen/NEW-VERSION.wit"
    );
}

/// The frozen files themselves stay as they are: their fingerprints stand here.
#[test]
fn frozen_contracts_stay_as_they_are() {
    let fingerprints = [("0.1.0", FINGERPRINT_0_1_0)];
    let frozen = fs::read_dir(root().join("wit/frozen")).expect("wit/frozen");
    assert_eq!(frozen.count(), fingerprints.len(), "every frozen contract has its fingerprint here");
    for (version, fingerprint) in fingerprints {
        let text = bare(&read(format!("wit/frozen/{version}.wit")));
        assert_eq!(fnv(&text), fingerprint, "wit/frozen/{version}.wit was changed");
    }
}

const FINGERPRINT_0_1_0: u64 = 0xea8a_ee7d_d695_f20d;

/// FNV-1a: enough to notice a change by mistake.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn comments_and_layout_do_not_count_but_everything_else_does() {
    assert_eq!(bare("a /// b\n  c"), "a c");
    assert_ne!(bare("record a { b: u32 }"), bare("record a { b: u64 }"));
}
