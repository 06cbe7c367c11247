//! Several versions of the contract at once.

use super::{STAMPED, project, replaced, stamp};

/// The frozen component as if it were built against another version of the contract.
fn of_contract(version: &str) -> Vec<u8> {
    let interfaces = ["plugin", "transformer", "batches", "report", "types"];
    let named = |bytes: Vec<u8>, name: &str| {
        replaced(&bytes, &format!("sluicebox:stage/{name}@0.1.0"), &format!("sluicebox:stage/{name}@{version}"))
    };
    interfaces.into_iter().fold(stamp(), named)
}

#[test]
fn a_component_of_the_first_contract_runs() {
    let project = project();
    project.file("plugins/stamp.wasm", stamp());
    // The very one: what was built anew would tell nothing.
    project.sluicebox(&["plugins", "lock"]).with_code(0);
    let digest = "9917216dfe01a5a670a752cf3dddb8ec93a97d2d545255f1b35283ee67b1cd4d";
    assert!(project.read("sluicebox.lock").contains(digest), "tests/frozen/stamp-0.1.0.wasm is another one");
    let run = project.sluicebox(&["run", "stamps.toml", "--format", "json"]).with_code(0).json();
    assert_eq!(project.read("out/stamps.csv"), STAMPED);
    assert_eq!(run["state"], "succeeded", "{run}");
}

#[test]
fn a_component_of_a_contract_that_the_host_does_not_speak_says_so() {
    let project = project();
    let why = |version: &str| {
        project.file("plugins/stamp.wasm", of_contract(version));
        let ended = project.sluicebox(&["check", "stamps.toml"]).with_code(2);
        ended.stderr.lines().map(|line| line.trim_start_matches([' ', '│', '×', '·'])).collect::<Vec<_>>().join(" ")
    };
    let newer = why("0.2.0");
    let told = "it was built for version 0.2 of the contract, and this host speaks 0.1: use a newer sluicebox, or build it \
                anew for 0.1";
    assert!(newer.contains("plugin `stamp` cannot be used"), "{newer}");
    assert!(newer.contains(told), "{newer}");
    assert!(why("0.0.9").contains("this host speaks 0.1: build it anew for 0.1"));
    // A later version of the same track may use what this host does not have; this one does not.
    project.file("plugins/stamp.wasm", of_contract("0.1.9"));
    project.sluicebox(&["run", "stamps.toml"]).with_code(0);
    assert_eq!(project.read("out/stamps.csv"), STAMPED);
}
