"""Runs without a host: `python3 -m unittest`."""

import unittest

from sluicebox import Fault, testing
from stage import {{NamePascal}}

ROWS = testing.batch({"miles": [-1, 0, None, 10, 11]})


class {{NamePascal}}Test(unittest.TestCase):
    def test_rows_out_of_bounds_are_found(self) -> None:
        checked = testing.validate({{NamePascal}}, {"column": "miles", "low": 0, "high": 10}, ROWS)
        self.assertEqual(checked.broken["bounds"], [0, 4])
        self.assertEqual(checked.outcomes["any-rows"].observed, "5 rows")

    def test_bounds_the_wrong_way_round_are_refused(self) -> None:
        with self.assertRaisesRegex(Fault, "invalid-config: low is 2.0, which is more than high, 1.0"):
            testing.validate({{NamePascal}}, {"column": "miles", "low": 2, "high": 1}, ROWS)
