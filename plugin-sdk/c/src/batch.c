/* Columns and batches. */

#include "internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- Columns ---- */

static size_t width(sb_type type) {
    static const uint8_t WIDTHS[] = {0, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 0, 0, 4, 8, 16, 0};
    return (unsigned)type <= SB_OTHER ? WIDTHS[type] : 0;
}

static bool has_offsets(sb_type type) { return type == SB_UTF8 || type == SB_BINARY; }

static bool bit(const uint8_t *bits, uint32_t row) { return (bits[row / 8] >> (row % 8) & 1) != 0; }

uint8_t *sb_mask(uint32_t rows) { return sb_alloc(((size_t)rows + 7) / 8); }

void sb_mark(uint8_t *mask, uint32_t row) { mask[row / 8] |= (uint8_t)(1 << (row % 8)); }

bool sb_is_null(const sb_column *column, uint32_t row) {
    return column == NULL || row >= column->rows || (column->validity != NULL && !bit(column->validity, row));
}

bool sb_bool_at(const sb_column *column, uint32_t row) {
    return !sb_is_null(column, row) && column->field.type == SB_BOOLEAN && bit(column->data, row);
}

sb_text sb_text_at(const sb_column *column, uint32_t row) {
    if (column == NULL || row >= column->rows || column->offsets == NULL) {
        return (sb_text){.ptr = "", .len = 0};
    }
    int32_t from = column->offsets[row];
    return (sb_text){.ptr = (const char *)column->data + from, .len = (size_t)(column->offsets[row + 1] - from)};
}

double sb_number_at(const sb_column *column, uint32_t row) {
    if (column == NULL || row >= column->rows) {
        return 0;
    }
    switch (column->field.type) {
    case SB_INT8: return ((const int8_t *)column->data)[row];
    case SB_INT16: return ((const int16_t *)column->data)[row];
    case SB_INT32:
    case SB_DATE32: return ((const int32_t *)column->data)[row];
    case SB_INT64:
    case SB_TIMESTAMP: return (double)((const int64_t *)column->data)[row];
    case SB_UINT8: return ((const uint8_t *)column->data)[row];
    case SB_UINT16: return ((const uint16_t *)column->data)[row];
    case SB_UINT32: return ((const uint32_t *)column->data)[row];
    case SB_UINT64: return (double)((const uint64_t *)column->data)[row];
    case SB_FLOAT32: return (double)((const float *)column->data)[row];
    case SB_FLOAT64: return ((const double *)column->data)[row];
    default: return 0;
    }
}

static const void *values_of(const sb_column *column, sb_type type, sb_type other) {
    if (column == NULL) {
        return NULL;
    }
    if (column->field.type != type && column->field.type != other) {
        const char *found = sb_type_name(column->field.type);
        sb_fail(SB_INTERNAL, "column `%s` is %s, not %s", column->field.name, found, sb_type_name(type));
        return NULL;
    }
    return column->data;
}

const int8_t *sb_int8s(const sb_column *column) { return values_of(column, SB_INT8, SB_INT8); }
const int16_t *sb_int16s(const sb_column *column) { return values_of(column, SB_INT16, SB_INT16); }
const int32_t *sb_int32s(const sb_column *column) { return values_of(column, SB_INT32, SB_DATE32); }
const int64_t *sb_int64s(const sb_column *column) { return values_of(column, SB_INT64, SB_TIMESTAMP); }
const uint8_t *sb_uint8s(const sb_column *column) { return values_of(column, SB_UINT8, SB_UINT8); }
const uint16_t *sb_uint16s(const sb_column *column) { return values_of(column, SB_UINT16, SB_UINT16); }
const uint32_t *sb_uint32s(const sb_column *column) { return values_of(column, SB_UINT32, SB_UINT32); }
const uint64_t *sb_uint64s(const sb_column *column) { return values_of(column, SB_UINT64, SB_UINT64); }
const float *sb_floats(const sb_column *column) { return values_of(column, SB_FLOAT32, SB_FLOAT32); }
const double *sb_doubles(const sb_column *column) { return values_of(column, SB_FLOAT64, SB_FLOAT64); }

/* Memory that grows within the call; freed at its end. */
typedef struct buffer {
    unsigned char *bytes;
    size_t len, room;
    struct buffer *before;
} buffer;

static buffer *buffers;

static void *grown(buffer *buffer, size_t more) {
    if (buffer->len + more > buffer->room) {
        if (buffer->bytes == NULL) {
            buffer->before = buffers;
            buffers = buffer;
        }
        buffer->room = (buffer->len + more) * 2 + 64;
        buffer->bytes = realloc(buffer->bytes, buffer->room);
        if (buffer->bytes == NULL) {
            abort();
        }
    }
    void *end = buffer->bytes + buffer->len;
    buffer->len += more;
    return end;
}

struct sb_builder {
    sb_field field;
    uint32_t rows;
    bool has_nulls;
    buffer data, offsets, validity;
};

sb_builder *sb_build(sb_field field) {
    sb_builder *builder = sb_alloc(sizeof(sb_builder));
    builder->field = field;
    if (has_offsets(field.type)) {
        memset(grown(&builder->offsets, 4), 0, 4);
    }
    return builder;
}

/* Begins a row; its value is yet to be written. */
static void row_of(sb_builder *builder, bool is_there) {
    if (builder->rows % 8 == 0) {
        *(uint8_t *)grown(&builder->validity, 1) = 0;
    }
    if (is_there) {
        sb_mark(builder->validity.bytes, builder->rows);
    } else {
        builder->has_nulls = true;
    }
    builder->rows++;
}

static void ended(sb_builder *builder) {
    int32_t end = (int32_t)builder->data.len;
    if (builder->data.len > INT32_MAX) {
        sb_fail(SB_INVALID_DATA, "column `%s` has more than 2 GiB in a batch; make smaller batches", builder->field.name);
    }
    memcpy(grown(&builder->offsets, 4), &end, 4);
}

static void push_value(sb_builder *builder, const void *value) {
    size_t size = width(builder->field.type);
    void *to = grown(&builder->data, size);
    if (value != NULL) {
        memcpy(to, value, size);
    } else {
        memset(to, 0, size);
    }
}

static void bit_of(sb_builder *builder, bool value) {
    uint32_t row = builder->rows - 1;
    if (row % 8 == 0) {
        *(uint8_t *)grown(&builder->data, 1) = 0;
    }
    if (value) {
        sb_mark(builder->data.bytes, row);
    }
}

static bool fits(sb_builder *builder, bool fits, const char *what) {
    if (!fits) {
        sb_fail(SB_INTERNAL, "column `%s` is %s: %s does not fit", builder->field.name, sb_type_name(builder->field.type), what);
    }
    return fits;
}

void sb_push_null(sb_builder *builder) {
    row_of(builder, false);
    if (has_offsets(builder->field.type)) {
        ended(builder);
    } else if (builder->field.type == SB_BOOLEAN) {
        bit_of(builder, false);
    } else {
        push_value(builder, NULL);
    }
}

void sb_push_bool(sb_builder *builder, bool value) {
    if (fits(builder, builder->field.type == SB_BOOLEAN, "a boolean")) {
        row_of(builder, true);
        bit_of(builder, value);
    }
}

void sb_push_integer(sb_builder *builder, int64_t value) {
    sb_type type = builder->field.type;
    bool is_whole = (type >= SB_INT8 && type <= SB_UINT64) || type == SB_DATE32 || type == SB_TIMESTAMP;
    if (fits(builder, is_whole, "a whole number")) {
        row_of(builder, true);
        push_value(builder, &value); /* little-endian: the lower bytes come first */
    }
}

void sb_push_number(sb_builder *builder, double value) {
    float narrow = (float)value;
    if (fits(builder, builder->field.type == SB_FLOAT32 || builder->field.type == SB_FLOAT64, "a number")) {
        row_of(builder, true);
        push_value(builder, builder->field.type == SB_FLOAT32 ? (const void *)&narrow : (const void *)&value);
    }
}

void sb_push_text(sb_builder *builder, const char *text, size_t len) {
    if (fits(builder, has_offsets(builder->field.type), "a text")) {
        row_of(builder, true);
        void *to = grown(&builder->data, len);
        if (len > 0) {
            memcpy(to, text, len);
        }
        ended(builder);
    }
}

void sb_push_bytes(sb_builder *builder, const void *bytes) {
    if (fits(builder, width(builder->field.type) > 0, "a value of fixed width")) {
        row_of(builder, true);
        push_value(builder, bytes);
    }
}

const sb_column *sb_built(sb_builder *builder) {
    sb_column *column = sb_alloc(sizeof(sb_column));
    column->field = builder->field;
    column->rows = builder->rows;
    column->validity = builder->has_nulls ? builder->validity.bytes : NULL;
    column->data = builder->data.bytes;
    column->offsets = has_offsets(builder->field.type) ? (const int32_t *)(void *)builder->offsets.bytes : NULL;
    return column;
}

const sb_column *sb_column_of(sb_field field, const void *values, uint32_t rows) {
    sb_column *column = sb_alloc(sizeof(sb_column));
    if (width(field.type) == 0) {
        sb_fail(SB_INTERNAL, "column `%s` is %s: it is no array; use sb_build", field.name, sb_type_name(field.type));
    }
    *column = (sb_column){.field = field, .rows = rows, .data = values};
    return column;
}

/* A column as it crosses; the buffers are lent to the host for the call. */
static sluicebox_stage_batches_column_t crossing(const sb_column *column) {
    sluicebox_stage_batches_column_t out = {0};
    size_t rows = column->rows;
    uint8_t *data = (uint8_t *)(uintptr_t)column->data;
    if (column->field.type == SB_BOOLEAN) {
        out.values.tag = SLUICEBOX_STAGE_BATCHES_VALUES_BITS;
        out.values.val.bits = (stage_list_u8_t){.ptr = data, .len = (rows + 7) / 8};
    } else if (has_offsets(column->field.type)) {
        out.values.tag = SLUICEBOX_STAGE_BATCHES_VALUES_VARIABLE_BYTES;
        uint8_t *offsets = (uint8_t *)(uintptr_t)column->offsets;
        out.values.val.variable_bytes.offsets = (stage_list_u8_t){.ptr = offsets, .len = (rows + 1) * 4};
        out.values.val.variable_bytes.data = (stage_list_u8_t){.ptr = data, .len = (size_t)column->offsets[rows]};
    } else {
        out.values.tag = SLUICEBOX_STAGE_BATCHES_VALUES_FIXED_BYTES;
        out.values.val.fixed_bytes = (stage_list_u8_t){.ptr = data, .len = rows * width(column->field.type)};
    }
    out.validity.is_some = column->validity != NULL;
    if (column->validity != NULL) {
        out.validity.val = (stage_list_u8_t){.ptr = (uint8_t *)(uintptr_t)column->validity, .len = (rows + 7) / 8};
    }
    return out;
}

/* ---- Batches ---- */

struct sb_batch {
    int32_t handle;
    bool is_lent, is_gone, is_kept;
    const sb_schema *schema;
    bool has_rows;
    uint32_t rows;
    sb_batch *before; /* of those of the call */
};

static sb_batch *batches;

static sb_batch *noted(int32_t handle, bool is_lent) {
    sb_batch *batch = sb_alloc(sizeof(sb_batch));
    *batch = (sb_batch){.handle = handle, .is_lent = is_lent, .before = batches};
    batches = batch;
    return batch;
}

sb_batch *sb_batch_came(int32_t handle, bool is_lent) { return noted(handle, is_lent); }

void sb_batches_end(void) {
    for (; buffers != NULL; buffers = buffers->before) {
        free(buffers->bytes);
    }
    for (; batches != NULL; batches = batches->before) {
        if (!batches->is_gone && batches->is_lent) {
            sluicebox_stage_batches_batch_drop_borrow((sluicebox_stage_batches_borrow_batch_t){batches->handle});
        } else if (!batches->is_gone) {
            sluicebox_stage_batches_batch_drop_own((sluicebox_stage_batches_own_batch_t){batches->handle});
        }
    }
}

static bool borrowed(const sb_batch *batch, sluicebox_stage_batches_borrow_batch_t *out) {
    if (batch == NULL) {
        return false;
    }
    if (batch->is_gone) {
        return sb_fail(SB_INTERNAL, "a batch was used after it was given; `sb_keep_batch` keeps it");
    }
    *out = (sluicebox_stage_batches_borrow_batch_t){batch->handle};
    return true;
}

static sb_batch *answered(bool ok, sluicebox_stage_batches_own_batch_t made, sluicebox_stage_batches_fault_t *fault) {
    if (!ok) {
        sb_note_fault(fault);
        return NULL;
    }
    return noted(made.__handle, false);
}

#define ASK(call)                                                                                                              \
    do {                                                                                                                       \
        sluicebox_stage_batches_own_batch_t made = {0};                                                                        \
        sluicebox_stage_batches_fault_t fault = {0};                                                                           \
        bool ok = call;                                                                                                        \
        return answered(ok, made, &fault);                                                                                     \
    } while (0)

sluicebox_stage_batches_own_batch_t sb_batch_given(sb_batch *batch) {
    sluicebox_stage_batches_own_batch_t out = {batch->handle};
    batch->is_gone = true;
    if (batch->is_kept) {
        free(batch);
    }
    return out;
}

uint32_t sb_rows(sb_batch *batch) {
    sluicebox_stage_batches_borrow_batch_t self;
    if (!borrowed(batch, &self)) {
        return 0;
    }
    if (!batch->has_rows) {
        batch->rows = sluicebox_stage_batches_method_batch_rows(self);
        batch->has_rows = true;
    }
    return batch->rows;
}

const sb_schema *sb_schema_of(sb_batch *batch) {
    sluicebox_stage_batches_borrow_batch_t self;
    if (!borrowed(batch, &self)) {
        return NULL;
    }
    if (batch->schema == NULL || batch->is_kept) {
        sluicebox_stage_types_schema_t schema = {0};
        sluicebox_stage_batches_method_batch_schema(self, &schema);
        const sb_schema *taken = sb_taken_schema(&schema);
        if (batch->is_kept) {
            return taken;
        }
        batch->schema = taken;
    }
    return batch->schema;
}

/* Moves a list of the host into memory of the call. */
static void *moved(void *ptr, size_t bytes) {
    void *own = sb_alloc(bytes);
    if (bytes > 0) {
        memcpy(own, ptr, bytes);
        free(ptr);
    }
    return own;
}

#define MOVED(list) moved((list).ptr, (list).len * sizeof *(list).ptr)

static const sb_column *came(sb_field field, uint32_t rows, sluicebox_stage_batches_column_t *from) {
    sb_column *column = sb_alloc(sizeof(sb_column));
    *column = (sb_column){.field = field, .rows = rows};
    column->validity = from->validity.is_some ? MOVED(from->validity.val) : NULL;
    sluicebox_stage_batches_values_t *values = &from->values;
    switch (values->tag) {
    case SLUICEBOX_STAGE_BATCHES_VALUES_BITS: column->data = MOVED(values->val.bits); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_INT8: column->data = MOVED(values->val.int8); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_INT16: column->data = MOVED(values->val.int16); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_INT32: column->data = MOVED(values->val.int32); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_INT64: column->data = MOVED(values->val.int64); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_UINT8: column->data = MOVED(values->val.uint8); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_UINT16: column->data = MOVED(values->val.uint16); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_UINT32: column->data = MOVED(values->val.uint32); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_UINT64: column->data = MOVED(values->val.uint64); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_FLOAT32: column->data = MOVED(values->val.float32); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_FLOAT64: column->data = MOVED(values->val.float64); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_FIXED_BYTES: column->data = MOVED(values->val.fixed_bytes); break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_VARIABLE:
        column->offsets = MOVED(values->val.variable.offsets);
        column->data = MOVED(values->val.variable.data);
        break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_VARIABLE_BYTES:
        column->offsets = MOVED(values->val.variable_bytes.offsets);
        column->data = MOVED(values->val.variable_bytes.data);
        break;
    case SLUICEBOX_STAGE_BATCHES_VALUES_STRINGS: {
        sb_builder *builder = sb_build(field);
        for (size_t i = 0; i < values->val.strings.len; i++) {
            stage_option_string_t *text = &values->val.strings.ptr[i];
            if (!text->is_some) {
                sb_push_null(builder);
                continue;
            }
            sb_push_text(builder, (const char *)text->val.ptr, text->val.len);
            if (text->val.len > 0) {
                free(text->val.ptr);
            }
        }
        if (values->val.strings.len > 0) {
            free(values->val.strings.ptr);
        }
        return sb_built(builder);
    }
    default: break;
    }
    return column;
}

const sb_column *sb_read_as(sb_batch *batch, const char *name, sb_form form) {
    sluicebox_stage_batches_borrow_batch_t self;
    const sb_schema *schema = sb_schema_of(batch);
    if (!borrowed(batch, &self) || sb_need(schema, name) == NULL) {
        return NULL;
    }
    int at = sb_find(schema, name);
    sluicebox_stage_batches_column_t column = {0};
    sluicebox_stage_batches_fault_t fault = {0};
    if (!sluicebox_stage_batches_method_batch_column(self, (uint32_t)at, (uint8_t)form, &column, &fault)) {
        sb_note_fault(&fault);
        return NULL;
    }
    return came(schema->fields[at], sb_rows(batch), &column);
}

const sb_column *sb_read(sb_batch *batch, const char *name) { return sb_read_as(batch, name, SB_RAW); }

sb_batch *sb_filter(sb_batch *batch, const uint8_t *mask) {
    sluicebox_stage_batches_borrow_batch_t self;
    if (!borrowed(batch, &self)) {
        return NULL;
    }
    stage_list_u8_t bits = {.ptr = (uint8_t *)(uintptr_t)mask, .len = ((size_t)sb_rows(batch) + 7) / 8};
    ASK(sluicebox_stage_batches_method_batch_filter(self, &bits, &made, &fault));
}

sb_batch *sb_take(sb_batch *batch, const uint32_t *rows, size_t len) {
    sluicebox_stage_batches_borrow_batch_t self;
    if (!borrowed(batch, &self)) {
        return NULL;
    }
    stage_list_u32_t list = {.ptr = (uint32_t *)(uintptr_t)rows, .len = len};
    ASK(sluicebox_stage_batches_method_batch_take(self, &list, &made, &fault));
}

sb_batch *sb_slice(sb_batch *batch, uint32_t offset, uint32_t rows) {
    sluicebox_stage_batches_borrow_batch_t self;
    if (!borrowed(batch, &self)) {
        return NULL;
    }
    ASK(sluicebox_stage_batches_method_batch_slice(self, offset, rows, &made, &fault));
}

sb_batch *sb_select(sb_batch *batch, const char *const *from, const char *const *to, size_t len) {
    sluicebox_stage_batches_borrow_batch_t self;
    const sb_schema *schema = sb_schema_of(batch);
    if (!borrowed(batch, &self)) {
        return NULL;
    }
    stage_tuple2_u32_string_t *pairs = sb_alloc(len * sizeof *pairs);
    for (size_t i = 0; i < len; i++) {
        if (sb_need(schema, from[i]) == NULL) {
            return NULL;
        }
        pairs[i].f0 = (uint32_t)sb_find(schema, from[i]);
        pairs[i].f1 = (stage_string_t){.ptr = (uint8_t *)(uintptr_t)to[i], .len = strlen(to[i])};
    }
    stage_list_tuple2_u32_string_t list = {.ptr = pairs, .len = len};
    ASK(sluicebox_stage_batches_method_batch_select(self, &list, &made, &fault));
}

/* Schema and columns of what is handed over, lent for the call; false if a column is NULL. */
static bool lent(const sb_column *const *columns, size_t len, sluicebox_stage_types_schema_t *schema, sluicebox_stage_batches_list_column_t *list) {
    sluicebox_stage_types_field_t *fields = sb_alloc(len * sizeof *fields);
    sluicebox_stage_batches_column_t *crossed = sb_alloc(len * sizeof *crossed);
    for (size_t i = 0; i < len; i++) {
        if (columns[i] == NULL) {
            return sb_failed() ? false : sb_fail(SB_INTERNAL, "column number %zu is NULL", i);
        }
        const sb_field *field = &columns[i]->field;
        fields[i].name = (stage_string_t){.ptr = (uint8_t *)(uintptr_t)field->name, .len = strlen(field->name)};
        fields[i].data_type = (uint8_t)field->type;
        fields[i].nullable = field->nullable;
        fields[i].detail.is_some = field->detail != NULL;
        if (field->detail != NULL) {
            fields[i].detail.val = (stage_string_t){.ptr = (uint8_t *)(uintptr_t)field->detail, .len = strlen(field->detail)};
        }
        crossed[i] = crossing(columns[i]);
    }
    *schema = (sluicebox_stage_types_schema_t){.ptr = fields, .len = len};
    *list = (sluicebox_stage_batches_list_column_t){.ptr = crossed, .len = len};
    return true;
}

sb_batch *sb_with_columns(sb_batch *batch, const sb_column *const *columns, size_t len) {
    sluicebox_stage_batches_borrow_batch_t self;
    sluicebox_stage_types_schema_t schema;
    sluicebox_stage_batches_list_column_t list;
    if (!borrowed(batch, &self) || !lent(columns, len, &schema, &list)) {
        return NULL;
    }
    ASK(sluicebox_stage_batches_method_batch_with_columns(self, &schema, &list, &made, &fault));
}

sb_batch *sb_with(sb_batch *batch, const sb_column *column) { return sb_with_columns(batch, &column, 1); }

sb_batch *sb_batch_of(uint32_t rows, const sb_column *const *columns, size_t len) {
    sluicebox_stage_types_schema_t schema;
    sluicebox_stage_batches_list_column_t list;
    if (!lent(columns, len, &schema, &list)) {
        return NULL;
    }
    ASK(sluicebox_stage_batches_static_batch_from_columns(&schema, rows, &list, &made, &fault));
}

sb_batch *sb_zip(sb_batch *batch, sb_batch *other) {
    sluicebox_stage_batches_borrow_batch_t self, beside;
    if (!borrowed(batch, &self) || !borrowed(other, &beside)) {
        return NULL;
    }
    ASK(sluicebox_stage_batches_method_batch_zip(self, beside, &made, &fault));
}

sb_batch *sb_concat(sb_batch *const *parts, size_t len) {
    sluicebox_stage_batches_borrow_batch_t *handles = sb_alloc(len * sizeof *handles);
    for (size_t i = 0; i < len; i++) {
        if (!borrowed(parts[i], &handles[i])) {
            return NULL;
        }
    }
    sluicebox_stage_batches_list_borrow_batch_t list = {.ptr = handles, .len = len};
    ASK(sluicebox_stage_batches_concat(&list, &made, &fault));
}

const uint8_t *sb_to_ipc(sb_batch *batch, size_t *len) {
    sluicebox_stage_batches_borrow_batch_t self;
    const sb_schema *schema = sb_schema_of(batch);
    *len = 0;
    if (!borrowed(batch, &self)) {
        return NULL;
    }
    uint32_t *places = sb_alloc(schema->len * sizeof *places);
    for (size_t i = 0; i < schema->len; i++) {
        places[i] = (uint32_t)i;
    }
    stage_list_u32_t list = {.ptr = places, .len = schema->len};
    stage_list_u8_t bytes = {0};
    sluicebox_stage_batches_fault_t fault = {0};
    if (!sluicebox_stage_batches_method_batch_to_ipc(self, &list, &bytes, &fault)) {
        sb_note_fault(&fault);
        return NULL;
    }
    *len = bytes.len;
    return MOVED(bytes);
}

sb_batch *sb_from_ipc(const uint8_t *bytes, size_t len) {
    if (bytes == NULL) {
        return NULL;
    }
    stage_list_u8_t list = {.ptr = (uint8_t *)(uintptr_t)bytes, .len = len};
    ASK(sluicebox_stage_batches_static_batch_from_ipc(&list, &made, &fault));
}

sb_batch *sb_keep_batch(sb_batch *batch) {
    sb_batch *shared = sb_slice(batch, 0, sb_rows(batch));
    if (shared == NULL) {
        return NULL;
    }
    sb_batch *kept = sb_keep(sizeof(sb_batch));
    *kept = (sb_batch){.handle = shared->handle, .is_kept = true};
    shared->is_gone = true;
    return kept;
}

void sb_drop_batch(sb_batch *batch) {
    if (batch != NULL && batch->is_kept) {
        sluicebox_stage_batches_batch_drop_own((sluicebox_stage_batches_own_batch_t){batch->handle});
        free(batch);
    }
}
