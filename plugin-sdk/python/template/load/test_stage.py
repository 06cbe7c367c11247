"""Runs without a host: `python3 -m unittest`."""

import os
import tempfile
import unittest

from sluicebox import Fault, testing
from stage import {{NamePascal}}

ROWS = testing.batch({"dest": ["IAH", None, "a\tb"], "miles": [1400, 2, None]})


class {{NamePascal}}Test(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(folder.name, "out.tsv")

    def test_rows_are_lines(self) -> None:
        testing.load({{NamePascal}}, {"path": self.path}, ROWS, ROWS.slice(2))
        with open(self.path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "dest\tmiles\nIAH\t1400\n\t2\na\\tb\t\na\\tb\t\n")

    def test_nothing_is_seen_before_the_commit(self) -> None:
        testing.load({{NamePascal}}, {"path": self.path}, ROWS, end="prepare")
        self.assertFalse(os.path.exists(self.path))

    def test_what_is_aborted_leaves_nothing(self) -> None:
        testing.load({{NamePascal}}, {"path": self.path}, ROWS, end="abort")
        self.assertEqual(os.listdir(self.folder), [])

    def test_bytes_are_refused(self) -> None:
        with self.assertRaisesRegex(Fault, "invalid-config: column 'raw' is binary"):
            testing.load({{NamePascal}}, {"path": self.path}, testing.batch({"raw": [b"x"]}))
