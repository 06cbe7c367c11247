/* The extract of the conformance suite: what an extract can make, by mode. */

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sluicebox.h>
#include <stdlib.h>
#include <string.h>

static const int64_t NONE = 0, ONE = 1, MANY = 65536;
static const char *const MODES[] = {"types", "floats", "empty", "nothing", "bookmarks", "fault", NULL};
static const char *const CALLS[] = {"open", "next", NULL};
static const sb_option OPTIONS[] = {
    {.name = "mode", .type = SB_TEXT, .description = "What is done.", .choices = MODES},
    {.name = "rows", .type = SB_INTEGER, .description = "bookmarks: how many rows.", .fallback = "0", .at_least = &NONE},
    {.name = "start", .type = SB_INTEGER, .description = "bookmarks: the first number.", .fallback = "0"},
    {.name = "batch", .type = SB_INTEGER, .description = "bookmarks: rows of a page.", .fallback = "8192", .at_least = &ONE, .at_most = &MANY},
    {.name = "kind", .type = SB_TEXT, .description = "fault: its kind.", .fallback = "\"internal\""},
    {.name = "message", .type = SB_TEXT, .description = "fault: its message.", .fallback = "\"\""},
    {.name = "row", .type = SB_INTEGER, .description = "fault: its row.", .optional = true, .at_least = &NONE},
    {.name = "call", .type = SB_TEXT, .description = "fault: the call that fails.", .fallback = "\"next\"", .choices = CALLS},
};

const sb_about sb_stage = {
    .name = "conform-extract-c",
    .summary = "What an extract can make, for the conformance suite",
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

static bool is(const char *mode) { return strcmp(sb_option_text("mode"), mode) == 0; }

/* Ends with the fault that the options name, if it is one of this call. */
static bool fails_in(const char *call) {
    if (!is("fault") || strcmp(sb_option_text("call"), call) != 0) {
        return false;
    }
    static const char *const KINDS[] = {"invalid-config", "invalid-data", "denied", "unavailable", "internal"};
    int kind = 0;
    while (kind < SB_INTERNAL && strcmp(KINDS[kind], sb_option_text("kind")) != 0) {
        kind++;
    }
    if (sb_option_given("row")) {
        sb_fail_at((sb_fault_kind)kind, (uint32_t)sb_option_integer("row"), "%s", sb_option_text("message"));
    } else {
        sb_fail((sb_fault_kind)kind, "%s", sb_option_text("message"));
    }
    return true;
}

static const sb_field FIELDS[] = {
    {.name = "n", .type = SB_INT64},
    {.name = "label", .type = SB_UTF8, .nullable = true},
    {.name = "half", .type = SB_FLOAT64},
};
static const sb_field FLOAT_FIELDS[] = {{.name = "float32", .type = SB_FLOAT32}, {.name = "float64", .type = SB_FLOAT64}};
static const sb_schema SCHEMA = {.fields = FIELDS, .len = 3}, FLOAT_SCHEMA = {.fields = FLOAT_FIELDS, .len = 2};

static int64_t first, next_number, end;
static bool is_done;

/* The rows of the numbers from one on. */
static const sb_column *const *columns_of(int64_t from, uint32_t rows) {
    sb_builder *labels = sb_build(FIELDS[1]);
    int64_t *numbers = sb_alloc(rows * sizeof *numbers);
    double *halves = sb_alloc(rows * sizeof *halves);
    for (uint32_t row = 0; row < rows; row++) {
        numbers[row] = from + row;
        halves[row] = (double)numbers[row] / 2;
        if ((numbers[row] % 10 + 10) % 10 == 9) {
            sb_push_null(labels);
        } else {
            const char *label = sb_print("row %" PRId64, numbers[row]);
            sb_push_text(labels, label, strlen(label));
        }
    }
    const sb_column **columns = sb_alloc(3 * sizeof *columns);
    columns[0] = sb_column_of(FIELDS[0], numbers, rows);
    columns[1] = sb_built(labels);
    columns[2] = sb_column_of(FIELDS[2], halves, rows);
    return columns;
}

/* Of three rows the second is null. */
static const sb_column *ends(sb_field field, const void *one, const void *other) {
    sb_builder *builder = sb_build(field);
    sb_push_bytes(builder, one);
    sb_push_null(builder);
    sb_push_bytes(builder, other);
    return sb_built(builder);
}

static const sb_column *texts(sb_field field, const char *text, size_t len) {
    sb_builder *builder = sb_build(field);
    sb_push_text(builder, "", 0);
    sb_push_null(builder);
    sb_push_text(builder, text, len);
    return sb_built(builder);
}

static const sb_column *flags(sb_field field) {
    sb_builder *builder = sb_build(field);
    sb_push_bool(builder, true);
    sb_push_null(builder);
    sb_push_bool(builder, false);
    return sb_built(builder);
}

/* All types of the contract but `other`. */
static const sb_column **types(void) {
    static const int8_t I8[] = {INT8_MIN, INT8_MAX};
    static const int16_t I16[] = {INT16_MIN, INT16_MAX};
    static const int32_t I32[] = {INT32_MIN, INT32_MAX}, DAYS[] = {-1, 15736};
    static const int64_t I64[] = {INT64_MIN, INT64_MAX}, TIMES[] = {-1, 1359626400000000};
    static const uint64_t UNSIGNED[] = {0, UINT64_MAX};
    static const float F32[] = {-0.5f, 1.5f};
    static const double F64[] = {0.1, 1e300};
    static const int64_t DECIMALS[] = {-1234567890, -1, 1, 0};
    const sb_column **columns = sb_alloc(16 * sizeof *columns);
    sb_field fields[16];
    for (int type = SB_BOOLEAN; type <= SB_DECIMAL128; type++) {
        fields[type] = sb_nullable(sb_type_name((sb_type)type), (sb_type)type);
    }
    fields[SB_DECIMAL128].detail = "10,2";
    columns[SB_BOOLEAN] = flags(fields[SB_BOOLEAN]);
    columns[SB_INT8] = ends(fields[SB_INT8], &I8[0], &I8[1]);
    columns[SB_INT16] = ends(fields[SB_INT16], &I16[0], &I16[1]);
    columns[SB_INT32] = ends(fields[SB_INT32], &I32[0], &I32[1]);
    columns[SB_INT64] = ends(fields[SB_INT64], &I64[0], &I64[1]);
    for (int type = SB_UINT8; type <= SB_UINT64; type++) {
        columns[type] = ends(fields[type], &UNSIGNED[0], &UNSIGNED[1]);
    }
    columns[SB_FLOAT32] = ends(fields[SB_FLOAT32], &F32[0], &F32[1]);
    columns[SB_FLOAT64] = ends(fields[SB_FLOAT64], &F64[0], &F64[1]);
    columns[SB_UTF8] = texts(fields[SB_UTF8], "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10);
    columns[SB_BINARY] = texts(fields[SB_BINARY], "\x00\xff", 2);
    columns[SB_DATE32] = ends(fields[SB_DATE32], &DAYS[0], &DAYS[1]);
    columns[SB_TIMESTAMP] = ends(fields[SB_TIMESTAMP], &TIMES[0], &TIMES[1]);
    columns[SB_DECIMAL128] = ends(fields[SB_DECIMAL128], &DECIMALS[0], &DECIMALS[2]);
    return columns;
}

/* What is no number, the infinities and the zero below zero, of both widths. */
static sb_batch *floats(void) {
    static const double WIDE[] = {NAN, INFINITY, -INFINITY, -0.0};
    static const float NARROW[] = {NAN, INFINITY, -INFINITY, -0.0f};
    const sb_column *columns[] = {sb_column_of(FLOAT_FIELDS[0], NARROW, 4), sb_column_of(FLOAT_FIELDS[1], WIDE, 4)};
    return sb_batch_of(4, columns, 2);
}

const sb_schema *sb_extract_open(const sb_context *context, const char *bookmark) {
    (void)context;
    if (fails_in("open")) {
        return NULL;
    }
    first = sb_option_integer("start");
    if (bookmark != NULL) {
        char *rest = NULL;
        errno = 0;
        first = strtoll(bookmark, &rest, 10);
        if (rest == bookmark || *rest != 0 || errno != 0) {
            sb_fail(SB_INVALID_CONFIG, "the bookmark \"%s\" is no number; set it to the next one", bookmark);
        }
    }
    next_number = first;
    end = first + sb_option_integer("rows");
    if (!is("types")) {
        return is("floats") ? &FLOAT_SCHEMA : &SCHEMA;
    }
    const sb_schema *schema = NULL;
    for (int type = SB_BOOLEAN; type <= SB_DECIMAL128; type++) {
        schema = sb_with_field(schema, types()[type]->field);
    }
    return schema;
}

void sb_extract_next(sb_page *page) {
    bool is_first = !is_done;
    is_done = true;
    if (fails_in("next")) {
        return;
    }
    if (is("floats") && is_first) {
        page->batch = floats();
    } else if (is("types") && is_first) {
        page->batch = sb_batch_of(3, types(), 16);
    } else if (is("empty") && is_first) {
        page->batch = sb_batch_of(0, columns_of(0, 0), 3);
    } else if (is("bookmarks") && next_number < end) {
        int64_t batch = sb_option_integer("batch"), left = end - next_number;
        uint32_t rows = (uint32_t)(left < batch ? left : batch);
        page->batch = sb_batch_of(rows, columns_of(next_number, rows), 3);
        next_number += rows;
        page->bookmark = sb_print("%" PRId64, next_number);
        page->progress = (double)(next_number - first) / (double)(end - first);
    }
}
