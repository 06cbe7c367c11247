/* Writes rows as lines of text with tabs between the values. */

#include <errno.h>
#include <inttypes.h>
#include <sluicebox.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t ONE = 1;
static const sb_option OPTIONS[] = {
    {.name = "path", .type = SB_TEXT, .description = "The file to write; its folder has to be granted: `grants.write`.", .at_least = &ONE},
};

const sb_about sb_stage = {
    .name = "{{name}}",
    .summary = "Writes rows as lines with tabs",
    .asks = SB_WRITE_FILES,
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

/* Kept from call to call. */
static FILE *file;
static char *temporary;

/* Beside the target, so that it can take its place in one step; by load, so that a later try replaces it. */
static const char *temporary_of(const char *path, const char *load_id) {
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    char *out = sb_print("%.*s.%s.%s", (int)(name - path), path, name, load_id);
    for (char *letter = out + (name - path); *letter != 0; letter++) {
        *letter = *letter == '/' ? '_' : *letter;
    }
    return out;
}

static bool is_there(const char *path) {
    struct stat found;
    return stat(path, &found) == 0;
}

/* A text without tabs and line ends. */
static void put_text(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '\\': fputs("\\\\", file); break;
        case '\t': fputs("\\t", file); break;
        case '\n': fputs("\\n", file); break;
        default: fputc(text[i], file);
        }
    }
}

static void put_value(const sb_column *column, uint32_t row) {
    sb_text text = sb_text_at(column, row);
    switch (column->field.type) {
    case SB_UTF8: put_text(text.ptr, text.len); break;
    case SB_BOOLEAN: fputs(sb_bool_at(column, row) ? "true" : "false", file); break;
    case SB_INT64: fprintf(file, "%" PRId64, sb_int64s(column)[row]); break;
    case SB_UINT64: fprintf(file, "%" PRIu64, sb_uint64s(column)[row]); break;
    default: fprintf(file, "%.15g", sb_number_at(column, row));
    }
}

/* Called once, also to check a pipeline: find here what does not fit, and change nothing outside. */
void sb_load_open(const sb_context *context, const sb_schema *schema, const char *load_id, uint32_t part) {
    (void)context, (void)part;
    for (size_t i = 0; i < schema->len; i++) {
        const sb_field *field = &schema->fields[i];
        if (field->type > SB_UTF8) {
            sb_fail(SB_INVALID_CONFIG, "column `%s` is %s; drop it, or cast it before", field->name, sb_type_name(field->type));
        }
    }
    const char *name = temporary_of(sb_option_text("path"), load_id);
    temporary = strcpy(sb_keep(strlen(name) + 1), name);
}

/* Called for each batch: writes where nobody looks yet. */
void sb_load_write(sb_batch *batch) {
    const sb_schema *schema = sb_schema_of(batch);
    if (file == NULL) {
        file = fopen(temporary, "wb");
        if (file == NULL) {
            sb_fail_file(temporary);
            return;
        }
        for (size_t i = 0; i < schema->len; i++) {
            fputs(i > 0 ? "\t" : "", file);
            put_text(schema->fields[i].name, strlen(schema->fields[i].name));
        }
        fputc('\n', file);
    }
    const sb_column **columns = sb_alloc(schema->len * sizeof *columns);
    for (size_t i = 0; i < schema->len; i++) {
        columns[i] = sb_read(batch, schema->fields[i].name);
    }
    for (uint32_t row = 0; row < sb_rows(batch) && !sb_failed(); row++) {
        for (size_t i = 0; i < schema->len; i++) {
            fputs(i > 0 ? "\t" : "", file);
            if (!sb_is_null(columns[i], row)) {
                put_value(columns[i], row);
            }
        }
        fputc('\n', file);
    }
}

/* Makes what was written durable, but not seen yet. The receipt says what commit has to know. */
const char *sb_load_prepare(void) {
    if (file == NULL && (file = fopen(temporary, "wb")) == NULL) {
        sb_fail_file(temporary);
        return NULL;
    }
    if (fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0) {
        sb_fail_file(temporary);
    }
    file = NULL;
    return temporary;
}

/* Shows it, once all loads of the run have prepared. May come again, and on a fresh instance. */
void sb_load_commit(const char *load_id, const char *const *receipts, size_t len) {
    (void)load_id;
    const char *path = sb_option_text("path");
    for (size_t i = 0; i < len; i++) {
        if ((is_there(receipts[i]) || !is_there(path)) && rename(receipts[i], path) != 0) {
            sb_fail_file(path);
        }
    }
}

/* Takes back what was written; never what was committed. May come again, and on a fresh instance. */
void sb_load_abort(const char *load_id, const char *const *receipts, size_t len) {
    (void)receipts, (void)len;
    const char *name = temporary_of(sb_option_text("path"), load_id);
    if (is_there(name) && remove(name) != 0) {
        sb_fail_file(name);
    }
}
