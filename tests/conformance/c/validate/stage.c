/* The validate of the conformance suite: what a stage can say, by mode. It is C and C++ at once: the suite compiles it as both. */

#include <sluicebox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t NONE = 0;
static const char *const MODES[] = {"none", "odd", "nulls", "severities", "finish", "fault", "crash", NULL};
static const char *const CALLS[] = {"open", "check", "finish", NULL};
static const sb_option OPTIONS[] = {
    {.name = "mode", .type = SB_TEXT, .description = "What is done.", .choices = MODES},
    {.name = "column", .type = SB_TEXT, .description = "odd: the column that is looked at.", .fallback = "\"\""},
    {.name = "rows", .type = SB_INTEGER, .description = "finish: how many rows are enough.", .fallback = "0", .at_least = &NONE},
    {.name = "call", .type = SB_TEXT, .description = "fault: the call that fails.", .fallback = "\"check\"", .choices = CALLS},
    {.name = "kind", .type = SB_TEXT, .description = "fault: its kind.", .fallback = "\"internal\""},
    {.name = "message", .type = SB_TEXT, .description = "fault: its message.", .fallback = "\"\""},
    {.name = "row", .type = SB_INTEGER, .description = "fault: its row.", .optional = true, .at_least = &NONE},
};

const sb_about sb_stage = {
    .name = "conform-validate-c",
    .summary = "What a validate can say, for the conformance suite",
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

static bool is(const char *mode) { return strcmp(sb_option_text("mode"), mode) == 0; }

/* The fault that the options name for a call. */
static void fail_in(const char *call) {
    if (!is("fault") || strcmp(sb_option_text("call"), call) != 0) {
        return;
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
}

static int64_t seen;

void sb_validate_open(const sb_context *context, const sb_schema *schema) {
    (void)context;
    const char *column = sb_option_text("column");
    fail_in("open");
    for (size_t i = 0; is("nulls") && i < schema->len; i++) {
        const char *name = schema->fields[i].name;
        sb_add_rule((sb_rule){.name = name, .summary = sb_print("%s has a value", name), .severity = SB_REJECTS, .at_most_rows = -1, .at_most_per_cent = -1});
    }
    if (is("odd")) {
        sb_need_type(schema, column, SB_INT64);
        sb_add_rule((sb_rule){.name = "even", .summary = sb_print("%s is even", column), .severity = SB_REJECTS, .at_most_rows = -1, .at_most_per_cent = -1});
    }
    if (is("severities")) {
        sb_add_rule((sb_rule){.name = "warn", .summary = "rows 0, 3, 6, ... break it", .severity = SB_TELLS, .at_most_rows = 2, .at_most_per_cent = -1});
        sb_add_rule((sb_rule){.name = "reject", .summary = "rows 1, 4, 7, ... break it", .severity = SB_REJECTS, .at_most_rows = -1, .at_most_per_cent = 50});
        sb_add_rule((sb_rule){.name = "fail", .summary = "rows 2, 5, 8, ... break it", .severity = SB_FAILS, .at_most_rows = -1, .at_most_per_cent = -1});
    }
    if (is("finish")) {
        const char *summary = sb_print("there are at least %lld rows", (long long)sb_option_integer("rows"));
        sb_add_rule((sb_rule){.name = "enough", .summary = summary, .severity = SB_TELLS, .at_most_rows = -1, .at_most_per_cent = -1});
    }
}

void sb_validate_check(sb_batch *batch) {
    uint32_t rows = sb_rows(batch);
    seen += rows;
    fail_in("check");
    if (is("crash")) {
        fputs("told to crash\n", stderr);
        fflush(stderr);
        abort();
    }
    const sb_schema *schema = sb_schema_of(batch);
    for (uint32_t rule = 0; is("nulls") && rule < schema->len; rule++) {
        const sb_column *column = sb_read(batch, schema->fields[rule].name);
        uint8_t *mask = sb_mask(rows);
        for (uint32_t row = 0; row < rows; row++) {
            if (sb_is_null(column, row)) {
                sb_mark(mask, row);
            }
        }
        sb_breaks(rule, mask);
    }
    if (is("odd")) {
        const sb_column *column = sb_read(batch, sb_option_text("column"));
        const int64_t *values = sb_int64s(column);
        uint8_t *mask = sb_mask(rows);
        for (uint32_t row = 0; values != NULL && row < rows; row++) {
            if (!sb_is_null(column, row) && values[row] % 2 != 0) {
                sb_mark(mask, row);
            }
        }
        sb_breaks(0, mask);
    }
    for (uint32_t rule = 0; is("severities") && rule < 3; rule++) {
        uint8_t *mask = sb_mask(rows);
        for (uint32_t row = rule; row < rows; row += 3) {
            sb_mark(mask, row);
        }
        sb_breaks(rule, mask);
    }
}

void sb_validate_finish(void) {
    fail_in("finish");
    if (is("finish")) {
        sb_outcome(0, seen >= sb_option_integer("rows"), sb_print("%lld rows", (long long)seen));
    }
}
