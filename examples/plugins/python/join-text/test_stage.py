"""Run with `python3 -m unittest`; no host is needed."""

import unittest

from sluicebox import Fault, testing
from stage import JoinText

WAYS = testing.batch({"from": ["EWR", "JFK", None], "to": ["IAH", None, "BQN"], "miles": [1400, 1576, 10]})


class JoinTextTest(unittest.TestCase):
    def test_texts_are_joined_and_nulls_stay_nulls(self) -> None:
        [out] = testing.transform(JoinText, {"columns": ["from", "to"]}, WAYS)
        self.assertEqual(out["joined"], ["EWR-IAH", None, None])
        self.assertEqual(out.schema.names, ["from", "to", "miles", "joined"])

    def test_a_column_of_that_name_is_replaced(self) -> None:
        [out] = testing.transform(JoinText, {"columns": ["to", "from"], "separator": " < ", "as": "miles"}, WAYS)
        self.assertEqual(out["miles"], ["IAH < EWR", None, None])
        self.assertEqual(str(out.schema["miles"]), "miles utf8")

    def test_a_column_that_is_not_there_is_told_with_those_that_are(self) -> None:
        with self.assertRaisesRegex(
            Fault, "invalid-config: no column 'form'; there are from utf8, to utf8, miles int64"
        ):
            testing.transform(JoinText, {"columns": ["form"]}, WAYS)

    def test_a_column_of_numbers_is_refused(self) -> None:
        with self.assertRaisesRegex(Fault, "column 'miles' is int64, not utf8"):
            testing.transform(JoinText, {"columns": ["from", "miles"]}, WAYS)

    def test_no_columns_are_refused(self) -> None:
        with self.assertRaisesRegex(Fault, "columns: 0 is out of bounds; it is at least 1"):
            testing.transform(JoinText, {"columns": []}, WAYS)
