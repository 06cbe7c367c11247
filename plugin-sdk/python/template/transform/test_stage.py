"""Runs without a host: `python3 -m unittest`."""

import unittest

from sluicebox import Fault, testing
from stage import {{NamePascal}}

ROWS = testing.batch({"miles": [1400, 944, None, 10], "minutes": [200, None, 3, 0], "dest": ["IAH", "MIA", "BQN", "ATL"]})


class {{NamePascal}}Test(unittest.TestCase):
    def test_ratios_with_nulls_and_zeros(self) -> None:
        [out] = testing.transform({{NamePascal}}, {"numerator": "miles", "denominator": "minutes"}, ROWS)
        self.assertEqual(out["ratio"], [7.0, None, None, None])

    def test_a_column_of_text_is_refused(self) -> None:
        with self.assertRaisesRegex(Fault, "invalid-config: column 'dest' is utf8"):
            testing.transform({{NamePascal}}, {"numerator": "miles", "denominator": "dest"}, ROWS)
