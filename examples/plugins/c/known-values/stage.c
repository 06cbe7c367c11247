/* Finds values that are not among the known ones. */

#include <sluicebox.h>
#include <string.h>

static const int64_t NONE = 0, ONE = 1;
static const char *const SEVERITIES[] = {"warn", "reject", "fail", NULL};
static const sb_option OPTIONS[] = {
    {.name = "column", .type = SB_TEXT, .description = "The column, utf8."},
    {.name = "values", .type = SB_TEXTS, .description = "The values that it may have; null is fine.", .at_least = &ONE},
    {.name = "severity", .type = SB_TEXT, .description = "What becomes of rows with another value.", .fallback = "\"reject\"", .choices = SEVERITIES},
    {.name = "at-most", .type = SB_INTEGER, .description = "More such rows fail the run.", .optional = true, .at_least = &NONE},
};

const sb_about sb_stage = {
    .name = "known-values-c",
    .summary = "Finds values that are not known",
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

static uint64_t seen;

void sb_validate_open(const sb_context *context, const sb_schema *schema) {
    (void)context;
    sb_need_type(schema, sb_option_text("column"), SB_UTF8);
    const char *list = "", *severity = sb_option_text("severity");
    for (size_t i = 0; i < sb_option_count("values"); i++) {
        list = sb_print("%s%s%s", list, i > 0 ? ", " : "", sb_option_item("values", i));
    }
    sb_add_rule((sb_rule){
        .name = "known-values",
        .summary = sb_print("%s is one of %s", sb_option_text("column"), list),
        .severity = strcmp(severity, "warn") == 0 ? SB_TELLS : strcmp(severity, "fail") == 0 ? SB_FAILS : SB_REJECTS,
        .at_most_rows = sb_option_given("at-most") ? sb_option_integer("at-most") : -1,
        .at_most_per_cent = -1,
    });
    sb_add_rule((sb_rule){.name = "any-rows", .summary = "there are rows", .severity = SB_FAILS, .at_most_rows = -1, .at_most_per_cent = -1});
}

void sb_validate_check(sb_batch *batch) {
    const sb_column *column = sb_read(batch, sb_option_text("column"));
    size_t count = sb_option_count("values");
    sb_text *known = sb_alloc(count * sizeof *known);
    for (size_t i = 0; i < count; i++) {
        const char *value = sb_option_item("values", i);
        known[i] = (sb_text){.ptr = value, .len = strlen(value)};
    }
    uint8_t *mask = sb_mask(sb_rows(batch));
    for (uint32_t row = 0; row < sb_rows(batch); row++) {
        sb_text text = sb_text_at(column, row);
        bool is_known = sb_is_null(column, row);
        for (size_t i = 0; i < count && !is_known; i++) {
            is_known = text.len == known[i].len && memcmp(text.ptr, known[i].ptr, text.len) == 0;
        }
        if (!is_known) {
            sb_mark(mask, row);
        }
    }
    seen += sb_rows(batch);
    sb_breaks(0, mask);
}

void sb_validate_finish(void) { sb_outcome(1, seen > 0, sb_print("%llu rows", (unsigned long long)seen)); }
