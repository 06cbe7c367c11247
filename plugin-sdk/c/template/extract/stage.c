/* Reads lines such as `Oslo 4.5` into rows. */

#include <errno.h>
#include <sluicebox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t ONE = 1, MOST = 65536;
static const sb_option OPTIONS[] = {
    {.name = "path", .type = SB_TEXT, .description = "The file to read; its folder has to be granted: `grants.read`.", .at_least = &ONE},
    {.name = "page-rows", .type = SB_INTEGER, .description = "How many rows a batch has.", .fallback = "8192", .at_least = &ONE, .at_most = &MOST},
};

const sb_about sb_stage = {
    .name = "{{name}}",
    .summary = "Reads cities and their temperatures",
    .asks = SB_READ_FILES,
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

static const sb_field FIELDS[] = {{.name = "city", .type = SB_UTF8}, {.name = "celsius", .type = SB_FLOAT64}};
static const sb_schema SCHEMA = {.fields = FIELDS, .len = 2};

static FILE *file;
static long line; /* that was read last */
static bool is_done;

/* Called once, also to check a pipeline: find here what does not fit, and answer with the columns. */
const sb_schema *sb_extract_open(const sb_context *context, const char *bookmark) {
    (void)context;
    char text[4096];
    long skip = bookmark == NULL ? 0 : strtol(bookmark, NULL, 10); /* lines that earlier runs have read */
    file = fopen(sb_option_text("path"), "r");
    if (file == NULL) {
        sb_fail_file(sb_option_text("path"));
        return NULL;
    }
    while (line < skip && fgets(text, sizeof text, file) != NULL) {
        line++;
    }
    line = line < skip ? skip : line;
    return &SCHEMA;
}

/* The city and the number of a line; false if it has none. */
static bool parsed(const char *text, size_t *city, double *celsius) {
    const char *blank = strrchr(text, ' ');
    char *end = NULL;
    if (blank == NULL || blank == text) {
        return false;
    }
    *city = (size_t)(blank - text);
    *celsius = strtod(blank + 1, &end);
    return end != blank + 1 && *end == 0;
}

/* The host takes one page after another, as it has room. */
void sb_extract_next(sb_page *page) {
    if (is_done) {
        return;
    }
    sb_builder *cities = sb_build(FIELDS[0]), *numbers = sb_build(FIELDS[1]);
    uint32_t rows = 0, most = (uint32_t)sb_option_integer("page-rows");
    char text[4096];
    while (rows < most && !is_done) {
        if (fgets(text, sizeof text, file) == NULL) {
            is_done = true;
            break;
        }
        line++;
        text[strcspn(text, "\r\n")] = 0;
        size_t city = 0;
        double celsius = 0;
        if (!parsed(text, &city, &celsius)) {
            sb_quarantine(sb_print("%s:%ld", sb_option_text("path"), line), text, "it is no city and a number");
            continue;
        }
        sb_push_text(cities, text, city);
        sb_push_number(numbers, celsius);
        rows++;
    }
    const sb_column *columns[] = {sb_built(cities), sb_built(numbers)};
    page->batch = sb_batch_of(rows, columns, 2);
    page->bookmark = sb_print("%ld", line);
    page->progress = is_done ? 1 : -1;
}
