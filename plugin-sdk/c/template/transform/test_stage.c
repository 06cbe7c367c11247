/* Runs without a host: `sluicebox plugin test`. */

#include <sluicebox_test.h>

SB_TEST(ratios_are_null_where_there_is_none) {
    SB_EQUAL(sb_test_transform("{ \"numerator\": \"miles\", \"denominator\": \"minutes\" }", "miles int64, minutes float64",
                               "1089|160\n5|0\nnull|1\n"),
             "miles|minutes|ratio\n1089|160|6.80625\n5|0|null\nnull|1|null\n");
}

SB_TEST(a_column_that_is_not_there_is_told) {
    SB_EQUAL(sb_test_transform("{ \"numerator\": \"miles\", \"denominator\": \"hours\" }", "miles int64", "1\n"),
             "fault invalid-config: there is no column `hours`; there is miles int64");
}
