"""Run with `python3 -m unittest`; no host is needed."""

import unittest

from sluicebox import Fault, testing
from stage import Numbers


class NumbersTest(unittest.TestCase):
    def test_rows_in_batches(self) -> None:
        pages = testing.extract(Numbers, {"rows": 5, "start": 8, "batch": 2})
        self.assertEqual([page.batch["n"] for page in pages], [[8, 9], [10, 11], [12]])
        self.assertEqual(pages[0].batch["label"], ["row 8", None])
        self.assertEqual(pages[0].batch["half"], [4.0, 4.5])
        self.assertEqual([page.bookmark for page in pages], ["10", "12", "13"])
        self.assertEqual([page.progress for page in pages], [0.4, 0.8, 1.0])

    def test_it_goes_on_at_the_bookmark(self) -> None:
        [page] = testing.extract(Numbers, {"rows": 3}, bookmark="13")
        self.assertEqual(page.batch["n"], [13, 14, 15])

    def test_no_rows_are_no_page(self) -> None:
        self.assertEqual(testing.extract(Numbers, {"rows": 0}), [])

    def test_large_numbers_are_exact(self) -> None:
        [page] = testing.extract(Numbers, {"rows": 2, "start": 2**53 + 1})
        self.assertEqual(page.batch["n"], [2**53 + 1, 2**53 + 2])

    def test_a_bookmark_that_is_no_number_is_refused(self) -> None:
        with self.assertRaisesRegex(Fault, "the bookmark 'x' is no number"):
            testing.extract(Numbers, {"rows": 1}, bookmark="x")

    def test_rows_have_to_be_given(self) -> None:
        with self.assertRaisesRegex(Fault, "invalid-config: rows: it has to be given"):
            testing.extract(Numbers)
