"""The load of the conformance suite: lines of JSON, and a fault where it is told to."""

from __future__ import annotations

import json
import math
import os
import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO, Literal

from sluicebox import Batch, Fault, Load, Schema, option, plugin

quoted = json.JSONEncoder(ensure_ascii=False).encode


def number(value: float) -> str:
    """As JavaScript writes it: the shortest text that is read as the same number."""
    if not math.isfinite(value):
        return "null"
    text = repr(value).removesuffix(".0")
    digits, _, exponent = text.partition("e")
    if not exponent:
        return text
    return format(Decimal(text), "f") if -7 < int(exponent) < 21 else f"{digits}e{int(exponent):+d}"


def narrow(value: float) -> str:
    """The same of a float of 32 bits: of the shortest text that is read as the same one of these."""
    if not math.isfinite(value):
        return "null"
    values = (float(f"{value:.{digits}g}") for digits in range(1, 10))
    return number(next((near for near in values if array("f", [near])[0] == value), value))


ENCODERS: dict[str, Callable[[Any], str]] = {
    "boolean": lambda value: "true" if value else "false",
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), str),
    "float32": narrow,
    "float64": number,
    "utf8": quoted,
    "date32": lambda value: f'"{value.isoformat()}"',
    "timestamp": lambda value: f'"{value.replace(tzinfo=None).isoformat()}"',
}
"""How the values of each type are written."""


@dataclass
class Options:
    """Where to."""

    path: str = option("The file to write, e.g. `out/flights.jsonl`; its folder has to be granted.", at_least=1)
    fail: Literal["", "open", "write", "prepare", "commit", "abort"] = option("The call that fails.", default="")
    kind: str = option("The kind of that fault.", default="unavailable")


@plugin("conform-load-python", summary="What a load can do, for the conformance suite", capabilities=["write-files"])
class Conform(Load[Options]):
    file: BinaryIO | None = None

    def fail_in(self, call: str) -> None:
        if self.options.fail == call:
            raise Fault(self.options.kind, f"told to fail in {call}")

    def open(self, schema: Schema, load_id: str, part: int) -> None:
        self.fail_in("open")
        for field in schema:
            if field.data_type not in ENCODERS:
                raise Fault("invalid-config", f"column {field.name!r} is {field.data_type}; drop it, or cast it before")
        self.temporary = f"{temporary_prefix(self.options.path, load_id)}{part}"

    def write(self, batch: Batch) -> None:
        self.fail_in("write")
        names = [quoted(name) for name in batch.schema.names]
        columns = [encoded(batch[field.name], ENCODERS[field.data_type]) for field in batch.schema]
        lines = [
            "{" + ",".join([f"{name}:{value}" for name, value in zip(names, row)]) + "}\n"
            for row in (zip(*columns) if columns else [()] * batch.rows)
        ]
        self.target().write("".join(lines).encode())

    def prepare(self) -> str:
        self.fail_in("prepare")
        # Without a batch there is a file as well, an empty one.
        with self.target() as file:
            file.flush()
            os.fsync(file.fileno())
        self.file = None
        return json.dumps({"temporary": self.temporary, "path": self.options.path})

    def commit(self, load_id: str, receipts: list[str]) -> None:
        self.fail_in("commit")
        for receipt in map(json.loads, receipts):
            try:
                os.replace(receipt["temporary"], receipt["path"])
            except FileNotFoundError:
                # Committed before.
                if not os.path.exists(receipt["path"]):
                    raise

    def abort(self, load_id: str, receipts: list[str]) -> None:
        self.fail_in("abort")
        if self.file is not None:
            self.file.close()
            self.file = None
        prefix = temporary_prefix(self.options.path, load_id)
        folder, start = os.path.split(prefix)
        try:
            left = [name for name in os.listdir(folder or ".") if name.startswith(start)]
        except FileNotFoundError:
            return
        for name in left:
            os.remove(os.path.join(folder, name))

    def target(self) -> BinaryIO:
        """The temporary file; what an earlier try left there is replaced."""
        if self.file is None:
            self.file = open(self.temporary, "wb")
        return self.file


def temporary_prefix(path: str, load_id: str) -> str:
    """How the temporary files of a load begin: beside the target, so that they can take its place in one step."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.{re.sub(r'[^A-Za-z0-9._-]', '_', load_id)}.part-")


def encoded(values: list[Any], encode: Callable[[Any], str]) -> list[str]:
    """A column as JSON."""
    return ["null" if value is None else encode(value) for value in values]
