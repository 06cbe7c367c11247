/* Runs without a host: `sluicebox plugin test`. */

#include <sluicebox_test.h>

SB_TEST(what_is_out_of_bounds_is_found) {
    SB_EQUAL(sb_test_validate("{ \"column\": \"miles\", \"low\": 0, \"high\": 1500 }", "miles float64", "0\n1500\nnull\n1500.5\n-1\nnan\n"),
             "bounds: 3 4 5\nany-rows holds: 6 rows\n");
}

SB_TEST(bounds_that_let_nothing_through_are_refused) {
    SB_EQUAL(sb_test_validate("{ \"column\": \"miles\", \"low\": 2, \"high\": 1 }", "miles float64", "0\n"),
             "fault invalid-config: low is 2, which is more than high, 1");
}
