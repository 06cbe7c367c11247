//! Every target is given each of its seeds once: what was ever found stays mended.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use sluicebox_fuzz::{TARGETS, Target, targets};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    // As cargo says it now: clones that share a target folder share this program.
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("..")
}

fn seeds(target: &Target) -> Vec<PathBuf> {
    let own = format!("fuzz/seeds/{}", target.name);
    let folders = target.more_seeds.iter().copied().chain([own.as_str()]);
    let mut files = Vec::new();
    for folder in folders {
        let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
        files.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()));
    }
    files.sort();
    files
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = seeds(target);
    assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
    let fails = |seed: &&PathBuf| {
        let bytes = fs::read(seed).unwrap();
        catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes))).is_err()
    };
    let failed: Vec<&PathBuf> = seeds.iter().filter(fails).collect();
    assert!(failed.is_empty(), "{name}: {failed:?}");
}

macro_rules! replays {
    ($($name:ident),*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_replayed() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
            for folder in fs::read_dir(root().join("fuzz/seeds")).unwrap() {
                let name = folder.unwrap().file_name();
                assert!(names.iter().any(|known| name == *known), "{name:?} is no target");
            }
        }
    };
}

replays!(columns, ipc, pipeline, cron, journal, store, components);

/// A target that judges nothing finds nothing: each of these is wrong in a way that the target has to see.
#[test]
fn what_is_wrong_is_seen() {
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use arrow_buffer::{Buffer, OffsetBuffer};
    use arrow_schema::{DataType, Field, Schema};
    use std::sync::Arc;

    let sees = |batch: RecordBatch| catch_unwind(AssertUnwindSafe(|| sluicebox_fuzz::batches::check(&batch))).is_err();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let named = |names: [&str; 2]| {
        let fields = names.map(|name| Field::new(name, DataType::Utf8, true)).to_vec();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![Arc::clone(&text), Arc::clone(&text)]).unwrap()
    };
    assert!(!sees(named(["a", "b"])));
    assert!(sees(named(["a", "a"])), "two columns of one name");
    let decimals = arrow_array::Decimal128Array::from(vec![1234]).with_data_type(DataType::Decimal128(3, 0));
    let one: [(&str, ArrayRef); 1] = [("c", Arc::new(decimals))];
    assert!(sees(RecordBatch::try_from_iter(one).unwrap()), "a decimal with too many digits");
    // SAFETY: wrong on purpose; nobody reads the text.
    #[allow(unsafe_code)]
    let broken =
        unsafe { StringArray::new_unchecked(OffsetBuffer::from_lengths([1]), Buffer::from_vec(vec![0xff_u8]), None) };
    let one: [(&str, ArrayRef); 1] = [("c", Arc::new(broken))];
    assert!(sees(RecordBatch::try_from_iter(one).unwrap()), "text that is not UTF-8");
}

/// Guests that are made up do come to the host: else their targets would try nothing.
#[test]
fn guests_are_components_of_their_worlds() {
    for world in sluicebox_fuzz::guests::WORLDS {
        let zeros = sluicebox_fuzz::guests::caller(world, &mut sluicebox_fuzz::input::Input::new(&[]));
        targets::components::lives(&zeros);
        let random: Vec<u8> = (0..4000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert!(sluicebox_fuzz::guests::smith(world, &random).is_some(), "{world}");
    }
}

/// Writes the seeds that are made by the program itself; by hand, after a change of what they are made of.
#[test]
#[ignore = "writes fuzz/seeds"]
fn seeds_are_made() {
    let folder = |target: &str| {
        let folder = root().join("fuzz/seeds").join(target);
        fs::create_dir_all(&folder).unwrap();
        folder
    };
    for (at, stream) in targets::ipc::streams().iter().enumerate() {
        fs::write(folder("ipc").join(format!("stream-{at:02}")), [&[0], stream.as_slice()].concat()).unwrap();
    }
    for world in sluicebox_fuzz::guests::WORLDS {
        let guest = sluicebox_fuzz::guests::caller(world, &mut sluicebox_fuzz::input::Input::new(&[]));
        fs::write(folder("components").join(world), [&[0], guest.as_slice()].concat()).unwrap();
    }
}
