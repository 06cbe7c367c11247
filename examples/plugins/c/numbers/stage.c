/* Makes numbered rows, and resumes behind them. */

#include <errno.h>
#include <inttypes.h>
#include <sluicebox.h>
#include <stdlib.h>
#include <string.h>

static const int64_t NONE = 0, ONE = 1, MOST = 65536;
static const sb_option OPTIONS[] = {
    {.name = "rows", .type = SB_INTEGER, .description = "How many rows a run makes.", .at_least = &NONE},
    {.name = "start", .type = SB_INTEGER, .description = "The first number of the first run.", .fallback = "0"},
    {.name = "batch", .type = SB_INTEGER, .description = "Rows of a page.", .fallback = "8192", .at_least = &ONE, .at_most = &MOST},
};

const sb_about sb_stage = {
    .name = "numbers-c",
    .summary = "Makes numbered rows",
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

static const sb_field FIELDS[] = {
    {.name = "n", .type = SB_INT64},
    {.name = "label", .type = SB_UTF8, .nullable = true},
    {.name = "half", .type = SB_FLOAT64},
};
static const sb_schema SCHEMA = {.fields = FIELDS, .len = 3};

static int64_t first, next_number, end;

const sb_schema *sb_extract_open(const sb_context *context, const char *bookmark) {
    (void)context;
    first = sb_option_integer("start");
    if (bookmark != NULL) {
        char *rest = NULL;
        errno = 0;
        first = strtoll(bookmark, &rest, 10);
        if (rest == bookmark || *rest != 0 || errno != 0) {
            sb_fail(SB_INVALID_CONFIG, "the bookmark \"%s\" is no number; set it to the next one", bookmark);
        }
    }
    if (__builtin_add_overflow(first, sb_option_integer("rows"), &end)) {
        sb_fail(SB_INVALID_CONFIG, "rows: so many more than %" PRId64 " are too much", first);
    }
    next_number = first;
    return &SCHEMA;
}

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

void sb_extract_next(sb_page *page) {
    if (next_number >= end) {
        return;
    }
    int64_t batch = sb_option_integer("batch"), left = end - next_number;
    uint32_t rows = (uint32_t)(left < batch ? left : batch);
    page->batch = sb_batch_of(rows, columns_of(next_number, rows), 3);
    next_number += rows;
    page->bookmark = sb_print("%" PRId64, next_number);
    page->progress = (double)(next_number - first) / (double)(end - first);
}
