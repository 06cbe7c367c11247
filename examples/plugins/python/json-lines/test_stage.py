"""Run with `python3 -m unittest`; no host is needed."""

import math
import os
import tempfile
import unittest
from datetime import date, datetime

from sluicebox import Fault, Field, Schema, testing
from stage import JsonLines


class JsonLinesTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(folder.name, "out.jsonl")

    def written(self) -> str:
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def test_each_type_has_its_form(self) -> None:
        rows = testing.batch(
            {
                "n": [2**63 - 1, None],
                "x": [0.1, math.nan],
                "yes": [True, None],
                "text": ['a "quoted"\n\u00e4\U0001f600', None],
                "day": [date(2013, 1, 31), None],
                "at": [datetime(2013, 1, 31, 10, 0, 0, 500000), datetime(2013, 1, 31)],
            }
        )
        testing.load(JsonLines, {"path": self.path}, rows)
        first, second, _ = self.written().split("}\n")
        self.assertEqual(
            first,
            '{"n":9223372036854775807,"x":0.1,"yes":true,"text":"a \\"quoted\\"\\n\u00e4\U0001f600",'
            '"day":"2013-01-31","at":"2013-01-31T10:00:00.500000"',
        )
        self.assertEqual(second, '{"n":null,"x":null,"yes":null,"text":null,"day":null,"at":"2013-01-31T00:00:00"')

    def test_small_floats_are_as_short_as_can_be(self) -> None:
        values = [0.1, 1 / 3, 16777216.0, 3.4028234663852886e38, None, math.inf]
        testing.load(JsonLines, {"path": self.path}, testing.batch({"x": values}, [Field("x", "float32")]))
        texts = [line.split(":")[1][:-1] for line in self.written().splitlines()]
        self.assertEqual(texts, ["0.1", "0.33333334", "16777216", "3.4028235e+38", "null", "null"])

    def test_nothing_is_seen_before_the_commit(self) -> None:
        testing.load(JsonLines, {"path": self.path}, testing.batch({"n": [1]}), end="prepare")
        self.assertFalse(os.path.exists(self.path))

    def test_what_is_aborted_leaves_nothing(self) -> None:
        testing.load(JsonLines, {"path": self.path}, testing.batch({"n": [1]}), end="abort")
        self.assertEqual(os.listdir(self.folder), [])

    def test_an_abort_touches_nothing_that_was_committed(self) -> None:
        testing.load(JsonLines, {"path": self.path}, testing.batch({"n": [1]}))
        testing.load(JsonLines, {"path": self.path}, testing.batch({"n": [2]}), end="abort")
        self.assertEqual(self.written(), '{"n":1}\n')

    def test_no_rows_are_an_empty_file(self) -> None:
        testing.load(JsonLines, {"path": self.path}, schema=Schema())
        self.assertEqual(self.written(), "")

    def test_bytes_have_no_form(self) -> None:
        with self.assertRaisesRegex(Fault, "invalid-config: column 'raw' is binary; drop it, or cast it before"):
            testing.load(JsonLines, {"path": self.path}, testing.batch({"raw": [b"x"]}))

    def test_a_folder_that_is_not_there_is_told(self) -> None:
        with self.assertRaisesRegex(Fault, "invalid-config: FileNotFoundError.*grants.write"):
            testing.load(JsonLines, {"path": f"{self.path}/x/y"}, testing.batch({"n": [1]}))
