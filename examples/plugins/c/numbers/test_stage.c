#include <sluicebox_test.h>

SB_TEST(pages_are_made) {
    SB_EQUAL(sb_test_extract("{ \"rows\": 3, \"batch\": 2, \"start\": 8 }", NULL),
             "n|label|half\n8|row 8|4\n9|null|4.5\n10|row 10|5\nbookmark 11\n");
}

SB_TEST(a_bookmark_is_where_it_begins) {
    SB_EQUAL(sb_test_extract("{ \"rows\": 1 }", "-3"), "n|label|half\n-3|row -3|-1.5\nbookmark -2\n");
}

SB_TEST(a_bookmark_of_something_else_is_told) {
    SB_EQUAL(sb_test_extract("{ \"rows\": 1 }", "yesterday"),
             "fault invalid-config: the bookmark \"yesterday\" is no number; set it to the next one");
}

SB_TEST(options_are_held_to_what_they_say) {
    SB_EQUAL(sb_test_extract("{}", NULL), "fault invalid-config: the option `rows` is missing: How many rows a run makes.");
    SB_EQUAL(sb_test_extract("{ \"rows\": -1 }", NULL), "fault invalid-config: the option `rows` has to be at least 0");
    SB_EQUAL(sb_test_extract("{ \"rows\": 1.5 }", NULL), "fault invalid-config: the option `rows` has to be a whole number of 64 bits");
    SB_EQUAL(sb_test_extract("{ \"rows\": 1, \"row\": 1 }", NULL), "fault invalid-config: there is no option `row`");
    SB_EQUAL(sb_test_extract("[", NULL), "fault invalid-config: the options are no JSON (byte 1)");
}
