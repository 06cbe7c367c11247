#include <sluicebox_test.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *options(const char *folder) { return sb_print("{ \"path\": \"%s/rows.jsonl\" }", folder); }

SB_TEST(rows_are_lines) {
    char folder[] = "/tmp/json-lines-XXXXXX", text[256] = "";
    SB_CHECK(mkdtemp(folder) != NULL);
    char *config = strdup(options(folder));
    const char *receipt = sb_test_load(config, "n int64, x float32, t utf8", "9223372036854775807|0.1|a\"b\nnull|inf|null\n", false);
    SB_CHECK(strstr(receipt, ".rows.jsonl.test-load.part-0") != NULL);
    char *path = strdup(sb_print("%s/rows.jsonl", folder));
    FILE *file = fopen(path, "r");
    SB_CHECK(file != NULL && fread(text, 1, sizeof text - 1, file) > 0);
    SB_EQUAL(text, "{\"n\":9223372036854775807,\"x\":0.1,\"t\":\"a\\\"b\"}\n{\"n\":null,\"x\":null,\"t\":null}\n");
    SB_CHECK(remove(path) == 0 && rmdir(folder) == 0);
}

SB_TEST(what_is_aborted_leaves_nothing) {
    char folder[] = "/tmp/json-lines-XXXXXX";
    SB_CHECK(mkdtemp(folder) != NULL);
    char *config = strdup(options(folder));
    sb_test_load(config, "n int64", "1\n", true);
    SB_CHECK(rmdir(folder) == 0);
}

SB_TEST(bytes_are_refused) {
    SB_EQUAL(sb_test_load("{ \"path\": \"x\" }", "raw binary", "00\n", false),
             "fault invalid-config: column `raw` is binary; drop it, or cast it before");
}
