//! What is compressed comes back, by the reference too.

use std::io::{Read, Write};

use proptest::prelude::*;

use super::{folder, replace};
use crate::{Compression, FileLoad, commit, zstd};

/// Bytes of many kinds, from none to several blocks: noise, words, runs, counters.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..3000),
        (prop::collection::vec(any::<u8>(), 1..40), 1_usize..4000).prop_map(|(word, times)| word.repeat(times)),
        (any::<u8>(), 1_usize..300_000).prop_map(|(byte, times)| vec![byte; times]),
        (any::<u32>(), 1_u32..30_000)
            .prop_map(|(from, count)| (0..count).flat_map(|n| from.wrapping_add(n).to_le_bytes()).collect()),
        ("[a-e]{1,6}", 1_usize..20_000).prop_map(|(word, lines)| {
            (0..lines).map(|line| format!("{line},{word},{}\n", line * line % 97)).collect::<String>().into_bytes()
        }),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn by_ruzstd(frame: &[u8]) -> Vec<u8> {
    let mut back = Vec::new();
    ruzstd::decoding::StreamingDecoder::new(frame).unwrap().read_to_end(&mut back).unwrap();
    back
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn pages_come_back(bytes in bytes()) {
        let mut frame = Vec::new();
        zstd::compress(&bytes, &mut frame);
        prop_assert!(frame.len() <= bytes.len() + bytes.len() / 1000 + 16);
        prop_assert!(by_ruzstd(&frame) == bytes);
        prop_assert!(::zstd::bulk::decompress(&frame, bytes.len()).unwrap() == bytes);
    }

    #[test]
    fn streams_come_back(bytes in bytes(), cuts in prop::collection::vec(1_usize..400_000, 1..5)) {
        let mut writer = zstd::ZstdWriter::new(Vec::new());
        let mut rest = bytes.as_slice();
        for cut in cuts.iter().cycle().take(20) {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            writer.write_all(now).unwrap();
            rest = later;
        }
        writer.write_all(rest).unwrap();
        let frame = writer.finish().unwrap();
        prop_assert!(by_ruzstd(&frame) == bytes);
        // The reference checks the checksum, and that there is one frame and no more.
        prop_assert!(::zstd::stream::decode_all(frame.as_slice()).unwrap() == bytes);
        let mut first = Vec::new();
        let mut reader = ::zstd::stream::read::Decoder::new(frame.as_slice()).unwrap().single_frame();
        reader.read_to_end(&mut first).unwrap();
        prop_assert!(first == bytes);
    }
}

#[test]
fn a_file_is_packed_as_its_name_says() {
    let (_keep, folder) = folder();
    let text = "a line of text\n".repeat(100_000);
    for name in ["x.csv.zst", "x.csv.gz", "x.csv"] {
        let path = folder.join(name);
        let compression = Compression::chosen(None, name);
        let load = FileLoad::new(&replace(&path), compression, "id", 0).unwrap();
        let mut writer = load.create().unwrap();
        for piece in text.as_bytes().chunks(1000) {
            writer.block().extend_from_slice(piece);
            writer.flush_full().unwrap();
        }
        let receipt = load.prepare(writer, 100_000).unwrap();
        commit(&replace(&path), "id", std::slice::from_ref(&receipt)).unwrap();
        // Again: what is there is what was prepared.
        commit(&replace(&path), "id", &[receipt]).unwrap();
        let packed = std::fs::read(&path).unwrap();
        let mut back = String::new();
        match compression {
            Compression::None => back = String::from_utf8(packed).unwrap(),
            Compression::Gzip => {
                flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut back).unwrap();
            }
            Compression::Zstd => {
                back = String::from_utf8(::zstd::stream::decode_all(packed.as_slice()).unwrap()).unwrap()
            }
        }
        assert!(back == text);
    }
}
