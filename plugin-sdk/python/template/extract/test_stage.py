"""Runs without a host: `python3 -m unittest`."""

import os
import tempfile
import unittest

from sluicebox import Fault, testing
from stage import {{NamePascal}}


class {{NamePascal}}Test(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "cities.txt")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("New York 4.5\nOslo cold\nQuito 15\n")
        testing.said()

    def test_lines_are_rows_and_bad_ones_are_set_aside(self) -> None:
        [page] = testing.extract({{NamePascal}}, {"path": self.path})
        self.assertEqual(page.batch.to_dict(), {"city": ["New York", "Quito"], "celsius": [4.5, 15.0]})
        [bad] = testing.said().quarantined
        self.assertEqual((bad.origin, bad.content), (f"{self.path}:2", "Oslo cold"))

    def test_it_goes_on_at_the_bookmark(self) -> None:
        first, last = testing.extract({{NamePascal}}, {"path": self.path, "page-rows": 1}, bookmark="2")
        self.assertEqual((first.batch["city"], first.bookmark), (["Quito"], "3"))
        self.assertEqual((last.batch.rows, last.bookmark), (0, "3"))

    def test_a_file_that_is_not_there_is_told(self) -> None:
        with self.assertRaisesRegex(Fault, "invalid-config: FileNotFoundError"):
            testing.extract({{NamePascal}}, {"path": "nowhere.txt"})
