/* A host in memory, for tests. Built for the machine itself, with one of SB_KIND_EXTRACT, ... for the kind of the stage. */

#include "internal.h"
#include "sluicebox_test.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Batches ---- */

typedef struct cell {
    uint8_t *bytes; /* NULL: null */
    size_t len;
} cell;

typedef struct kept {
    uint32_t rows;
    size_t len;
    sluicebox_stage_types_field_t *fields;
    cell **columns;
} kept;

/* Handles count from 1; what is dropped is NULL. */
static kept *all[4096];
static int32_t next_handle = 1;

static stage_string_t dup_text(const char *text, size_t len) {
    uint8_t *out = malloc(len + 1);
    memcpy(out, text, len);
    out[len] = 0;
    return (stage_string_t){.ptr = out, .len = len};
}

static bool refused(sluicebox_stage_batches_fault_t *fault, const char *message) {
    *fault = (sluicebox_stage_batches_fault_t){.kind = 1, .message = dup_text(message, strlen(message))};
    return false;
}

static size_t width(uint8_t type) {
    static const uint8_t WIDTHS[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 0, 0, 4, 8, 16, 0};
    return WIDTHS[type];
}

static kept *empty(uint32_t rows, size_t len) {
    kept *batch = calloc(1, sizeof(kept));
    batch->rows = rows;
    batch->len = len;
    batch->fields = calloc(len + 1, sizeof *batch->fields);
    batch->columns = calloc(len + 1, sizeof *batch->columns);
    for (size_t i = 0; i < len; i++) {
        batch->columns[i] = calloc((size_t)rows + 1, sizeof(cell));
    }
    return batch;
}

static cell dup_cell(cell from) {
    if (from.bytes == NULL) {
        return from;
    }
    uint8_t *bytes = malloc(from.len + 1);
    memcpy(bytes, from.bytes, from.len);
    return (cell){.bytes = bytes, .len = from.len};
}

static sluicebox_stage_types_field_t dup_field(sluicebox_stage_types_field_t from) {
    from.name = dup_text((const char *)from.name.ptr, from.name.len);
    if (from.detail.is_some) {
        from.detail.val = dup_text((const char *)from.detail.val.ptr, from.detail.val.len);
    }
    return from;
}

static sluicebox_stage_batches_own_batch_t stored(kept *batch) {
    if (next_handle >= 4096) {
        fprintf(stderr, "a test makes more than 4095 batches\n");
        exit(2);
    }
    all[next_handle] = batch;
    return (sluicebox_stage_batches_own_batch_t){next_handle++};
}

static kept *of(int32_t handle) {
    if (handle <= 0 || handle >= next_handle || all[handle] == NULL) {
        fprintf(stderr, "there is no batch %" PRId32 "\n", handle);
        exit(2);
    }
    return all[handle];
}

void sluicebox_stage_batches_batch_drop_own(sluicebox_stage_batches_own_batch_t batch) {
    of(batch.__handle);
    all[batch.__handle] = NULL;
}

void sluicebox_stage_batches_batch_drop_borrow(sluicebox_stage_batches_borrow_batch_t batch) { of(batch.__handle); }

uint32_t sluicebox_stage_batches_method_batch_rows(sluicebox_stage_batches_borrow_batch_t self) { return of(self.__handle)->rows; }

void sluicebox_stage_batches_method_batch_schema(sluicebox_stage_batches_borrow_batch_t self, sluicebox_stage_batches_schema_t *ret) {
    kept *batch = of(self.__handle);
    ret->len = batch->len;
    ret->ptr = calloc(batch->len + 1, sizeof *ret->ptr);
    for (size_t i = 0; i < batch->len; i++) {
        ret->ptr[i] = dup_field(batch->fields[i]);
    }
}

static bool bit(const uint8_t *bits, size_t row) { return (bits[row / 8] >> (row % 8) & 1) != 0; }

static const char *read_column(kept *batch, size_t at, sluicebox_stage_types_field_t *field, sluicebox_stage_batches_column_t *from) {
    size_t rows = batch->rows, bits = (rows + 7) / 8;
    if (from->validity.is_some && from->validity.val.len != bits) {
        return "the validity does not fit the rows";
    }
    batch->fields[at] = dup_field(*field);
    sluicebox_stage_batches_values_t *values = &from->values;
    bool is_text = field->data_type == SB_UTF8 || field->data_type == SB_BINARY;
    if (values->tag == SLUICEBOX_STAGE_BATCHES_VALUES_BITS && (field->data_type != SB_BOOLEAN || values->val.bits.len != bits)) {
        return "the bits do not fit the rows";
    }
    if (values->tag == SLUICEBOX_STAGE_BATCHES_VALUES_FIXED_BYTES && values->val.fixed_bytes.len != rows * width(field->data_type)) {
        return "the bytes do not fit the rows";
    }
    if (values->tag == SLUICEBOX_STAGE_BATCHES_VALUES_VARIABLE_BYTES && (!is_text || values->val.variable_bytes.offsets.len != (rows + 1) * 4)) {
        return "the offsets do not fit the rows";
    }
    for (size_t row = 0; row < rows; row++) {
        if (from->validity.is_some && !bit(from->validity.val.ptr, row)) {
            if (!field->nullable) {
                return "a column without nulls has one";
            }
            continue;
        }
        cell one;
        uint8_t truth;
        if (values->tag == SLUICEBOX_STAGE_BATCHES_VALUES_BITS) {
            truth = bit(values->val.bits.ptr, row);
            one = (cell){.bytes = &truth, .len = 1};
        } else if (values->tag == SLUICEBOX_STAGE_BATCHES_VALUES_FIXED_BYTES) {
            size_t size = width(field->data_type);
            one = (cell){.bytes = values->val.fixed_bytes.ptr + row * size, .len = size};
        } else if (values->tag == SLUICEBOX_STAGE_BATCHES_VALUES_VARIABLE_BYTES) {
            int32_t ends[2];
            memcpy(ends, values->val.variable_bytes.offsets.ptr + row * 4, 8);
            one = (cell){.bytes = values->val.variable_bytes.data.ptr + ends[0], .len = (size_t)(ends[1] - ends[0])};
            if (one.len == 0) {
                one.bytes = &truth;
            }
        } else {
            return "the SDK hands columns over raw";
        }
        batch->columns[at][row] = dup_cell(one);
    }
    return NULL;
}

bool sluicebox_stage_batches_static_batch_from_columns(sluicebox_stage_batches_schema_t *schema, uint32_t rows, sluicebox_stage_batches_list_column_t *columns, sluicebox_stage_batches_own_batch_t *ret, sluicebox_stage_batches_fault_t *err) {
    kept *batch = empty(rows, schema->len);
    for (size_t i = 0; i < schema->len; i++) {
        const char *wrong = read_column(batch, i, &schema->ptr[i], &columns->ptr[i]);
        if (wrong != NULL) {
            return refused(err, wrong);
        }
    }
    *ret = stored(batch);
    return true;
}

bool sluicebox_stage_batches_static_batch_from_ipc(stage_list_u8_t *bytes, sluicebox_stage_batches_own_batch_t *ret, sluicebox_stage_batches_fault_t *err) {
    (void)bytes, (void)ret;
    return refused(err, "there is no Arrow IPC without a host; try it in a case of `sluicebox plugin test`");
}

bool sluicebox_stage_batches_method_batch_to_ipc(sluicebox_stage_batches_borrow_batch_t self, stage_list_u32_t *columns, stage_list_u8_t *ret, sluicebox_stage_batches_fault_t *err) {
    (void)self, (void)columns, (void)ret;
    return refused(err, "there is no Arrow IPC without a host; try it in a case of `sluicebox plugin test`");
}

bool sluicebox_stage_batches_method_batch_column(sluicebox_stage_batches_borrow_batch_t self, uint32_t index, sluicebox_stage_batches_form_t form, sluicebox_stage_batches_column_t *ret, sluicebox_stage_batches_fault_t *err) {
    (void)form; /* always raw: what the SDK makes of it is the same */
    kept *batch = of(self.__handle);
    if (index >= batch->len) {
        return refused(err, "there is no such column");
    }
    size_t rows = batch->rows, bits = (rows + 7) / 8, bytes = 0;
    uint8_t type = batch->fields[index].data_type;
    cell *cells = batch->columns[index];
    bool nulls = false;
    for (size_t row = 0; row < rows; row++) {
        nulls |= cells[row].bytes == NULL;
        bytes += cells[row].len;
    }
    memset(ret, 0, sizeof *ret);
    ret->validity.is_some = nulls;
    ret->validity.val = (stage_list_u8_t){.ptr = calloc(bits + 1, 1), .len = bits};
    uint8_t *data = calloc((type == SB_UTF8 || type == SB_BINARY ? bytes : rows * 16) + 16, 1);
    int32_t *offsets = calloc(rows + 1, 4);
    for (size_t row = 0; row < rows; row++) {
        offsets[row + 1] = offsets[row] + (int32_t)cells[row].len;
        if (cells[row].bytes == NULL) {
            continue;
        }
        ret->validity.val.ptr[row / 8] |= (uint8_t)(1 << (row % 8));
        if (type == SB_BOOLEAN) {
            data[row / 8] |= (uint8_t)(cells[row].bytes[0] << (row % 8));
        } else if (type == SB_UTF8 || type == SB_BINARY) {
            memcpy(data + offsets[row], cells[row].bytes, cells[row].len);
        } else {
            memcpy(data + row * width(type), cells[row].bytes, cells[row].len);
        }
    }
    if (type == SB_BOOLEAN) {
        ret->values.tag = SLUICEBOX_STAGE_BATCHES_VALUES_BITS;
        ret->values.val.bits = (stage_list_u8_t){.ptr = data, .len = bits};
    } else if (type == SB_UTF8 || type == SB_BINARY) {
        ret->values.tag = SLUICEBOX_STAGE_BATCHES_VALUES_VARIABLE_BYTES;
        ret->values.val.variable_bytes.offsets = (stage_list_u8_t){.ptr = (uint8_t *)offsets, .len = (rows + 1) * 4};
        ret->values.val.variable_bytes.data = (stage_list_u8_t){.ptr = data, .len = bytes};
    } else {
        ret->values.tag = SLUICEBOX_STAGE_BATCHES_VALUES_FIXED_BYTES;
        ret->values.val.fixed_bytes = (stage_list_u8_t){.ptr = data, .len = rows * width(type)};
    }
    return true;
}

static kept *picked(kept *from, const uint32_t *rows, uint32_t len) {
    kept *batch = empty(len, from->len);
    for (size_t i = 0; i < from->len; i++) {
        batch->fields[i] = dup_field(from->fields[i]);
        for (uint32_t row = 0; row < len; row++) {
            batch->columns[i][row] = dup_cell(from->columns[i][rows[row]]);
        }
    }
    return batch;
}

bool sluicebox_stage_batches_method_batch_filter(sluicebox_stage_batches_borrow_batch_t self, stage_list_u8_t *mask, sluicebox_stage_batches_own_batch_t *ret, sluicebox_stage_batches_fault_t *err) {
    (void)err;
    kept *batch = of(self.__handle);
    uint32_t *rows = calloc((size_t)batch->rows + 1, 4), len = 0;
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (bit(mask->ptr, row)) {
            rows[len++] = row;
        }
    }
    *ret = stored(picked(batch, rows, len));
    return true;
}

bool sluicebox_stage_batches_method_batch_take(sluicebox_stage_batches_borrow_batch_t self, stage_list_u32_t *rows, sluicebox_stage_batches_own_batch_t *ret, sluicebox_stage_batches_fault_t *err) {
    kept *batch = of(self.__handle);
    for (size_t i = 0; i < rows->len; i++) {
        if (rows->ptr[i] >= batch->rows) {
            return refused(err, "there is no such row");
        }
    }
    *ret = stored(picked(batch, rows->ptr, (uint32_t)rows->len));
    return true;
}

bool sluicebox_stage_batches_method_batch_slice(sluicebox_stage_batches_borrow_batch_t self, uint32_t offset, uint32_t rows, sluicebox_stage_batches_own_batch_t *ret, sluicebox_stage_batches_fault_t *err) {
    kept *batch = of(self.__handle);
    if ((uint64_t)offset + rows > batch->rows) {
        return refused(err, "the rows pass the end");
    }
    uint32_t *places = calloc((size_t)rows + 1, 4);
    for (uint32_t row = 0; row < rows; row++) {
        places[row] = offset + row;
    }
    *ret = stored(picked(batch, places, rows));
    return true;
}

static void copied_column(kept *to, size_t at, kept *from, size_t column) {
    to->fields[at] = dup_field(from->fields[column]);
    for (uint32_t row = 0; row < from->rows; row++) {
        to->columns[at][row] = dup_cell(from->columns[column][row]);
    }
}

bool sluicebox_stage_batches_method_batch_select(sluicebox_stage_batches_borrow_batch_t self, stage_list_tuple2_u32_string_t *columns, sluicebox_stage_batches_own_batch_t *ret, sluicebox_stage_batches_fault_t *err) {
    kept *from = of(self.__handle), *batch = empty(from->rows, columns->len);
    for (size_t i = 0; i < columns->len; i++) {
        if (columns->ptr[i].f0 >= from->len) {
            return refused(err, "there is no such column");
        }
        copied_column(batch, i, from, columns->ptr[i].f0);
        batch->fields[i].name = dup_text((const char *)columns->ptr[i].f1.ptr, columns->ptr[i].f1.len);
    }
    *ret = stored(batch);
    return true;
}

static bool is_named(sluicebox_stage_types_field_t *one, sluicebox_stage_types_field_t *other) {
    return one->name.len == other->name.len && memcmp(one->name.ptr, other->name.ptr, one->name.len) == 0;
}

bool sluicebox_stage_batches_method_batch_with_columns(sluicebox_stage_batches_borrow_batch_t self, sluicebox_stage_batches_schema_t *schema, sluicebox_stage_batches_list_column_t *columns, sluicebox_stage_batches_own_batch_t *ret, sluicebox_stage_batches_fault_t *err) {
    kept *from = of(self.__handle), *batch = empty(from->rows, from->len + schema->len);
    batch->len = from->len;
    for (size_t i = 0; i < from->len; i++) {
        copied_column(batch, i, from, i);
    }
    for (size_t i = 0; i < schema->len; i++) {
        size_t at = 0;
        while (at < batch->len && !is_named(&batch->fields[at], &schema->ptr[i])) {
            at++;
        }
        batch->len += at == batch->len ? 1 : 0;
        memset(batch->columns[at], 0, (size_t)from->rows * sizeof(cell));
        const char *wrong = read_column(batch, at, &schema->ptr[i], &columns->ptr[i]);
        if (wrong != NULL) {
            return refused(err, wrong);
        }
    }
    *ret = stored(batch);
    return true;
}

bool sluicebox_stage_batches_method_batch_zip(sluicebox_stage_batches_borrow_batch_t self, sluicebox_stage_batches_borrow_batch_t other, sluicebox_stage_batches_own_batch_t *ret, sluicebox_stage_batches_fault_t *err) {
    kept *one = of(self.__handle), *two = of(other.__handle), *batch = empty(one->rows, one->len + two->len);
    if (one->rows != two->rows) {
        return refused(err, "the batches have not the same number of rows");
    }
    for (size_t i = 0; i < one->len + two->len; i++) {
        copied_column(batch, i, i < one->len ? one : two, i < one->len ? i : i - one->len);
    }
    *ret = stored(batch);
    return true;
}

bool sluicebox_stage_batches_concat(sluicebox_stage_batches_list_borrow_batch_t *parts, sluicebox_stage_batches_own_batch_t *ret, sluicebox_stage_batches_fault_t *err) {
    if (parts->len == 0) {
        return refused(err, "there are no batches to join");
    }
    uint32_t rows = 0, at = 0;
    for (size_t i = 0; i < parts->len; i++) {
        rows += of(parts->ptr[i].__handle)->rows;
    }
    kept *first = of(parts->ptr[0].__handle), *batch = empty(rows, first->len);
    for (size_t i = 0; i < parts->len; i++) {
        kept *part = of(parts->ptr[i].__handle);
        for (size_t column = 0; column < first->len; column++) {
            batch->fields[column] = dup_field(first->fields[column]);
            for (uint32_t row = 0; row < part->rows; row++) {
                batch->columns[column][at + row] = dup_cell(part->columns[column][row]);
            }
        }
        at += part->rows;
    }
    *ret = stored(batch);
    return true;
}

/* ---- What is told ---- */

static sb_out told;

static void told_text(stage_string_t *text) {
    char *copy = calloc(text->len + 1, 1);
    memcpy(copy, text->ptr, text->len);
    sb_out_text(&told, copy);
    free(copy);
}

void sluicebox_stage_report_log(sluicebox_stage_report_level_t level, stage_string_t *message) {
    static const char *const LEVELS[] = {"debug ", "info ", "warn ", "error "};
    sb_out_text(&told, LEVELS[level]);
    told_text(message);
    sb_out_text(&told, "\n");
}

void sluicebox_stage_report_count(stage_string_t *name, uint64_t by) {
    char number[32];
    snprintf(number, sizeof number, " %" PRIu64 "\n", by);
    sb_out_text(&told, "counter ");
    told_text(name);
    sb_out_text(&told, number);
}

void sluicebox_stage_report_quarantine(sluicebox_stage_report_list_bad_record_t *records) {
    for (size_t i = 0; i < records->len; i++) {
        sb_out_text(&told, "quarantined ");
        told_text(&records->ptr[i].origin);
        sb_out_text(&told, ": ");
        told_text(&records->ptr[i].content);
        sb_out_text(&told, " (");
        told_text(&records->ptr[i].reason);
        sb_out_text(&told, ")\n");
    }
}

const char *sb_test_told(void) {
    const char *text = told.text == NULL ? "" : told.text;
    memset(&told, 0, sizeof told);
    return text;
}

/* ---- Rows as text ---- */

static void shown_cell(sb_out *out, uint8_t type, cell one) {
    char text[64];
    int64_t whole = 0;
    if (one.bytes == NULL) {
        sb_out_text(out, "null");
        return;
    }
    if (type == SB_UTF8) {
        char *copy = calloc(one.len + 1, 1);
        memcpy(copy, one.bytes, one.len);
        sb_out_text(out, copy);
        return;
    }
    if (type == SB_BINARY || type == SB_DECIMAL128) {
        for (size_t i = 0; i < one.len; i++) {
            snprintf(text, sizeof text, "%02x", one.bytes[i]);
            sb_out_text(out, text);
        }
        return;
    }
    memcpy(&whole, one.bytes, one.len < 8 ? one.len : 8);
    bool is_signed = (type >= SB_INT8 && type <= SB_INT64) || type == SB_DATE32 || type == SB_TIMESTAMP;
    if (is_signed && one.len < 8 && (one.bytes[one.len - 1] & 0x80) != 0) {
        whole -= (int64_t)1 << (8 * one.len);
    }
    if (type == SB_BOOLEAN) {
        snprintf(text, sizeof text, "%s", whole != 0 ? "true" : "false");
    } else if (type == SB_FLOAT32) {
        float number;
        memcpy(&number, one.bytes, 4);
        snprintf(text, sizeof text, "%.9g", (double)number);
    } else if (type == SB_FLOAT64) {
        double number;
        memcpy(&number, one.bytes, 8);
        snprintf(text, sizeof text, "%.15g", number);
    } else if (is_signed) {
        snprintf(text, sizeof text, "%" PRId64, whole);
    } else {
        snprintf(text, sizeof text, "%" PRIu64, (uint64_t)whole);
    }
    sb_out_text(out, text);
}

static void shown_rows(sb_out *out, kept *batch) {
    for (uint32_t row = 0; row < batch->rows; row++) {
        for (size_t i = 0; i < batch->len; i++) {
            sb_out_text(out, i > 0 ? "|" : "");
            shown_cell(out, batch->fields[i].data_type, batch->columns[i][row]);
        }
        sb_out_text(out, "\n");
    }
}

static void shown_names(sb_out *out, sluicebox_stage_types_schema_t *schema) {
    for (size_t i = 0; i < schema->len; i++) {
        sb_out_text(out, i > 0 ? "|" : "");
        sb_out_text(out, (const char *)dup_text((const char *)schema->ptr[i].name.ptr, schema->ptr[i].name.len).ptr);
    }
    sb_out_text(out, "\n");
}

static cell parsed(uint8_t type, const char *text, size_t len) {
    cell one = {.bytes = calloc(len + 17, 1), .len = width(type)};
    if (len == 4 && memcmp(text, "null", 4) == 0) {
        return (cell){0};
    }
    char *copy = calloc(len + 1, 1);
    memcpy(copy, text, len);
    if (type == SB_UTF8) {
        memcpy(one.bytes, text, len);
        one.len = len;
    } else if (type == SB_BINARY || type == SB_DECIMAL128) {
        one.len = len / 2;
        for (size_t i = 0; i < one.len; i++) {
            unsigned byte = 0;
            sscanf(copy + i * 2, "%2x", &byte);
            one.bytes[i] = (uint8_t)byte;
        }
    } else if (type == SB_BOOLEAN) {
        one.bytes[0] = copy[0] == 't';
    } else if (type == SB_FLOAT32) {
        float number = strtof(copy, NULL);
        memcpy(one.bytes, &number, 4);
    } else if (type == SB_FLOAT64) {
        double number = strtod(copy, NULL);
        memcpy(one.bytes, &number, 8);
    } else {
        uint64_t number = copy[0] == '-' ? (uint64_t)strtoll(copy, NULL, 10) : strtoull(copy, NULL, 10);
        memcpy(one.bytes, &number, one.len);
    }
    return one;
}

/* A batch of columns and rows that are written as text. */
static kept *written(const char *columns, const char *rows) {
    size_t len = 0;
    uint32_t count = 0;
    for (const char *at = columns; *columns != 0 && at != NULL; at = strchr(at + 1, ',')) {
        len++;
    }
    for (const char *at = rows; *at != 0; at++) {
        count += *at == '\n' ? 1 : 0;
    }
    kept *batch = empty(count, len);
    char *list = strdup(columns), *rest = list;
    for (size_t i = 0; i < len; i++) {
        char *column = strsep(&rest, ",");
        char name[128] = "", type[128] = "";
        bool is_not_null = strstr(column, " not null") != NULL;
        sscanf(column, " %127s %127s", name, type);
        uint8_t number = 0;
        while (number < SB_OTHER && strcmp(sb_type_name((sb_type)number), type) != 0) {
            number++;
        }
        batch->fields[i] = (sluicebox_stage_types_field_t){.name = dup_text(name, strlen(name)), .data_type = number, .nullable = !is_not_null};
    }
    const char *at = rows;
    for (uint32_t row = 0; row < count; row++) {
        for (size_t i = 0; i < len; i++) {
            size_t end = strcspn(at, i + 1 < len ? "|\n" : "\n");
            batch->columns[i][row] = parsed(batch->fields[i].data_type, at, end);
            at += end + 1;
        }
    }
    free(list);
    return batch;
}

/* ---- Running a stage ---- */

static const char *faulty(sluicebox_stage_types_fault_t *fault) {
    static const char *const KINDS[] = {"invalid-config", "invalid-data", "denied", "unavailable", "internal"};
    sb_out out = {0};
    sb_out_text(&out, "fault ");
    sb_out_text(&out, KINDS[fault->kind]);
    sb_out_text(&out, ": ");
    sb_out_text(&out, (const char *)dup_text((const char *)fault->message.ptr, fault->message.len).ptr);
    return out.text;
}

static sluicebox_stage_types_run_context_t context_of_tests(void) {
    stage_string_t day = dup_text("2026-01-01T00:00:00Z", 20), next = dup_text("2026-01-02T00:00:00Z", 20);
    return (sluicebox_stage_types_run_context_t){
        .run_id = dup_text("test", 4), .pipeline = dup_text("test", 4), .stage = dup_text("test", 4), .attempt = 1,
        .interval_start = day, .interval_end = next,
    };
}

static stage_string_t options_of(const char *options) { return dup_text(options, strlen(options)); }

static sluicebox_stage_types_schema_t schema_of(kept *batch) {
    sluicebox_stage_types_schema_t schema;
    sluicebox_stage_batches_borrow_batch_t self = {stored(batch).__handle};
    sluicebox_stage_batches_method_batch_schema(self, &schema);
    return schema;
}

#ifdef SB_KIND_EXTRACT
const char *sb_test_extract(const char *options, const char *bookmark) {
    sluicebox_stage_types_run_context_t context = context_of_tests();
    stage_string_t config = options_of(options), mark = options_of(bookmark == NULL ? "" : bookmark), last = {0};
    sluicebox_stage_types_schema_t schema;
    sluicebox_stage_types_fault_t fault;
    if (!exports_sluicebox_stage_extractor_open(&context, &config, bookmark == NULL ? NULL : &mark, &schema, &fault)) {
        return faulty(&fault);
    }
    sb_out out = {0};
    shown_names(&out, &schema);
    for (;;) {
        exports_sluicebox_stage_extractor_option_page_t page;
        if (!exports_sluicebox_stage_extractor_next(&page, &fault)) {
            return faulty(&fault);
        }
        if (!page.is_some) {
            break;
        }
        shown_rows(&out, of(page.val.batch.__handle));
        last = page.val.bookmark.is_some ? page.val.bookmark.val : last;
    }
    if (last.len > 0) {
        sb_out_text(&out, "bookmark ");
        sb_out_text(&out, (const char *)dup_text((const char *)last.ptr, last.len).ptr);
        sb_out_text(&out, "\n");
    }
    return out.text;
}
#endif

#ifdef SB_KIND_TRANSFORM
const char *sb_test_transform(const char *options, const char *columns, const char *rows) {
    sluicebox_stage_types_run_context_t context = context_of_tests();
    stage_string_t config = options_of(options);
    exports_sluicebox_stage_transformer_input_t *input = calloc(1, sizeof *input);
    *input = (exports_sluicebox_stage_transformer_input_t){.name = dup_text("input", 5), .schema = schema_of(written(columns, rows))};
    exports_sluicebox_stage_transformer_list_input_t inputs = {.ptr = input, .len = 1};
    sluicebox_stage_types_schema_t schema;
    sluicebox_stage_types_fault_t fault;
    if (!exports_sluicebox_stage_transformer_open(&context, &config, &inputs, &schema, &fault)) {
        return faulty(&fault);
    }
    sb_out out = {0};
    shown_names(&out, &schema);
    exports_sluicebox_stage_transformer_list_own_batch_t given;
    if (!exports_sluicebox_stage_transformer_process(0, stored(written(columns, rows)), &given, &fault)) {
        return faulty(&fault);
    }
    for (size_t i = 0; i < given.len; i++) {
        shown_rows(&out, of(given.ptr[i].__handle));
    }
    for (;;) {
        exports_sluicebox_stage_transformer_option_own_batch_t last;
        if (!exports_sluicebox_stage_transformer_finish(&last, &fault)) {
            return faulty(&fault);
        }
        if (!last.is_some) {
            return out.text;
        }
        shown_rows(&out, of(last.val.__handle));
    }
}
#endif

#ifdef SB_KIND_VALIDATE
const char *sb_test_validate(const char *options, const char *columns, const char *rows) {
    sluicebox_stage_types_run_context_t context = context_of_tests();
    stage_string_t config = options_of(options);
    kept *batch = written(columns, rows);
    sluicebox_stage_types_schema_t schema = schema_of(batch);
    exports_sluicebox_stage_validator_list_rule_t rules;
    exports_sluicebox_stage_validator_list_finding_t findings;
    exports_sluicebox_stage_validator_list_outcome_t outcomes;
    sluicebox_stage_types_fault_t fault;
    sluicebox_stage_batches_borrow_batch_t lent = {stored(batch).__handle};
    if (!exports_sluicebox_stage_validator_open(&context, &config, &schema, &rules, &fault) ||
        !exports_sluicebox_stage_validator_check(lent, &findings, &fault) ||
        !exports_sluicebox_stage_validator_finish(&outcomes, &fault)) {
        return faulty(&fault);
    }
    sb_out out = {0};
    sb_out_text(&out, "");
    for (size_t i = 0; i < findings.len; i++) {
        bool is_first = true;
        for (uint32_t row = 0; row < batch->rows; row++) {
            if (bit(findings.ptr[i].rows.ptr, row)) {
                char number[32];
                snprintf(number, sizeof number, " %" PRIu32, row);
                if (is_first) {
                    stage_string_t *name = &rules.ptr[findings.ptr[i].rule].name;
                    sb_out_text(&out, (const char *)dup_text((const char *)name->ptr, name->len).ptr);
                    sb_out_text(&out, ":");
                }
                is_first = false;
                sb_out_text(&out, number);
            }
        }
        sb_out_text(&out, is_first ? "" : "\n");
    }
    for (size_t i = 0; i < outcomes.len; i++) {
        stage_string_t *name = &rules.ptr[outcomes.ptr[i].rule].name, *observed = &outcomes.ptr[i].observed;
        sb_out_text(&out, (const char *)dup_text((const char *)name->ptr, name->len).ptr);
        sb_out_text(&out, outcomes.ptr[i].holds ? " holds: " : " does not hold: ");
        sb_out_text(&out, (const char *)dup_text((const char *)observed->ptr, observed->len).ptr);
        sb_out_text(&out, "\n");
    }
    return out.text;
}
#endif

#ifdef SB_KIND_LOAD
const char *sb_test_load(const char *options, const char *columns, const char *rows, bool aborts) {
    sluicebox_stage_types_run_context_t context = context_of_tests();
    stage_string_t config = options_of(options), id = options_of("test-load"), receipt;
    sluicebox_stage_types_schema_t schema = schema_of(written(columns, rows));
    sluicebox_stage_types_fault_t fault;
    if (!exports_sluicebox_stage_loader_open(&context, &config, &schema, &id, 0, &fault) ||
        !exports_sluicebox_stage_loader_write(stored(written(columns, rows)), &fault) ||
        !exports_sluicebox_stage_loader_prepare(&receipt, &fault)) {
        return faulty(&fault);
    }
    const char *text = (const char *)dup_text((const char *)receipt.ptr, receipt.len).ptr;
    for (int time = 0; time < 2; time++) {
        stage_string_t *list = calloc(1, sizeof *list);
        *list = options_of(text);
        stage_list_string_t receipts = {.ptr = list, .len = 1};
        config = options_of(options);
        id = options_of("test-load");
        bool ok = aborts ? exports_sluicebox_stage_loader_abort(&config, &id, &receipts, &fault)
                         : exports_sluicebox_stage_loader_commit(&config, &id, &receipts, &fault);
        if (!ok) {
            return faulty(&fault);
        }
    }
    return text;
}
#endif

/* ---- Tests ---- */

static struct {
    const char *name;
    void (*test)(void);
} tests[256];
static size_t tests_len;
static bool has_failed;

void sb_test_add(const char *name, void (*test)(void)) {
    if (tests_len < 256) {
        tests[tests_len].name = name;
        tests[tests_len++].test = test;
    }
}

void sb_test_check(bool holds, const char *what, const char *file, int line) {
    if (!holds) {
        has_failed = true;
        printf("%s:%d: it does not hold that %s\n", file, line, what);
    }
}

void sb_test_equal(const char *found, const char *wanted, const char *file, int line) {
    if (strcmp(found, wanted) != 0) {
        has_failed = true;
        printf("%s:%d: found\n%s\nwanted\n%s\n", file, line, found, wanted);
    }
}

int main(void) {
    size_t failed = 0;
    for (size_t i = 0; i < tests_len; i++) {
        has_failed = false;
        tests[i].test();
        failed += has_failed ? 1 : 0;
        printf("%s %s\n", has_failed ? "failed" : "passed", tests[i].name);
    }
    printf("%zu passed, %zu failed\n", tests_len - failed, failed);
    return failed == 0 && tests_len > 0 ? 0 : 1;
}
