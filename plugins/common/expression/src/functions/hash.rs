//! Digests.

use sha2::Digest;

use super::{Call, Function, Group};
use crate::{
    kernels::texts,
    node::Kernel,
    plan::coerce::{self, Planned, call},
    types::Type,
};

pub(super) const TABLE: &[Function] = &[
    Function {
        names: &["md5"],
        group: Group::Hash,
        signature: "md5(text or binary) -> utf8",
        summary: "MD5 as 32 hexadecimal digits; not for secrets.",
        example: ("md5('abc')", "'900150983cd24fb0d6963f7d28e17f72'"),
        least: 1,
        most: 1,
        build: |c| digest(c, |bytes, out| hex(&md5::Md5::digest(bytes), out)),
    },
    Function {
        names: &["sha256"],
        group: Group::Hash,
        signature: "sha256(text or binary) -> utf8",
        summary: "SHA-256 as 64 hexadecimal digits.",
        example: ("left(sha256('abc'), 16)", "'ba7816bf8f01cfea'"),
        least: 1,
        most: 1,
        build: |c| digest(c, |bytes, out| hex(&sha2::Sha256::digest(bytes), out)),
    },
];

fn hex(digest: &[u8], out: &mut Vec<u8>) {
    let digit =
        |half: u8| char::from_digit(u32::from(half), 16).map_or(b'0', |c| if c.is_ascii() { c as u8 } else { b'0' });
    out.extend(digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

fn digest(mut c: Call, of: fn(&[u8], &mut Vec<u8>)) -> Planned {
    let node = c.any(0);
    let node = if node.ty == Type::Binary {
        node
    } else {
        coerce::coerce(node, &Type::Utf8, &format!("`{}` takes text or binary", c.name()))?
    };
    let kernel: Kernel = Box::new(move |rows, values| {
        let Some(value) = values.first() else { return Err(crate::node::RowError::new(0, "an argument is missing")) };
        let bytes = value.strings();
        texts(rows, &values, rows.count * 64, |row, out| of(bytes.bytes(row), out))
    });
    call(Type::Utf8, vec![node], c.span, kernel)
}
