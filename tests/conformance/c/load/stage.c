/* The load of the conformance suite: lines of JSON, and a fault where it is told to. */

#include "encode.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t ONE = 1;
static const char *const CALLS[] = {"", "open", "write", "prepare", "commit", "abort", NULL};
static const sb_option OPTIONS[] = {
    {.name = "path", .type = SB_TEXT, .description = "The file to write, e.g. `out/flights.jsonl`; its folder has to be granted.", .at_least = &ONE},
    {.name = "fail", .type = SB_TEXT, .description = "The call that fails.", .fallback = "\"\"", .choices = CALLS},
    {.name = "kind", .type = SB_TEXT, .description = "The kind of that fault.", .fallback = "\"unavailable\""},
};

const sb_about sb_stage = {
    .name = "conform-load-c",
    .summary = "What a load can do, for the conformance suite",
    .asks = SB_WRITE_FILES,
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

static bool fails_in(const char *call) {
    static const char *const KINDS[] = {"invalid-config", "invalid-data", "denied", "unavailable", "internal"};
    int kind = 0;
    while (kind < SB_INTERNAL && strcmp(KINDS[kind], sb_option_text("kind")) != 0) {
        kind++;
    }
    return strcmp(sb_option_text("fail"), call) == 0 && !sb_fail((sb_fault_kind)kind, "told to fail in %s", call);
}

/* The temporary file, once there is one. */
static FILE *file;
static char *temporary;

/* How the temporary files of a load begin: beside the target, so that they can take its place in one step. */
static const char *temporary_prefix(const char *path, const char *load_id) {
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    char *id = sb_print("%s", load_id);
    for (char *letter = id; *letter != 0; letter++) {
        *letter = isalnum((unsigned char)*letter) || strchr("._-", *letter) != NULL ? *letter : '_';
    }
    return sb_print("%.*s.%s.%s.part-", (int)(name - path), path, name, id);
}

static bool is_there(const char *path) {
    struct stat found;
    return stat(path, &found) == 0;
}

void sb_load_open(const sb_context *context, const sb_schema *schema, const char *load_id, uint32_t part) {
    (void)context;
    if (fails_in("open")) {
        return;
    }
    for (size_t i = 0; i < schema->len; i++) {
        const sb_field *field = &schema->fields[i];
        if (!can_write(field->type)) {
            sb_fail(SB_INVALID_CONFIG, "column `%s` is %s; drop it, or cast it before", field->name, sb_type_name(field->type));
        }
    }
    const char *name = sb_print("%s%u", temporary_prefix(sb_option_text("path"), load_id), (unsigned)part);
    temporary = strcpy(sb_keep(strlen(name) + 1), name);
}

/* What an earlier try left there is replaced. */
static FILE *opened(void) {
    if (file == NULL && (file = fopen(temporary, "wb")) == NULL) {
        sb_fail_file(temporary);
    }
    return file;
}

void sb_load_write(sb_batch *batch) {
    if (fails_in("write")) {
        return;
    }
    if (opened() != NULL) {
        write_lines(file, batch);
        if (ferror(file)) {
            sb_fail_file(temporary);
        }
    }
}

const char *sb_load_prepare(void) {
    if (fails_in("prepare")) {
        return NULL;
    }
    /* Without a batch there is a file as well, an empty one. */
    if (opened() == NULL) {
        return NULL;
    }
    if (fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0) {
        sb_fail_file(temporary);
    }
    file = NULL;
    return temporary;
}

void sb_load_commit(const char *load_id, const char *const *receipts, size_t len) {
    (void)load_id;
    if (fails_in("commit")) {
        return;
    }
    const char *path = sb_option_text("path");
    for (size_t i = 0; i < len; i++) {
        /* It was committed before where the one is gone and the other there. */
        if ((is_there(receipts[i]) || !is_there(path)) && rename(receipts[i], path) != 0) {
            sb_fail_file(path);
        }
    }
}

void sb_load_abort(const char *load_id, const char *const *receipts, size_t len) {
    (void)receipts, (void)len;
    if (fails_in("abort")) {
        return;
    }
    const char *prefix = temporary_prefix(sb_option_text("path"), load_id), *slash = strrchr(prefix, '/');
    const char *start = slash == NULL ? prefix : slash + 1;
    const char *folder = slash == NULL ? "." : sb_print("%.*s", (int)(slash - prefix), prefix);
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        return; /* nothing was written there */
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        const char *path = sb_print("%s/%s", folder, entry->d_name);
        if (strncmp(entry->d_name, start, strlen(start)) == 0 && remove(path) != 0) {
            sb_fail_file(path);
        }
    }
    closedir(entries);
}
