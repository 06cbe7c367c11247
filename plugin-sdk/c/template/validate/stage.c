/* Finds the rows whose number is out of bounds. */

#include <sluicebox.h>
#include <string.h>

static const char *const SEVERITIES[] = {"warn", "reject", "fail", NULL};
static const sb_option OPTIONS[] = {
    {.name = "column", .type = SB_TEXT, .description = "The column that is looked at; nulls are let through."},
    {.name = "low", .type = SB_NUMBER, .description = "The least that it may be."},
    {.name = "high", .type = SB_NUMBER, .description = "The most that it may be."},
    {.name = "severity", .type = SB_TEXT, .description = "What breaking the rule means for a row.", .fallback = "\"reject\"", .choices = SEVERITIES},
};

const sb_about sb_stage = {
    .name = "{{name}}",
    .summary = "Finds the rows whose number is out of bounds",
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

static uint64_t rows;

/* Called once, also to check a pipeline: find here what does not fit, and name the rules. */
void sb_validate_open(const sb_context *context, const sb_schema *schema) {
    (void)context;
    const char *column = sb_option_text("column"), *severity = sb_option_text("severity");
    double low = sb_option_number("low"), high = sb_option_number("high");
    sb_need_number(schema, column);
    if (low > high) {
        sb_fail(SB_INVALID_CONFIG, "low is %g, which is more than high, %g", low, high);
    }
    sb_add_rule((sb_rule){
        .name = "bounds",
        .summary = sb_print("%s is from %g to %g", column, low, high),
        .severity = strcmp(severity, "warn") == 0 ? SB_TELLS : strcmp(severity, "fail") == 0 ? SB_FAILS : SB_REJECTS,
        .at_most_rows = -1,
        .at_most_per_cent = -1,
    });
    sb_add_rule((sb_rule){.name = "any-rows", .summary = "there are rows", .severity = SB_TELLS, .at_most_rows = -1, .at_most_per_cent = -1});
}

/* Called for each batch; the host sets aside the rows that are found, or fails the run, as the rule says. */
void sb_validate_check(sb_batch *batch) {
    const sb_column *column = sb_read(batch, sb_option_text("column"));
    double low = sb_option_number("low"), high = sb_option_number("high");
    uint8_t *mask = sb_mask(sb_rows(batch));
    for (uint32_t row = 0; row < sb_rows(batch); row++) {
        double value = sb_number_at(column, row);
        if (!sb_is_null(column, row) && !(low <= value && value <= high)) {
            sb_mark(mask, row);
        }
    }
    rows += sb_rows(batch);
    sb_breaks(0, mask);
}

/* Called once in the end, for rules that speak of all the data. */
void sb_validate_finish(void) { sb_outcome(1, rows > 0, sb_print("%llu rows", (unsigned long long)rows)); }
