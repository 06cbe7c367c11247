"""Run with `python3 -m unittest`; no host is needed."""

import unittest

from sluicebox import Fault, testing
from stage import KnownValues

OPTIONS = {"column": "origin", "values": ["EWR", "JFK"]}


class KnownValuesTest(unittest.TestCase):
    def test_rows_with_other_values_break_the_rule(self) -> None:
        batches = [testing.batch({"origin": ["EWR", "LGA", None]}), testing.batch({"origin": ["jfk", "JFK"]})]
        checked = testing.validate(KnownValues, OPTIONS, *batches)
        self.assertEqual(checked.broken["known-values"], [1, 3])
        self.assertEqual(checked.rules[0].summary, "origin is one of EWR, JFK")
        self.assertTrue(checked.outcomes["any-rows"].holds)
        self.assertEqual(checked.outcomes["any-rows"].observed, "5 rows")

    def test_no_rows_do_not_hold(self) -> None:
        checked = testing.validate(KnownValues, OPTIONS, testing.batch({"origin": []}))
        self.assertFalse(checked.outcomes["any-rows"].holds)

    def test_severity_and_bound_are_those_of_the_options(self) -> None:
        options = {**OPTIONS, "severity": "warn", "at-most": 7}
        [known, _] = testing.validate(KnownValues, options, testing.batch({"origin": []})).rules
        self.assertEqual((known.severity.name, known.at_most.value), ("WARN", 7))

    def test_another_severity_is_refused(self) -> None:
        with self.assertRaisesRegex(Fault, 'severity: "stop" is none of "warn", "reject", "fail"'):
            testing.validate(KnownValues, {**OPTIONS, "severity": "stop"}, testing.batch({"origin": []}))

    def test_a_column_that_is_not_there_is_refused(self) -> None:
        with self.assertRaisesRegex(Fault, "no column 'origin'; there are dest utf8"):
            testing.validate(KnownValues, OPTIONS, testing.batch({"dest": ["IAH"]}))
