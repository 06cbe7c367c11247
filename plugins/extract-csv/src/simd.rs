//! Where in 64 bytes the delimiters, line ends and quotes stand.

/// One bit a byte, the first byte lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    pub(crate) delimiter: u64,
    pub(crate) newline: u64,
    pub(crate) quote: u64,
    /// whether a byte is not ASCII
    pub(crate) high: bool,
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
pub(crate) fn masks(chunk: &[u8; 64], delimiter: u8, quote: u8) -> Masks {
    use core::arch::wasm32::{i8x16_eq, u8x16_bitmask, u8x16_splat, v128, v128_and, v128_any_true, v128_load, v128_or};
    let at = |i: usize| -> v128 {
        let part: &[u8; 16] = part(chunk, i);
        #[allow(unsafe_code, reason = "16 bytes are loaded from an array of 16 bytes; the load needs no alignment")]
        unsafe {
            v128_load(part.as_ptr().cast())
        }
    };
    let parts = [at(0), at(1), at(2), at(3)];
    let find = |byte: u8| -> u64 {
        let wanted = u8x16_splat(byte);
        let [a, b, c, d] = parts.map(|part| u64::from(u8x16_bitmask(i8x16_eq(part, wanted))));
        a | b << 16 | c << 32 | d << 48
    };
    let [a, b, c, d] = parts;
    let any = v128_or(v128_or(a, b), v128_or(c, d));
    Masks {
        delimiter: find(delimiter),
        newline: find(b'\n'),
        quote: find(quote),
        high: v128_any_true(v128_and(any, u8x16_splat(0x80))),
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(unsafe_code, reason = "SSE2 belongs to every x86-64, and 16 bytes are loaded from an array of 16 bytes")]
pub(crate) fn masks(chunk: &[u8; 64], delimiter: u8, quote: u8) -> Masks {
    use core::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    let at = |i: usize| -> __m128i { unsafe { _mm_loadu_si128(part(chunk, i).as_ptr().cast()) } };
    let parts = [at(0), at(1), at(2), at(3)];
    let bits = |mask: __m128i| u64::from(unsafe { _mm_movemask_epi8(mask) } as u16);
    let find = |byte: u8| -> u64 {
        let wanted = unsafe { _mm_set1_epi8(byte as i8) };
        let [a, b, c, d] = parts.map(|part| bits(unsafe { _mm_cmpeq_epi8(part, wanted) }));
        a | b << 16 | c << 32 | d << 48
    };
    let [a, b, c, d] = parts;
    let any = unsafe { _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)) };
    Masks { delimiter: find(delimiter), newline: find(b'\n'), quote: find(quote), high: bits(any) != 0 }
}

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
pub(crate) use portable as masks;

#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline(always)]
fn part(chunk: &[u8; 64], i: usize) -> &[u8; 16] {
    let (parts, _) = chunk.as_chunks::<16>();
    // `i` is 0 to 3 in the four calls above.
    parts.get(i).unwrap_or(&[0; 16])
}

/// The same eight bytes at a time, for other machines and as the measure of the others.
#[cfg(any(test, not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))))]
pub(crate) fn portable(chunk: &[u8; 64], delimiter: u8, quote: u8) -> Masks {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, _) = chunk.as_chunks::<8>();
    let mut found = Masks { delimiter: 0, newline: 0, quote: 0, high: false };
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let find = |byte: u8| -> u64 {
            let differs = word ^ (ONES * u64::from(byte));
            // The high bit of each byte that is zero, exactly.
            let zero = !(((differs & LOW) + LOW) | differs | LOW);
            ((zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i)
        };
        found.delimiter |= find(delimiter);
        found.newline |= find(b'\n');
        found.quote |= find(quote);
        found.high |= word & !LOW != 0;
    }
    found
}

/// Bit i is the exclusive or of bits 0 to i: between an odd quote and the next, all bits are set.
#[inline(always)]
pub(crate) fn prefix_xor(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^= bits << 32;
    bits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn masks_say_where_bytes_stand(bytes in proptest::collection::vec(prop_oneof![Just(b','), Just(b'\n'), Just(b'"'), Just(b'a'), any::<u8>()], 64)) {
            let chunk: &[u8; 64] = bytes.as_slice().try_into().unwrap();
            let of = |wanted: u8| bytes.iter().enumerate().filter(|(_, b)| **b == wanted).fold(0_u64, |m, (i, _)| m | 1 << i);
            let expected = Masks { delimiter: of(b','), newline: of(b'\n'), quote: of(b'"'), high: bytes.iter().any(|b| *b > 127) };
            prop_assert_eq!(masks(chunk, b',', b'"'), expected);
            prop_assert_eq!(portable(chunk, b',', b'"'), expected);
        }

        #[test]
        fn prefix_xor_is_parity(bits: u64) {
            for i in 0..64 {
                let upto = if i == 63 { bits } else { bits & ((1 << (i + 1)) - 1) };
                prop_assert_eq!(prefix_xor(bits) >> i & 1, u64::from(upto.count_ones() % 2));
            }
        }
    }
}
