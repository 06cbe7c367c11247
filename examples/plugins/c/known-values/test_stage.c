#include <sluicebox_test.h>

SB_TEST(unknown_values_are_found_and_rows_counted) {
    SB_EQUAL(sb_test_validate("{ \"column\": \"carrier\", \"values\": [\"UA\"] }", "carrier utf8", "UA\nB6\nnull\nAA\n"),
             "known-values: 1 3\nany-rows holds: 4 rows\n");
}

SB_TEST(a_column_of_numbers_is_refused) {
    SB_EQUAL(sb_test_validate("{ \"column\": \"n\", \"values\": [\"1\"] }", "n int32", "1\n"),
             "fault invalid-config: column `n` is int32, not utf8; there is n int32");
}
