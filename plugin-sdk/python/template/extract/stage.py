"""Reads lines such as `Oslo 4.5` into rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sluicebox import BadRecord, Batch, Extract, Field, Page, Schema, option, plugin, quarantine

SCHEMA = Schema([Field("city", "utf8", nullable=False), Field("celsius", "float64", nullable=False)])


@dataclass
class Options:
    """What is read."""

    path: str = option("The file to read; its folder has to be granted: `grants.read`.", at_least=1)
    page_rows: int = option("How many rows a batch has.", default=8192, at_least=1, at_most=65536)


@plugin("{{name}}", summary="Reads cities and their temperatures", capabilities=["read-files"])
class {{NamePascal}}(Extract[Options]):
    def open(self, bookmark: str | None) -> Schema:
        """Called once, also to check a pipeline: find here what does not fit, and answer with the columns."""
        self.skip = int(bookmark or 0)  # lines that earlier runs have read
        open(self.options.path, "rb").close()
        return SCHEMA

    def pages(self) -> Iterator[Page]:
        """The host takes one page after another, as it has room."""
        cities: list[str] = []
        celsius: list[float] = []
        line = self.skip
        with open(self.options.path, encoding="utf-8") as file:
            for line, text in enumerate(file, 1):
                if line <= self.skip:
                    continue
                try:
                    city, number = text.rsplit(maxsplit=1)
                    celsius.append(float(number))
                    cities.append(city)
                except ValueError as error:
                    quarantine(BadRecord(f"{self.options.path}:{line}", text.rstrip("\n"), str(error)))
                if len(cities) == self.options.page_rows:
                    yield Page(Batch.from_columns(SCHEMA, [cities, celsius]), bookmark=str(line))
                    cities, celsius = [], []
        yield Page(Batch.from_columns(SCHEMA, [cities, celsius]), bookmark=str(max(line, self.skip)), progress=1.0)
