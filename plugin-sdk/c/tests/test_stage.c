/* The SDK's own tests, on the machine itself: the host is one in memory. */

#include <errno.h>
#include <sluicebox_test.h>
#include <stdio.h>
#include <string.h>

static const char COLUMNS[] = "a int64, t utf8";
static const char ROWS[] = "1|x\nnull|null\n3|z\n";

static const char *given(const char *options) { return sb_test_transform(options, COLUMNS, ROWS); }

SB_TEST(options_have_their_fallbacks) {
    SB_EQUAL(given("{\"mode\":\"options\"}"), "shown\nnone 5 0 0.5 no left out\n");
}

SB_TEST(options_are_read) {
    SB_EQUAL(given("{ \"mode\": \"options\", \"text\": \"\\u00e4\\ud83d\\ude00 \\\"\\n\", \"integer\": 10, \"big\": 9223372036854775807,\n"
                   "  \"number\": -1.5e2, \"flag\": true, \"texts\": [\"a\", \"b\"], \"json\": [[\"x\", \"y\"], []], \"perhaps\": \"given\" }"),
             "shown\n\xc3\xa4\xf0\x9f\x98\x80 \"\n 10 9223372036854775807 -150 yes +a +b *2x *0 given\n");
}

SB_TEST(options_that_do_not_fit_are_refused) {
    SB_EQUAL(given("{\"mode\":\"dance\"}"),
             "fault invalid-config: the option `mode` has to be \"options\" or \"copy\" or \"made\" or \"filter\" or \"take\" or \"slice\" "
             "or \"select\" or \"zip\" or \"concat\" or \"replace\" or \"keep\" or \"tell\" or \"faults\" or \"nulls\" or \"missing\" or \"file\"");
    SB_EQUAL(given("{}"), "fault invalid-config: the option `mode` is missing: What is done.");
    SB_EQUAL(given("{\"mode\":\"copy\",\"colour\":1}"), "fault invalid-config: there is no option `colour`");
    SB_EQUAL(given("{\"mode\":\"copy\",\"integer\":11}"), "fault invalid-config: the option `integer` has to be at most 10");
    SB_EQUAL(given("{\"mode\":\"copy\",\"integer\":0}"), "fault invalid-config: the option `integer` has to be at least 1");
    SB_EQUAL(given("{\"mode\":\"copy\",\"integer\":1.5}"), "fault invalid-config: the option `integer` has to be a whole number of 64 bits");
    SB_EQUAL(given("{\"mode\":\"copy\",\"big\":9223372036854775808}"), "fault invalid-config: the option `big` has to be a whole number of 64 bits");
    SB_EQUAL(given("{\"mode\":\"copy\",\"flag\":\"yes\"}"), "fault invalid-config: the option `flag` has to be true or false");
    SB_EQUAL(given("{\"mode\":\"copy\",\"texts\":[1]}"), "fault invalid-config: the option `texts` has to be a list of texts");
    SB_EQUAL(given("[]"), "fault invalid-config: the options are no table");
    SB_EQUAL(given("{\"mode\":\"copy\""), "fault invalid-config: the options are no JSON (byte 14)");
}

SB_TEST(columns_cross_in_every_form) {
    static const char TYPES[] = "b boolean, i8 int8, u16 uint16, i32 int32, u64 uint64, f32 float32, f64 float64, t utf8, x binary, d date32, at timestamp";
    static const char VALUES[] = "true|-128|65535|-7|7|1.5|-0.25|\xc3\xa4|00ff|1|2\nnull|null|null|null|null|null|null|null|null|null|null\n";
    SB_EQUAL(sb_test_transform("{\"mode\":\"copy\"}", TYPES, VALUES),
             "b|i8|u16|i32|u64|f32|f64|t|x|d|at\n"
             "true|-128|65535|-7|7|1.5|-0.25|\xc3\xa4|00ff|1|2\nnull|null|null|null|null|null|null|null|null|null|null\n");
    SB_EQUAL(sb_test_transform("{\"mode\":\"copy\"}", "n int64 not null", ""), "n\n");
}

SB_TEST(columns_are_built) {
    SB_EQUAL(given("{\"mode\":\"made\"}"), "b|i8|i64|f32|t|d|over\n"
                                           "true|-128|9223372036854775807|1.5|\xc3\xa4 b|39300000000000000000000000000000|7\n"
                                           "null|null|null|null|null|null|-7\n");
}

SB_TEST(rows_are_picked) {
    SB_EQUAL(given("{\"mode\":\"filter\"}"), "a|t\n1|x\n3|z\n");
    SB_EQUAL(given("{\"mode\":\"take\"}"), "a|t\n3|z\n1|x\n3|z\n");
    SB_EQUAL(given("{\"mode\":\"slice\",\"integer\":2}"), "a|t\n3|z\n");
    SB_CHECK(given("{\"mode\":\"slice\",\"integer\":3}")[0] == 'f');
    SB_EQUAL(given("{\"mode\":\"concat\"}"), "a|t\n1|x\nnull|null\n3|z\n1|x\n");
}

SB_TEST(columns_are_picked_and_joined) {
    SB_EQUAL(given("{\"mode\":\"select\"}"), "renamed\nx\nnull\nz\n");
    SB_EQUAL(given("{\"mode\":\"zip\"}"), "a|t|a_2|t_2\n1|x|1|x\nnull|null|null|null\n3|z|3|z\n");
    SB_EQUAL(given("{\"mode\":\"replace\"}"), "a|t\nrow 0|x\nrow 1|null\nrow 2|z\n");
}

SB_TEST(a_batch_is_kept_until_the_end) { SB_EQUAL(given("{\"mode\":\"keep\"}"), "a|t\n1|x\nnull|null\n3|z\n"); }

SB_TEST(what_is_told_arrives) {
    sb_test_told();
    given("{\"mode\":\"tell\"}");
    SB_EQUAL(sb_test_told(), "info 3 rows\ncounter seen 3\ncounter seen 1\nquarantined here:1: a,b (too short)\n");
}

SB_TEST(the_first_fault_counts) { SB_EQUAL(given("{\"mode\":\"faults\"}"), "fault invalid-data: row 1 is not right"); }

SB_TEST(errors_of_files_are_of_the_kind_that_fits) {
    static const struct {
        const char *kind;
        int numbers[16];
    } KINDS[] = {
        {"invalid-config", {ENOENT, EISDIR, ENOTDIR, ENAMETOOLONG, EEXIST, ENOTEMPTY}},
        {"denied", {EACCES, EPERM, EROFS}},
        {"unavailable", {EIO, ENOSPC, EDQUOT, EBUSY, EAGAIN, EINTR, ETIMEDOUT, ECONNREFUSED, ECONNRESET, ECONNABORTED, ENOTCONN,
                         EHOSTUNREACH, ENETUNREACH, ENETDOWN, EPIPE}},
        {"internal", {EXDEV, EINVAL}},
    };
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        for (const int *number = KINDS[i].numbers; *number != 0; number++) {
            char options[60], wanted[60];
            snprintf(options, sizeof options, "{\"mode\":\"file\",\"big\":%d}", *number);
            snprintf(wanted, sizeof wanted, "fault %s: x.csv: ", KINDS[i].kind);
            SB_CHECK(strncmp(given(options), wanted, strlen(wanted)) == 0);
        }
    }
}

SB_TEST(a_column_that_is_not_there_is_told_with_those_that_are) {
    SB_EQUAL(given("{\"mode\":\"missing\"}"), "fault invalid-config: there is no column `\xc5\xbc`; there is a int64, t utf8");
}

SB_TEST(a_row_beyond_the_last_is_null) {
    sb_test_told();
    given("{\"mode\":\"nulls\"}");
    const char *told = sb_test_told();
    SB_EQUAL(told, "counter a 0\ncounter a 1\ncounter a 0\ncounter a 1\ncounter t 0\ncounter t 1\ncounter t 0\ncounter t 1\n");
}
