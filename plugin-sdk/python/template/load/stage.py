"""Writes rows as lines of text with tabs between the values."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import BinaryIO

from sluicebox import Batch, Fault, Load, Schema, option, plugin


@dataclass
class Options:
    """Where to."""

    path: str = option("The file to write; its folder has to be granted: `grants.write`.", at_least=1)


@plugin("{{name}}", summary="Writes rows as lines with tabs", capabilities=["write-files"])
class {{NamePascal}}(Load[Options]):
    file: BinaryIO | None = None

    def open(self, schema: Schema, load_id: str, part: int) -> None:
        """Called once, also to check a pipeline: find here what does not fit, and change nothing outside."""
        for field in schema:
            if field.data_type in ("binary", "other"):
                raise Fault("invalid-config", f"column {field.name!r} is {field.data_type}; drop it, or cast it before")
        self.names = schema.names
        self.temporary = temporary(self.options.path, load_id)

    def write(self, batch: Batch) -> None:
        """Called for each batch: writes where nobody looks yet."""
        columns = [[text_of(value) for value in batch[name]] for name in self.names]
        self.opened().write("".join("\t".join(row) + "\n" for row in zip(*columns)).encode())

    def prepare(self) -> str:
        """Makes what was written durable, but not seen yet. The receipt says what `commit` has to know."""
        with self.opened() as file:
            file.flush()
            os.fsync(file.fileno())
        self.file = None
        return json.dumps({"temporary": self.temporary, "path": self.options.path})

    def commit(self, load_id: str, receipts: list[str]) -> None:
        """Shows it, once all loads of the run have prepared. May come again, and on a fresh instance."""
        for receipt in map(json.loads, receipts):
            if os.path.exists(receipt["temporary"]) or not os.path.exists(receipt["path"]):
                os.replace(receipt["temporary"], receipt["path"])

    def abort(self, load_id: str, receipts: list[str]) -> None:
        """Takes back what was written; never what was committed. May come again, and on a fresh instance."""
        if self.file is not None:
            self.file.close()
            self.file = None
        if os.path.exists(temporary(self.options.path, load_id)):
            os.remove(temporary(self.options.path, load_id))

    def opened(self) -> BinaryIO:
        """The temporary file, with the names of the columns in its first line."""
        if self.file is None:
            self.file = open(self.temporary, "wb")
            self.file.write(("\t".join(map(text_of, self.names)) + "\n").encode())
        return self.file


def temporary(path: str, load_id: str) -> str:
    """Beside the target, so that it can take its place in one step; by load, so that a later try replaces it."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.{load_id.replace('/', '_')}")


def text_of(value: object) -> str:
    """A value without tabs and line ends; a null is nothing."""
    return "" if value is None else str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
