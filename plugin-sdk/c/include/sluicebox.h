/* Write stages of sluicebox pipelines in C or C++.
 *
 * A stage is one file that says what it is (`sb_stage`) and defines the functions of its kind (see the end of this file). What
 * the SDK hands out - texts, columns, batches, memory of `sb_alloc` - lives until the call ends and is freed then; only what
 * `sb_keep` and `sb_keep_batch` give lives on, as long as the instance.
 *
 * Functions that can fail answer false or NULL and note a fault; all functions take NULL batches and columns and pass them on, so
 * a stage may go on and just return: a noted fault ends the call, whatever it returns. */
#ifndef SLUICEBOX_H
#define SLUICEBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SB_FORMAT(text, first) __attribute__((format(printf, text, first)))
#define SB_OPTIONAL __attribute__((weak))
#else
#define SB_FORMAT(text, first)
#define SB_OPTIONAL
#endif

/* ---- What a stage says of itself ---- */

/* What it asks to be granted, to be joined by `|`. */
enum {
    SB_READ_FILES = 1,
    SB_WRITE_FILES = 2,
    SB_HTTP = 4,
    SB_TCP = 8,
    SB_ENVIRONMENT = 16,
    SB_CLOCK = 32,
    SB_RANDOM = 64,
};

typedef enum sb_option_type {
    SB_TEXT,    /* sb_option_text */
    SB_INTEGER, /* sb_option_integer: 64 bits */
    SB_NUMBER,  /* sb_option_number */
    SB_FLAG,    /* sb_option_flag */
    SB_TEXTS,   /* a list of texts: sb_option_count, sb_option_item */
    SB_JSON,    /* whatever `schema` says: sb_option_json */
} sb_option_type;

/* An option of the stage. It is a JSON Schema for the host, and is held to it again when it is read; what SB_JSON holds inside is held
 * to its `schema` by the host alone. */
typedef struct sb_option {
    const char *name; /* as in pipeline files: words joined by hyphens */
    sb_option_type type;
    const char *description;
    const char *fallback;        /* JSON, e.g. "\"-\"" or "10"; NULL: it has to be given, unless it is optional */
    bool optional;               /* it may be left out, without a fallback: see sb_option_given */
    const char *const *choices;  /* texts that it may be, NULL behind the last; NULL: any */
    const int64_t *at_least;     /* least number, or number of items; NULL: none */
    const int64_t *at_most;      /* most */
    const char *schema;          /* SB_JSON: its JSON Schema */
} sb_option;

typedef struct sb_about {
    const char *name; /* as in pipeline files: lower-case words joined by hyphens */
    const char *version;
    const char *summary; /* one sentence */
    bool stateless;      /* the answer to a batch depends on that batch alone */
    unsigned asks;       /* SB_READ_FILES | ... */
    const sb_option *options;
    size_t options_len;
} sb_about;

/* Defined by the stage. */
extern const sb_about sb_stage;

const char *sb_option_text(const char *name);
int64_t sb_option_integer(const char *name);
double sb_option_number(const char *name);
bool sb_option_flag(const char *name);
size_t sb_option_count(const char *name);
const char *sb_option_item(const char *name, size_t at);
/* Whether an optional one was given. */
bool sb_option_given(const char *name);

/* A value of JSON. */
typedef struct sb_json sb_json;
const sb_json *sb_option_json(const char *name);
size_t sb_json_count(const sb_json *list);
const sb_json *sb_json_item(const sb_json *list, size_t at);
const char *sb_json_text(const sb_json *text);

/* ---- Memory, faults, what is told ---- */

/* Until the call ends; never NULL. Zeroed. */
void *sb_alloc(size_t bytes);
/* As long as the instance; never NULL. Zeroed. */
void *sb_keep(size_t bytes);
/* A text as printf makes it, until the call ends. */
char *sb_print(const char *format, ...) SB_FORMAT(1, 2);

typedef enum sb_fault_kind {
    SB_INVALID_CONFIG, /* the options do not fit: the author of the pipeline has to change the file */
    SB_INVALID_DATA,   /* the data cannot be worked on */
    SB_DENIED,         /* something was needed that the stage was not granted */
    SB_UNAVAILABLE,    /* something outside does not answer now; the only kind that is worth trying again */
    SB_INTERNAL,       /* a mistake in the stage itself */
} sb_fault_kind;

/* Notes a fault, unless there is one: what is wrong, where, and what to do instead. Always false. */
bool sb_fail(sb_fault_kind kind, const char *format, ...) SB_FORMAT(2, 3);
/* The same, for a row of the batch of this call. */
bool sb_fail_at(sb_fault_kind kind, uint32_t row, const char *format, ...) SB_FORMAT(3, 4);
/* The same, for a file, from `errno`. */
bool sb_fail_file(const char *path);
bool sb_failed(void);

typedef enum sb_level { SB_DEBUG, SB_INFO, SB_WARN, SB_ERROR } sb_level;
void sb_log(sb_level level, const char *format, ...) SB_FORMAT(2, 3);
/* Adds to a counter of the stage. */
void sb_count(const char *name, uint64_t by);
/* Sets a record aside that could not be made a row: where it stood, as it was found, what is wrong with it. */
void sb_quarantine(const char *origin, const char *content, const char *reason);

/* ---- Schemas ---- */

typedef enum sb_type {
    SB_BOOLEAN, SB_INT8, SB_INT16, SB_INT32, SB_INT64, SB_UINT8, SB_UINT16, SB_UINT32, SB_UINT64, SB_FLOAT32, SB_FLOAT64,
    SB_UTF8, SB_BINARY,
    SB_DATE32,     /* days since 1970-01-01, int32_t */
    SB_TIMESTAMP,  /* microseconds since 1970-01-01T00:00:00, int64_t */
    SB_DECIMAL128, /* 16 bytes, without the point */
    SB_OTHER,      /* carried by handle, or as Arrow IPC */
} sb_type;

const char *sb_type_name(sb_type type);

typedef struct sb_field {
    const char *name;
    sb_type type;
    bool nullable;
    const char *detail; /* timestamp: the zone; decimal128: "precision,scale"; else NULL */
} sb_field;

typedef struct sb_schema {
    const sb_field *fields;
    size_t len;
} sb_schema;

sb_field sb_nullable(const char *name, sb_type type);
sb_field sb_not_null(const char *name, sb_type type);
/* The position of a column, or -1. */
int sb_find(const sb_schema *schema, const char *name);
/* A column that the stage cannot do without; a fault that lists those that are there, if it is not. */
const sb_field *sb_need(const sb_schema *schema, const char *name);
/* The same, of one type. */
const sb_field *sb_need_type(const sb_schema *schema, const char *name, sb_type type);
/* The same, of numbers: integers and floats. */
const sb_field *sb_need_number(const sb_schema *schema, const char *name);
/* The schema with a column added behind, or put in place of the one of its name. */
const sb_schema *sb_with_field(const sb_schema *schema, sb_field field);

/* ---- Columns ---- */

/* A column that was copied in, or that is to be handed over. */
typedef struct sb_column {
    sb_field field;
    uint32_t rows;
    const uint8_t *validity; /* one bit a row, 1 = present, least significant first; NULL: no nulls */
    const void *data;        /* the values; booleans are bits; of texts and bytes their bytes */
    const int32_t *offsets;  /* texts and bytes: row i is data[offsets[i] .. offsets[i + 1]] */
} sb_column;

typedef struct sb_text {
    const char *ptr; /* no NUL behind it */
    size_t len;
} sb_text;

bool sb_is_null(const sb_column *column, uint32_t row);
bool sb_bool_at(const sb_column *column, uint32_t row);
/* The text, or the bytes, of a row. */
sb_text sb_text_at(const sb_column *column, uint32_t row);
/* A number of any type but decimal128, as a double. */
double sb_number_at(const sb_column *column, uint32_t row);
/* The values, if the column is of a type that is kept so; else NULL, with a fault. */
const int8_t *sb_int8s(const sb_column *column);
const int16_t *sb_int16s(const sb_column *column);
const int32_t *sb_int32s(const sb_column *column);
const int64_t *sb_int64s(const sb_column *column);
const uint8_t *sb_uint8s(const sb_column *column);
const uint16_t *sb_uint16s(const sb_column *column);
const uint32_t *sb_uint32s(const sb_column *column);
const uint64_t *sb_uint64s(const sb_column *column);
const float *sb_floats(const sb_column *column);
const double *sb_doubles(const sb_column *column);

/* Makes a column, row by row. */
typedef struct sb_builder sb_builder;
sb_builder *sb_build(sb_field field);
void sb_push_null(sb_builder *builder);
void sb_push_bool(sb_builder *builder, bool value);
/* Cut to the column's width. */
void sb_push_integer(sb_builder *builder, int64_t value);
void sb_push_number(sb_builder *builder, double value);
void sb_push_text(sb_builder *builder, const char *text, size_t len);
/* The bytes of one value of a fixed width, e.g. the 16 of a decimal128. */
void sb_push_bytes(sb_builder *builder, const void *bytes);
const sb_column *sb_built(sb_builder *builder);
/* A column over an array without nulls; the array has to live until the call ends. */
const sb_column *sb_column_of(sb_field field, const void *values, uint32_t rows);

/* ---- Batches: handles of what the host holds ---- */

typedef struct sb_batch sb_batch;

uint32_t sb_rows(sb_batch *batch);
const sb_schema *sb_schema_of(sb_batch *batch);
/* Copies one column in. */
const sb_column *sb_read(sb_batch *batch, const char *name);

typedef enum sb_form { SB_TYPED, SB_RAW, SB_STRINGS } sb_form;
/* The same in one of the contract's forms; the result is the same. */
const sb_column *sb_read_as(sb_batch *batch, const char *name, sb_form form);

/* A mask: one bit a row. */
uint8_t *sb_mask(uint32_t rows);
void sb_mark(uint8_t *mask, uint32_t row);

sb_batch *sb_filter(sb_batch *batch, const uint8_t *mask);
sb_batch *sb_take(sb_batch *batch, const uint32_t *rows, size_t len);
sb_batch *sb_slice(sb_batch *batch, uint32_t offset, uint32_t rows);
/* The columns `from`, in this order, under the names `to`. */
sb_batch *sb_select(sb_batch *batch, const char *const *from, const char *const *to, size_t len);
sb_batch *sb_with(sb_batch *batch, const sb_column *column);
sb_batch *sb_with_columns(sb_batch *batch, const sb_column *const *columns, size_t len);
sb_batch *sb_zip(sb_batch *batch, sb_batch *other);
sb_batch *sb_concat(sb_batch *const *parts, size_t len);
sb_batch *sb_batch_of(uint32_t rows, const sb_column *const *columns, size_t len);
/* One Arrow IPC stream with one record batch. */
const uint8_t *sb_to_ipc(sb_batch *batch, size_t *len);
sb_batch *sb_from_ipc(const uint8_t *bytes, size_t len);
/* The same rows, as long as the instance or until it is given. */
sb_batch *sb_keep_batch(sb_batch *batch);
/* Ends a batch that was kept. */
void sb_drop_batch(sb_batch *batch);

/* ---- The functions of a stage ---- */

/* Why and for when this run runs. Times are RFC 3339 in UTC. */
typedef struct sb_context {
    const char *run_id, *pipeline, *stage, *interval_start, *interval_end;
    uint32_t attempt;
} sb_context;

/* extract: answers with the schema of every page; `bookmark` is NULL at first. Also called to check a pipeline. */
const sb_schema *sb_extract_open(const sb_context *context, const char *bookmark);
typedef struct sb_page {
    sb_batch *batch;      /* NULL: the end */
    const char *bookmark; /* where to resume after it, or NULL */
    double progress;      /* 0 to 1, or less than 0 where it is not known */
} sb_page;
void sb_extract_next(sb_page *page);

/* transform: answers with the schema of what comes out. Also called to check a pipeline. */
typedef struct sb_input {
    const char *name;
    const sb_schema *schema;
} sb_input;
const sb_schema *sb_transform_open(const sb_context *context, const sb_input *inputs, size_t len);
/* A batch of input number `input`, from 0. All of the inputs but the first come before the first. */
void sb_transform_process(uint32_t input, sb_batch *batch);
/* After the last batch. */
void sb_transform_finish(void) SB_OPTIONAL;
/* Passes a batch on, in process and finish. */
void sb_give(sb_batch *batch);

/* validate: names its rules, from number 0. Also called to check a pipeline. */
void sb_validate_open(const sb_context *context, const sb_schema *schema);
typedef enum sb_severity { SB_TELLS, SB_REJECTS, SB_FAILS } sb_severity;
typedef struct sb_rule {
    const char *name, *summary;
    sb_severity severity;
    int64_t at_most_rows;    /* more fail the run; -1: no bound */
    double at_most_per_cent; /* the same, of a hundred rows; below 0: no bound */
} sb_rule;
void sb_add_rule(sb_rule rule);
void sb_validate_check(sb_batch *batch);
/* The rows that break rule number `rule`. */
void sb_breaks(uint32_t rule, const uint8_t *mask);
/* After the last batch: rules that speak of all the data. */
void sb_validate_finish(void) SB_OPTIONAL;
void sb_outcome(uint32_t rule, bool holds, const char *observed);

/* load: `load_id` is the same whenever the same load is tried again. Also called to check a pipeline: change nothing yet. */
void sb_load_open(const sb_context *context, const sb_schema *schema, const char *load_id, uint32_t part);
void sb_load_write(sb_batch *batch);
/* Makes durable, unseen; answers with the receipt, which says all that commit needs to know. */
const char *sb_load_prepare(void);
/* Shows what was prepared; perhaps on a fresh instance, and again. */
void sb_load_commit(const char *load_id, const char *const *receipts, size_t len);
/* Takes back what was written, never what was committed; perhaps on a fresh instance, without receipts, and again. */
void sb_load_abort(const char *load_id, const char *const *receipts, size_t len);

#ifdef __cplusplus
}
#endif
#endif
