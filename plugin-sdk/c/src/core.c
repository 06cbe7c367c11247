/* Memory, faults, what is told, schemas. */

#include "internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Memory ---- */

typedef struct block {
    struct block *before;
    size_t used, room;
    _Alignas(16) unsigned char bytes[];
} block;

static block *blocks;

static void *made(void *memory) {
    if (memory == NULL) {
        abort(); /* the host ends the call; there is nothing to tell it with */
    }
    return memory;
}

void *sb_alloc(size_t bytes) {
    size_t wanted = (bytes + 15) & ~(size_t)15;
    if (wanted < bytes) {
        abort();
    }
    if (blocks == NULL || blocks->room - blocks->used < wanted) {
        size_t room = wanted > 65536 ? wanted : 65536;
        block *next = made(malloc(sizeof(block) + room));
        *next = (block){.before = blocks, .room = room};
        blocks = next;
    }
    void *memory = blocks->bytes + blocks->used;
    blocks->used += wanted;
    return memset(memory, 0, wanted);
}

void *sb_keep(size_t bytes) { return made(calloc(1, bytes > 0 ? bytes : 1)); }

char *sb_print(const char *format, ...) {
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int len = vsnprintf(NULL, 0, format, list);
    char *text = sb_alloc((len < 0 ? 0 : (size_t)len) + 1);
    vsnprintf(text, (size_t)(len < 0 ? 0 : len) + 1, format, again);
    va_end(again);
    va_end(list);
    return text;
}

static char *copied(const char *text, size_t len) {
    char *out = sb_alloc(len + 1);
    if (len > 0) {
        memcpy(out, text, len);
    }
    return out;
}

const char *sb_taken(stage_string_t *text) {
    const char *out = copied((const char *)text->ptr, text->len);
    if (text->len > 0) {
        free(text->ptr);
    }
    *text = (stage_string_t){0};
    return out;
}

/* Texts that cross have to be UTF-8: what is not is replaced by '?'. */
static size_t sequence(const unsigned char *at, size_t left) {
    unsigned char first = at[0];
    size_t len = first < 0x80 ? 1 : first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
    if (len == 0 || len > left) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool wrong = (first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f) || (first == 0xf0 && at[1] < 0x90) ||
                 (first == 0xf4 && at[1] > 0x8f);
    return wrong ? 0 : len;
}

static void made_utf8(char *text, size_t len) {
    for (size_t at = 0; at < len;) {
        size_t step = sequence((unsigned char *)text + at, len - at);
        if (step == 0) {
            text[at] = '?';
            step = 1;
        }
        at += step;
    }
}

stage_string_t sb_for_host(const char *text) {
    size_t len = text == NULL ? 0 : strlen(text);
    if (len == 0) {
        return (stage_string_t){.ptr = (uint8_t *)1, .len = 0};
    }
    char *out = made(malloc(len));
    memcpy(out, text, len);
    made_utf8(out, len);
    return (stage_string_t){.ptr = (uint8_t *)out, .len = len};
}

void sb_out_text(sb_out *out, const char *text) {
    size_t len = strlen(text);
    if (out->len + len + 1 > out->room) {
        out->room = (out->len + len + 1) * 2;
        out->text = made(realloc(out->text, out->room));
    }
    memcpy(out->text + out->len, text, len + 1);
    out->len += len;
}

void sb_out_json(sb_out *out, const char *text) {
    sb_out_text(out, "\"");
    for (; *text != 0; text++) {
        unsigned char letter = (unsigned char)*text;
        char one[8];
        if (letter == '"' || letter == '\\') {
            snprintf(one, sizeof one, "\\%c", letter);
        } else if (letter < 0x20) {
            snprintf(one, sizeof one, "\\u%04x", letter);
        } else {
            snprintf(one, sizeof one, "%c", letter);
        }
        sb_out_text(out, one);
    }
    sb_out_text(out, "\"");
}

/* ---- Faults ---- */

static struct {
    bool is_there, has_row;
    sb_fault_kind kind;
    uint32_t row;
    char *message;
} fault;

static void note(sb_fault_kind kind, bool has_row, uint32_t row, char *message) {
    if (fault.is_there) {
        free(message);
        return;
    }
    fault.is_there = true;
    fault.kind = kind;
    fault.has_row = has_row;
    fault.row = row;
    fault.message = message;
}

static char *formatted(const char *format, va_list list) {
    va_list again;
    va_copy(again, list);
    int len = vsnprintf(NULL, 0, format, list);
    char *text = made(calloc(1, (len < 0 ? 0 : (size_t)len) + 1));
    vsnprintf(text, (len < 0 ? 0 : (size_t)len) + 1, format, again);
    va_end(again);
    return text;
}

bool sb_fail(sb_fault_kind kind, const char *format, ...) {
    va_list list;
    va_start(list, format);
    note(kind, false, 0, formatted(format, list));
    va_end(list);
    return false;
}

bool sb_fail_at(sb_fault_kind kind, uint32_t row, const char *format, ...) {
    va_list list;
    va_start(list, format);
    note(kind, true, row, formatted(format, list));
    va_end(list);
    return false;
}

/* Whether a path that is not there is in no granted folder: then what it begins with is not there either. */
static bool is_outside(const char *path) {
    struct stat found;
    if (stat(".", &found) == 0) {
        return false;
    }
    while (path[0] == '.' && path[1] == '/') {
        path += 2;
    }
    size_t end = strcspn(path + 1, "/") + 1;
    return path[0] == 0 || stat(copied(path, end), &found) != 0;
}

bool sb_fail_file(const char *path) {
    int number = errno;
    sb_fault_kind kind = SB_INTERNAL;
    const char *help = "";
    switch (number) {
    case ENOENT:
        kind = is_outside(path) ? SB_DENIED : SB_INVALID_CONFIG;
        help = "; a stage sees only the folders of its grants.read and grants.write";
        break;
    case EACCES:
    case EPERM:
#ifdef ENOTCAPABLE
    case ENOTCAPABLE:
#endif
    case EROFS:
        kind = SB_DENIED;
        help = "; the folder has to be in grants.read of the stage to read there, in grants.write to write there";
        break;
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
    case EEXIST:
    case ENOTEMPTY:
        kind = SB_INVALID_CONFIG;
        break;
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case EBUSY:
    case EAGAIN:
    case EINTR:
    case ETIMEDOUT:
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EPIPE:
        kind = SB_UNAVAILABLE;
        break;
    default:
        break;
    }
    return sb_fail(kind, "%s: %s%s", path, strerror(number), help);
}

bool sb_failed(void) { return fault.is_there; }

bool sb_take_fault(sluicebox_stage_types_fault_t *out) {
    if (!fault.is_there) {
        return false;
    }
    out->kind = (uint8_t)fault.kind;
    out->message = sb_for_host(fault.message);
    out->row.is_some = fault.has_row;
    out->row.val = fault.row;
    return true;
}

void sb_note_fault(sluicebox_stage_batches_fault_t *told) {
    char *message = made(calloc(1, told->message.len + 1));
    if (told->message.len > 0) {
        memcpy(message, told->message.ptr, told->message.len);
        free(told->message.ptr);
    }
    note((sb_fault_kind)told->kind, told->row.is_some, told->row.val, message);
}

void sb_call_begins(void) {
    free(fault.message);
    memset(&fault, 0, sizeof fault);
}

void sb_call_ends(void) {
    sb_batches_end();
    while (blocks != NULL) {
        block *before = blocks->before;
        free(blocks);
        blocks = before;
    }
}

/* ---- What is told ---- */

void sb_log(sb_level level, const char *format, ...) {
    va_list list;
    va_start(list, format);
    char *text = formatted(format, list);
    va_end(list);
    size_t len = strlen(text);
    made_utf8(text, len);
    stage_string_t message = {.ptr = (uint8_t *)text, .len = len};
    sluicebox_stage_report_log((uint8_t)level, &message);
    free(text);
}

static stage_string_t lent_text(const char *text) {
    char *out = copied(text == NULL ? "" : text, text == NULL ? 0 : strlen(text));
    made_utf8(out, strlen(out));
    return (stage_string_t){.ptr = (uint8_t *)out, .len = strlen(out)};
}

void sb_count(const char *name, uint64_t by) {
    stage_string_t counter = lent_text(name);
    sluicebox_stage_report_count(&counter, by);
}

void sb_quarantine(const char *origin, const char *content, const char *reason) {
    sluicebox_stage_report_bad_record_t record = {.origin = lent_text(origin), .content = lent_text(content), .reason = lent_text(reason)};
    sluicebox_stage_report_list_bad_record_t records = {.ptr = &record, .len = 1};
    sluicebox_stage_report_quarantine(&records);
}

/* ---- Schemas ---- */

static const char *const TYPE_NAMES[] = {
    "boolean", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "utf8", "binary",
    "date32", "timestamp", "decimal128", "other",
};

const char *sb_type_name(sb_type type) { return (unsigned)type <= SB_OTHER ? TYPE_NAMES[type] : "none"; }

sb_field sb_nullable(const char *name, sb_type type) {
    return (sb_field){.name = name, .type = type, .nullable = true, .detail = NULL};
}

sb_field sb_not_null(const char *name, sb_type type) {
    return (sb_field){.name = name, .type = type, .nullable = false, .detail = NULL};
}

int sb_find(const sb_schema *schema, const char *name) {
    for (size_t i = 0; schema != NULL && i < schema->len; i++) {
        if (strcmp(schema->fields[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static const char *listed(const sb_schema *schema) {
    const char *list = "none";
    for (size_t i = 0; schema != NULL && i < schema->len; i++) {
        const sb_field *field = &schema->fields[i];
        list = sb_print("%s%s%s %s", i == 0 ? "" : list, i == 0 ? "" : ", ", field->name, sb_type_name(field->type));
    }
    return list;
}

const sb_field *sb_need(const sb_schema *schema, const char *name) {
    int at = sb_find(schema, name);
    if (at < 0) {
        sb_fail(SB_INVALID_CONFIG, "there is no column `%s`; there is %s", name, listed(schema));
        return NULL;
    }
    return &schema->fields[at];
}

static const sb_field *unfit_field(const sb_schema *schema, const sb_field *field, const char *wanted) {
    const char *type = sb_type_name(field->type);
    sb_fail(SB_INVALID_CONFIG, "column `%s` is %s, not %s; there is %s", field->name, type, wanted, listed(schema));
    return NULL;
}

const sb_field *sb_need_type(const sb_schema *schema, const char *name, sb_type type) {
    const sb_field *field = sb_need(schema, name);
    return field == NULL || field->type == type ? field : unfit_field(schema, field, sb_type_name(type));
}

const sb_field *sb_need_number(const sb_schema *schema, const char *name) {
    const sb_field *field = sb_need(schema, name);
    bool is_number = field != NULL && field->type >= SB_INT8 && field->type <= SB_FLOAT64;
    return field == NULL || is_number ? field : unfit_field(schema, field, "a number");
}

const sb_schema *sb_with_field(const sb_schema *schema, sb_field field) {
    size_t len = schema == NULL ? 0 : schema->len;
    sb_field *fields = sb_alloc((len + 1) * sizeof(sb_field));
    for (size_t i = 0; i < len; i++) {
        fields[i] = schema->fields[i];
    }
    int at = sb_find(schema, field.name);
    fields[at < 0 ? len : (size_t)at] = field;
    sb_schema *out = sb_alloc(sizeof(sb_schema));
    *out = (sb_schema){.fields = fields, .len = at < 0 ? len + 1 : len};
    return out;
}

const sb_schema *sb_taken_schema(sluicebox_stage_types_schema_t *schema) {
    sb_field *fields = sb_alloc(schema->len * sizeof(sb_field));
    for (size_t i = 0; i < schema->len; i++) {
        sluicebox_stage_types_field_t *from = &schema->ptr[i];
        const char *detail = from->detail.is_some ? sb_taken(&from->detail.val) : NULL;
        fields[i] = (sb_field){.name = sb_taken(&from->name), .type = (sb_type)from->data_type, .nullable = from->nullable, .detail = detail};
    }
    sb_schema *out = sb_alloc(sizeof(sb_schema));
    *out = (sb_schema){.fields = fields, .len = schema->len};
    if (schema->len > 0) {
        free(schema->ptr);
    }
    return out;
}

sluicebox_stage_types_schema_t sb_schema_for_host(const sb_schema *schema) {
    sluicebox_stage_types_schema_t out = {.ptr = (sluicebox_stage_types_field_t *)4, .len = 0};
    if (schema == NULL || schema->len == 0) {
        return out;
    }
    out.len = schema->len;
    out.ptr = made(calloc(schema->len, sizeof(sluicebox_stage_types_field_t)));
    for (size_t i = 0; i < schema->len; i++) {
        const sb_field *field = &schema->fields[i];
        out.ptr[i].name = sb_for_host(field->name);
        out.ptr[i].data_type = (uint8_t)field->type;
        out.ptr[i].nullable = field->nullable;
        out.ptr[i].detail.is_some = field->detail != NULL;
        if (field->detail != NULL) {
            out.ptr[i].detail.val = sb_for_host(field->detail);
        }
    }
    return out;
}

const sb_context *sb_taken_context(sluicebox_stage_types_run_context_t *context) {
    sb_context *out = sb_alloc(sizeof(sb_context));
    out->run_id = sb_taken(&context->run_id);
    out->pipeline = sb_taken(&context->pipeline);
    out->stage = sb_taken(&context->stage);
    out->attempt = context->attempt;
    out->interval_start = sb_taken(&context->interval_start);
    out->interval_end = sb_taken(&context->interval_end);
    return out;
}

#ifdef __wasm__
/* The generated code has the linker look for an object with the world's type; `sluicebox plugin build` adds the type itself. */
void __component_type_object_force_link_stage(void);
void __component_type_object_force_link_stage(void) {}
#endif
