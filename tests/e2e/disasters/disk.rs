//! No room on the disk.

use super::world::{World, with_files_of_at_most};
use super::{before, ended, holds_exactly, loaded, loaded_once, run, tells, untouched};
use sluicebox_tests::Project;
use sluicebox_tests::crash::{Left, orders};
use std::fs;
use std::io::Write;

/// What was loaded before is as it was, and a run after the trouble makes it whole.
#[test]
fn the_disk_of_the_target_is_full() {
    let project = Project::new();
    fs::create_dir(project.path().join("out")).unwrap();
    let Some(world) = World::new(project.path(), "mount -t tmpfs -o size=64m none out") else {
        return a_file_grows_too_large();
    };
    let sluicebox = || ended(world.command(&project.command(&["run", "orders.toml"])));
    project.file("orders.toml", sluicebox_tests::crash::PIPELINE).file("in/1.csv", orders(0, 1_000));
    sluicebox().with_code(0);
    let seen = || Left::at(&project, &world.path(project.path()));
    let was = seen();
    assert_eq!(was.rows.each_ref().map(Vec::len), [1_000; 2]);

    let filler = world.path(&project.path().join("out/filler"));
    fill(&filler, 400 * 1024);
    project.file("in/2.csv", orders(1_000, 30_000));
    let full = sluicebox().with_code(1);
    tells(&full, &["cannot write to `out/", "the disk is full", "free some space", "run again"]);
    assert_eq!(seen().differences(&was), Vec::<String>::new());
    // What it had written is taken back: the disk has the room that it had.
    world.has(project.path(), "test -z \"$(find out -name '.*' -type f)\"");

    // Still full.
    sluicebox().with_code(1);
    fs::remove_file(&filler).unwrap();
    sluicebox().with_code(0);
    assert_eq!(seen().rows.each_ref().map(Vec::len), [30_000; 2]);
    sluicebox().with_code(0);
    assert_eq!(seen().rows.each_ref().map(Vec::len), [30_000; 2]);
}

/// The same without a mount, for whoever may not mount: the system refuses to let a file grow.
#[test]
fn a_file_grows_too_large() {
    let project = loaded_once();
    let was = before(&project);
    let without =
        project.read("orders.toml").replace("plugin = \"extract-csv\"", "plugin = \"extract-csv\"\ncheckpoint = false");
    project.file("orders.toml", without).file("in/2.csv", orders(1_000, 200_000));
    let full = ended(with_files_of_at_most(8_192, &project.command(&["run", "orders.toml"]))).with_code(1);
    tells(&full, &["cannot write to `out/", "is full", "free some space"]);
    untouched(&project, &was);
    run(&project).with_code(0);
    holds_exactly(&project, 200_000);
}

/// A load that replaces a file: the old one stays until the new one is whole.
#[test]
fn the_disk_of_a_file_that_is_replaced_is_full() {
    let project = Project::new();
    fs::create_dir(project.path().join("out")).unwrap();
    project.file(
        "all.toml",
        "[pipeline]\nname = \"all\"\n[[stage]]\nname = \"read\"\nplugin = \"extract-csv\"\ncheckpoint = false\n\
         grants.read = [\"in\"]\nconfig = { path = \"in/*.csv\" }\n[[stage]]\nname = \"out\"\nplugin = \"load-csv\"\n\
         grants.write = [\"out\"]\nconfig = { path = \"out/all.csv\" }\n",
    );
    project.file("in/1.csv", orders(0, 1_000));
    let world = World::new(project.path(), "mount -t tmpfs -o size=64m none out");
    let command = || project.command(&["run", "all.toml"]);
    let small = || match &world {
        Some(world) => world.command(&command()),
        None => with_files_of_at_most(8_192, &command()),
    };
    let large = || world.as_ref().map_or_else(command, |world| world.command(&command()));
    let file = project.path().join("out/all.csv");
    let read = || fs::read_to_string(world.as_ref().map_or_else(|| file.clone(), |world| world.path(&file))).unwrap();
    ended(small()).with_code(0);
    let was = read();
    let filler = world.as_ref().map(|world| world.path(&project.path().join("out/filler")));
    if let Some(filler) = &filler {
        fill(filler, 400 * 1024);
    }
    assert_eq!(was.lines().count(), 1_001);
    project.file("in/2.csv", orders(1_000, 300_000));
    tells(&ended(small()).with_code(1), &["cannot write to `out/", "is full", "free some space"]);
    assert_eq!(read(), was);
    if let Some(filler) = filler {
        fs::remove_file(filler).unwrap();
    }
    ended(large()).with_code(0);
    assert_eq!(read().lines().count(), 300_001);
}

/// The journal cannot be written, at whatever point of a run the room ends.
#[test]
fn the_disk_of_the_state_folder_is_full() {
    let project = Project::new();
    fs::create_dir(project.path().join(".sluicebox")).unwrap();
    let world = World::new(project.path(), "mount -t tmpfs -o size=32m none .sluicebox");
    let state = project.path().join(".sluicebox");
    let state = world.as_ref().map_or(state.clone(), |world| world.path(&state));
    let command = || {
        let command = project.command(&["run", "orders.toml"]);
        world.as_ref().map_or(project.command(&["run", "orders.toml"]), |world| world.command(&command))
    };
    project.file("orders.toml", sluicebox_tests::crash::PIPELINE).file("in/000.csv", orders(0, 200));
    ended(command()).with_code(0);
    holds_exactly(&project, 200);
    let (mut refused, mut until) = (0, 200);
    for kilobytes in [0_u32, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 256, 512] {
        let old = loaded(&project);
        project.file(&format!("in/{until}.csv"), orders(until, until + 200));
        until += 200;
        let filler = state.join("filler");
        let full = if world.is_some() {
            fill(&filler, u64::from(kilobytes) * 1024);
            ended(command())
        } else {
            // Nothing may be written beyond what the log of the database holds already.
            ended(with_files_of_at_most(kilobytes * 2, &command()))
        };
        if full.code != Some(0) {
            refused += 1;
            tells(&full, &[".sluicebox", "room"]);
            for (is, old) in loaded(&project).into_iter().zip(old) {
                assert!(is == old || is == old + 200, "{is} rows where {old} were, {kilobytes} kB free");
            }
        }
        let _ = fs::remove_file(&filler);
        ended(command()).with_code(0);
        assert_eq!(loaded(&project), [until as usize; 2], "{kilobytes} kB free:\n{}", full.stderr);
    }
    holds_exactly(&project, until);
    assert!(refused >= 3, "the disk was full {refused} times");
}

/// Leaves so many bytes free.
fn fill(path: &std::path::Path, free: u64) {
    let mut file = fs::File::create(path).unwrap();
    let block = [7; 4096];
    let mut written = 0;
    while let Ok(bytes @ 1..) = file.write(&block) {
        written += bytes as u64;
    }
    file.set_len(written.saturating_sub(free)).unwrap();
}
