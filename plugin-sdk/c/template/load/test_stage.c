/* Runs without a host: `sluicebox plugin test`. */

#include <sluicebox_test.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

SB_TEST(rows_are_lines) {
    char folder[] = "/tmp/load-XXXXXX", options[128], path[128], text[256] = "";
    SB_CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/out.tsv", folder);
    snprintf(options, sizeof options, "{ \"path\": \"%s\" }", path);
    sb_test_load(options, "dest utf8, miles int64", "IAH|1400\nnull|2\na\tb|null\n", false);
    FILE *file = fopen(path, "r");
    SB_CHECK(file != NULL && fread(text, 1, sizeof text - 1, file) > 0);
    SB_EQUAL(text, "dest\tmiles\nIAH\t1400\n\t2\na\\tb\t\n");
    SB_CHECK(remove(path) == 0 && rmdir(folder) == 0);
}

SB_TEST(what_is_aborted_leaves_nothing) {
    char folder[] = "/tmp/load-XXXXXX", options[128];
    SB_CHECK(mkdtemp(folder) != NULL);
    snprintf(options, sizeof options, "{ \"path\": \"%s/out.tsv\" }", folder);
    sb_test_load(options, "n int64", "1\n", true);
    SB_CHECK(rmdir(folder) == 0);
}
