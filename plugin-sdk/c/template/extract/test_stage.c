/* Runs without a host: `sluicebox plugin test`. */

#include <sluicebox_test.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

SB_TEST(lines_are_rows_and_bad_ones_are_set_aside) {
    char path[] = "/tmp/cities-XXXXXX", options[128];
    int file = mkstemp(path);
    SB_CHECK(write(file, "New York 4.5\nOslo cold\nQuito 15\n", 32) == 32 && close(file) == 0);
    snprintf(options, sizeof options, "{ \"path\": \"%s\" }", path);
    SB_EQUAL(sb_test_extract(options, NULL), "city|celsius\nNew York|4.5\nQuito|15\nbookmark 3\n");
    SB_CHECK(strstr(sb_test_told(), ":2: Oslo cold (it is no city and a number)") != NULL);
    SB_CHECK(remove(path) == 0);
}

SB_TEST(a_file_that_is_not_there_is_told) {
    SB_CHECK(strstr(sb_test_extract("{ \"path\": \"/tmp/no-such-file\" }", NULL), "fault invalid-config: /tmp/no-such-file") != NULL);
}
