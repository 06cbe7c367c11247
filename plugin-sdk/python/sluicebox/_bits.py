"""Bitmaps: one bit a row, least significant first. All of the work is done by functions written in C."""

from __future__ import annotations

from collections.abc import Iterable

_UNPACKED = [bytes(byte >> bit & 1 for bit in range(8)) for byte in range(256)]
_DIGITS = bytes([48] + [49] * 255)


def pack(flags: Iterable[object]) -> bytes:
    """A bit a flag."""
    flat = bytes(map(bool, flags))
    if not flat:
        return b""
    return int(flat.translate(_DIGITS)[::-1], 2).to_bytes((len(flat) + 7) // 8, "little")


def unpack(bits: bytes, rows: int) -> bytes:
    """A byte a row, 0 or 1."""
    return b"".join(map(_UNPACKED.__getitem__, bits))[:rows]


def count(bits: bytes, rows: int) -> int:
    """How many of the first rows' bits are 1."""
    return (int.from_bytes(bits, "little") & ((1 << rows) - 1)).bit_count()
