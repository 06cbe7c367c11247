//! Parquet's hybrid of run lengths and bit packing, for definition levels and dictionary indices.

/// The shortest run of one value that is written as a run; shorter ones are cheaper packed.
const RUN: usize = 16;

/// Definition levels (1 = present) of rows `from .. from + rows`, with their length before them as data pages of
/// version 1 have it. `from` is a multiple of 8.
pub(crate) fn push_definition_levels(out: &mut Vec<u8>, validity: Option<&[u8]>, from: usize, rows: usize) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    match validity.and_then(|bits| bits.get(from / 8..(from + rows).div_ceil(8))) {
        Some(bits) => {
            push_varint(out, (bits.len() as u64) << 1 | 1);
            out.extend_from_slice(bits);
        }
        None => {
            push_varint(out, (rows as u64) << 1);
            out.push(1);
        }
    }
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length);
    }
}

/// How many bits hold the indices of a dictionary of this many entries.
pub(crate) fn width_of(entries: usize) -> u32 {
    usize::BITS - entries.saturating_sub(1).leading_zeros()
}

/// Dictionary indices of `width` bits each, with the width before them.
pub(crate) fn push_indices(out: &mut Vec<u8>, indices: &[u32], width: u32) {
    out.push(u8::try_from(width).unwrap_or(32));
    let mut rest = indices;
    let mut packed_from = indices;
    let mut packed = 0_usize;
    while let Some(&first) = rest.first() {
        // Packed runs are whole groups of 8, so a run may only begin at such a place.
        let run = if packed.is_multiple_of(8) { rest.iter().take_while(|index| **index == first).count() } else { 1 };
        if run >= RUN {
            push_packed(out, packed_from.get(..packed).unwrap_or_default(), width);
            push_varint(out, (run as u64) << 1);
            out.extend_from_slice(first.to_le_bytes().get(..width.div_ceil(8) as usize).unwrap_or_default());
            rest = rest.get(run..).unwrap_or_default();
            packed_from = rest;
            packed = 0;
        } else {
            // What is shorter than a run goes into the packed group whole.
            let step = (8 - packed % 8).min(rest.len());
            rest = rest.get(step..).unwrap_or_default();
            packed += step;
        }
    }
    push_packed(out, packed_from.get(..packed).unwrap_or_default(), width);
}

fn push_packed(out: &mut Vec<u8>, indices: &[u32], width: u32) {
    if indices.is_empty() {
        return;
    }
    push_varint(out, (indices.len().div_ceil(8) as u64) << 1 | 1);
    out.reserve(indices.len().div_ceil(8) * width as usize + 8);
    let (groups, tail) = indices.as_chunks::<8>();
    for group in groups {
        push_group(out, *group, width);
    }
    if !tail.is_empty() {
        let mut group = [0; 8];
        for (place, index) in group.iter_mut().zip(tail) {
            *place = *index;
        }
        push_group(out, group, width);
    }
}

/// Eight indices: exactly `width` bytes.
#[inline]
fn push_group(out: &mut Vec<u8>, group: [u32; 8], width: u32) {
    if width <= 8 {
        let packed = group.iter().rev().fold(0_u64, |packed, index| packed << width | u64::from(*index));
        out.extend_from_slice(packed.to_le_bytes().get(..width as usize).unwrap_or_default());
    } else if width <= 16 {
        // In two halves of at most 64 bits: shifting 128 bits is a call in a guest.
        let [a, b, c, d, e, f, g, h] = group;
        let four = |four: [u32; 4]| four.iter().rev().fold(0_u64, |packed, index| packed << width | u64::from(*index));
        let (low, high, bits) = (four([a, b, c, d]), four([e, f, g, h]), 4 * width);
        let first = low | high.checked_shl(bits).unwrap_or(0);
        let second = high >> (64 - bits);
        out.extend_from_slice(&first.to_le_bytes());
        out.extend_from_slice(second.to_le_bytes().get(..width as usize - 8).unwrap_or_default());
    } else {
        let mut bits = 0_u64;
        let mut held = 0;
        for index in group {
            bits |= u64::from(index) << held;
            held += width;
            while held >= 8 {
                out.push(bits.to_le_bytes()[0]);
                bits >>= 8;
                held -= 8;
            }
        }
    }
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;

    /// Reads a hybrid stream back, as the format's description has it.
    fn read(bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut at = 0;
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0_u64, 0);
            loop {
                header |= u64::from(bytes[at] & 0x7f) << shift;
                shift += 7;
                at += 1;
                if bytes[at - 1] & 0x80 == 0 {
                    break;
                }
            }
            if header & 1 == 0 {
                let mut value = [0; 4];
                let size = width.div_ceil(8) as usize;
                value[..size].copy_from_slice(&bytes[at..at + size]);
                at += size;
                values.extend(std::iter::repeat_n(u32::from_le_bytes(value), (header >> 1) as usize));
            } else {
                let groups = (header >> 1) as usize;
                let bit = |i: usize| u32::from(bytes[at + i / 8] >> (i % 8) & 1);
                for i in 0..groups * 8 {
                    values.push((0..width as usize).map(|b| bit(i * width as usize + b) << b).sum());
                }
                at += groups * width as usize;
            }
        }
        assert_eq!(at, bytes.len());
        values.truncate(count);
        values
    }

    #[test]
    fn indices_come_back() {
        for width in 0..=24_u32 {
            let mut state = 7_u64;
            let mut indices: Vec<u32> = Vec::new();
            while indices.len() < 1000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let value = ((state >> 33) as u32) & ((1_u64 << width) - 1) as u32;
                let run = if state >> 60 < 3 { (state >> 40) as usize % 60 } else { 1 };
                indices.extend(std::iter::repeat_n(value, run));
            }
            for count in [0, 1, 7, 8, 9, 500, indices.len()] {
                let mut out = Vec::new();
                push_indices(&mut out, &indices[..count], width);
                assert_eq!(u32::from(out[0]), width);
                assert_eq!(read(&out[1..], width, count), &indices[..count], "width {width}, {count} indices");
            }
        }
    }

    #[test]
    fn widths() {
        assert_eq!([0, 1, 2, 3, 4, 5, 256, 257].map(width_of), [0, 0, 1, 2, 2, 3, 8, 9]);
    }
}
