/* The transform of the conformance suite: what a stage can do, by mode. It is C and C++ at once: the suite compiles it as both. */

#include <sluicebox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t NONE = 0;
static const char *const FORMS[] = {"typed", "raw", "strings", NULL};
static const char *const CALLS[] = {"open", "process", "finish", NULL};
static const sb_option OPTIONS[] = {
    {.name = "mode", .type = SB_TEXT, .description = "What is done."},
    {.name = "form", .type = SB_TEXT, .description = "copy: the form in which columns cross.", .fallback = "\"typed\"", .choices = FORMS},
    {.name = "column", .type = SB_TEXT, .description = "add-one, length, filter: the column that is worked on.", .fallback = "\"\""},
    {.name = "columns", .type = SB_JSON, .description = "select: pairs of the old and the new name.", .fallback = "[]",
     .schema = "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":2,\"maxItems\":2}}"},
    {.name = "offset", .type = SB_INTEGER, .description = "slice: the first row.", .fallback = "0", .at_least = &NONE},
    {.name = "rows", .type = SB_INTEGER, .description = "slice: how many rows.", .fallback = "0", .at_least = &NONE},
    {.name = "kind", .type = SB_TEXT, .description = "fault: its kind.", .fallback = "\"internal\""},
    {.name = "message", .type = SB_TEXT, .description = "fault: its message.", .fallback = "\"\""},
    {.name = "row", .type = SB_INTEGER, .description = "fault: its row.", .optional = true, .at_least = &NONE},
    {.name = "call", .type = SB_TEXT, .description = "fault: the call that fails.", .fallback = "\"process\"", .choices = CALLS},
};

const sb_about sb_stage = {
    .name = "conform-transform-c",
    .summary = "What a transform can do, for the conformance suite",
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

static bool is(const char *mode) { return strcmp(sb_option_text("mode"), mode) == 0; }

/* Ends with the fault that the options name, if it is one of this call. */
static bool fails_in(const char *call) {
    if (!is("fault") || strcmp(sb_option_text("call"), call) != 0) {
        return false;
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
    return true;
}

static const sb_field TOTALS[] = {{.name = "input", .type = SB_UTF8}, {.name = "batches", .type = SB_INT64}, {.name = "rows", .type = SB_INT64}};
static const sb_field CONTEXT[] = {
    {.name = "pipeline", .type = SB_UTF8},       {.name = "stage", .type = SB_UTF8},        {.name = "attempt", .type = SB_INT32},
    {.name = "interval-start", .type = SB_UTF8}, {.name = "interval-end", .type = SB_UTF8},
};
static const sb_schema TOTALS_SCHEMA = {.fields = TOTALS, .len = 3}, CONTEXT_SCHEMA = {.fields = CONTEXT, .len = 5};

/* What is kept from call to call. */
static struct {
    size_t inputs;
    char **names;
    int64_t *batches, *rows;
    sb_batch *kept[64];
    size_t kept_len;
    sb_context context;
} own;

static char *kept_text(const char *text) { return strcpy((char *)sb_keep(strlen(text) + 1), text); }

static const sb_schema *pairs_of(const sb_schema *schema, const char ***from, const char ***to, size_t *len) {
    const sb_json *pairs = sb_option_json("columns");
    *len = sb_json_count(pairs);
    *from = (const char **)sb_alloc(*len * sizeof **from);
    *to = (const char **)sb_alloc(*len * sizeof **to);
    sb_field *fields = (sb_field *)sb_alloc(*len * sizeof *fields);
    for (size_t i = 0; i < *len; i++) {
        (*from)[i] = sb_json_text(sb_json_item(sb_json_item(pairs, i), 0));
        (*to)[i] = sb_json_text(sb_json_item(sb_json_item(pairs, i), 1));
        const sb_field *field = sb_need(schema, (*from)[i]);
        if (field != NULL) {
            fields[i] = *field;
            fields[i].name = (*to)[i];
        }
    }
    sb_schema *out = (sb_schema *)sb_alloc(sizeof *out);
    *out = (sb_schema){.fields = fields, .len = *len};
    return out;
}

/* The names of the columns with "_2" behind them. */
static const char **again(const sb_schema *schema, const char ***from) {
    const char **to = (const char **)sb_alloc(schema->len * sizeof *to);
    *from = (const char **)sb_alloc(schema->len * sizeof **from);
    for (size_t i = 0; i < schema->len; i++) {
        (*from)[i] = schema->fields[i].name;
        to[i] = sb_print("%s_2", schema->fields[i].name);
    }
    return to;
}

const sb_schema *sb_transform_open(const sb_context *context, const sb_input *inputs, size_t len) {
    static const char *const MODES[] = {"copy", "ipc", "add-one", "length", "filter", "take", "slice", "select", "concat",
                                        "zip", "fault", "crash", "bad-answer", "keep", "totals", "context", "report", NULL};
    size_t mode = 0;
    while (MODES[mode] != NULL && !is(MODES[mode])) {
        mode++;
    }
    if (MODES[mode] == NULL) {
        sb_fail(SB_INVALID_CONFIG, "there is no mode \"%s\"", sb_option_text("mode"));
        return NULL;
    }
    if (fails_in("open")) {
        return NULL;
    }
    own.context = (sb_context){.pipeline = kept_text(context->pipeline), .stage = kept_text(context->stage), .interval_start = kept_text(context->interval_start),
                               .interval_end = kept_text(context->interval_end), .attempt = context->attempt};
    own.inputs = len;
    own.names = (char **)sb_keep(len * sizeof *own.names);
    own.batches = (int64_t *)sb_keep(len * sizeof *own.batches);
    own.rows = (int64_t *)sb_keep(len * sizeof *own.rows);
    for (size_t i = 0; i < len; i++) {
        own.names[i] = kept_text(inputs[i].name);
    }
    const sb_schema *first = inputs[0].schema;
    const char *column = sb_option_text("column"), **from, **to;
    size_t count;
    if (is("length")) {
        sb_need_type(first, column, SB_UTF8);
        return sb_with_field(first, sb_nullable("length", SB_INT32));
    }
    if (is("add-one")) {
        sb_need_type(first, column, SB_INT64);
    }
    if (is("filter")) {
        sb_need_type(first, column, SB_BOOLEAN);
    }
    if (is("select")) {
        return pairs_of(first, &from, &to, &count);
    }
    if (is("zip")) {
        const sb_schema *both = first;
        to = again(first, &from);
        for (size_t i = 0; i < first->len; i++) {
            sb_field field = first->fields[i];
            field.name = to[i];
            both = sb_with_field(both, field);
        }
        return both;
    }
    return is("totals") ? &TOTALS_SCHEMA : is("context") ? &CONTEXT_SCHEMA : first;
}

static sb_batch *copied(sb_batch *batch) {
    const sb_schema *schema = sb_schema_of(batch);
    const sb_column **columns = (const sb_column **)sb_alloc(schema->len * sizeof *columns);
    const char **names = (const char **)sb_alloc(schema->len * sizeof *names), **others = (const char **)sb_alloc(schema->len * sizeof *others);
    size_t len = 0, others_len = 0;
    sb_form form = strcmp(sb_option_text("form"), "typed") == 0 ? SB_TYPED : strcmp(sb_option_text("form"), "raw") == 0 ? SB_RAW : SB_STRINGS;
    for (size_t i = 0; i < schema->len; i++) {
        const sb_field *field = &schema->fields[i];
        names[i] = field->name;
        if (field->type == SB_OTHER) {
            others[others_len++] = field->name;
        } else {
            columns[len++] = sb_read_as(batch, field->name, form == SB_STRINGS && field->type != SB_UTF8 ? SB_RAW : form);
        }
    }
    sb_batch *copy = sb_batch_of(sb_rows(batch), columns, len);
    return others_len == 0 ? copy : sb_select(sb_zip(copy, sb_select(batch, others, others, others_len)), names, names, schema->len);
}

static sb_batch *with_one_more(sb_batch *batch, const char *name) {
    const sb_column *column = sb_read(batch, name);
    const int64_t *values = sb_int64s(column);
    sb_builder *builder = sb_build(*sb_need(sb_schema_of(batch), name));
    for (uint32_t row = 0; values != NULL && row < sb_rows(batch); row++) {
        if (sb_is_null(column, row)) {
            sb_push_null(builder);
        } else {
            sb_push_integer(builder, (int64_t)((uint64_t)values[row] + 1));
        }
    }
    return sb_with(batch, sb_built(builder));
}

static sb_batch *with_lengths(sb_batch *batch, const char *name) {
    const sb_column *column = sb_read(batch, name);
    sb_builder *builder = sb_build(sb_nullable("length", SB_INT32));
    for (uint32_t row = 0; row < sb_rows(batch); row++) {
        sb_text text = sb_text_at(column, row);
        int64_t letters = 0;
        for (size_t i = 0; i < text.len; i++) {
            letters += ((unsigned char)text.ptr[i] & 0xc0) != 0x80 ? 1 : 0;
        }
        if (sb_is_null(column, row)) {
            sb_push_null(builder);
        } else {
            sb_push_integer(builder, letters);
        }
    }
    return sb_with(batch, sb_built(builder));
}

static const sb_column *text_column(sb_field field, const char *text) {
    sb_builder *builder = sb_build(field);
    sb_push_text(builder, text, strlen(text));
    return sb_built(builder);
}

static sb_batch *context_row(void) {
    int32_t *attempt = (int32_t *)sb_alloc(sizeof *attempt);
    *attempt = (int32_t)own.context.attempt;
    const sb_column *columns[] = {
        text_column(CONTEXT[0], own.context.pipeline),       text_column(CONTEXT[1], own.context.stage),
        sb_column_of(CONTEXT[2], attempt, 1),                text_column(CONTEXT[3], own.context.interval_start),
        text_column(CONTEXT[4], own.context.interval_end),
    };
    return sb_batch_of(1, columns, 5);
}

static void report(void) {
    sb_log(SB_DEBUG, "debug line");
    sb_log(SB_INFO, "info line");
    sb_log(SB_WARN, "warn line");
    sb_log(SB_ERROR, "error line");
    puts("printed line");
    fflush(stdout);
    sb_count("seen", 3);
    sb_count("seen", 4);
    sb_quarantine("here:1", "x,y", "not right");
}

void sb_transform_process(uint32_t input, sb_batch *batch) {
    const char *name = sb_option_text("column"), **from, **to;
    uint32_t rows = sb_rows(batch);
    size_t len;
    own.batches[input]++;
    own.rows[input] += rows;
    if (is("copy")) {
        sb_give(copied(batch));
    } else if (is("ipc")) {
        const uint8_t *bytes = sb_to_ipc(batch, &len);
        sb_give(sb_from_ipc(bytes, len));
    } else if (is("add-one")) {
        sb_give(with_one_more(batch, name));
    } else if (is("length")) {
        sb_give(with_lengths(batch, name));
    } else if (is("filter")) {
        const sb_column *column = sb_read(batch, name);
        uint8_t *mask = sb_mask(rows);
        for (uint32_t row = 0; row < rows; row++) {
            if (sb_bool_at(column, row)) {
                sb_mark(mask, row);
            }
        }
        sb_give(sb_filter(batch, mask));
    } else if (is("take")) {
        uint32_t *places = (uint32_t *)sb_alloc(rows * sizeof *places);
        for (uint32_t row = 0; row < rows; row++) {
            places[row] = rows - 1 - row;
        }
        sb_give(sb_take(batch, places, rows));
    } else if (is("slice")) {
        sb_give(sb_slice(batch, (uint32_t)sb_option_integer("offset"), (uint32_t)sb_option_integer("rows")));
    } else if (is("select")) {
        pairs_of(sb_schema_of(batch), &from, &to, &len);
        sb_give(sb_select(batch, from, to, len));
    } else if (is("concat")) {
        sb_batch *parts[] = {batch, batch};
        sb_give(sb_concat(parts, 2));
    } else if (is("zip")) {
        to = again(sb_schema_of(batch), &from);
        sb_give(sb_zip(batch, sb_select(batch, from, to, sb_schema_of(batch)->len)));
    } else if (is("fault")) {
        if (!fails_in("process")) {
            sb_give(batch);
        }
    } else if (is("crash")) {
        fputs("told to crash\n", stderr);
        fflush(stderr);
        abort();
    } else if (is("bad-answer")) {
        int64_t *numbers = (int64_t *)sb_alloc((rows + 1) * sizeof *numbers);
        const sb_column *columns[] = {sb_column_of(sb_nullable("n", SB_INT64), numbers, rows),
                                      sb_column_of(sb_nullable("m", SB_INT64), numbers, rows + 1)};
        sb_give(sb_batch_of(rows, columns, 2));
    } else if (is("keep") && own.kept_len < 64) {
        own.kept[own.kept_len++] = sb_keep_batch(batch);
    } else if (is("context")) {
        sb_give(context_row());
    } else if (is("report")) {
        report();
        sb_give(batch);
    }
}

void sb_transform_finish(void) {
    if (fails_in("finish")) {
        return;
    }
    for (size_t i = 0; i < own.kept_len; i++) {
        sb_give(own.kept[i]);
    }
    if (is("totals")) {
        sb_builder *names = sb_build(TOTALS[0]);
        for (size_t i = 0; i < own.inputs; i++) {
            sb_push_text(names, own.names[i], strlen(own.names[i]));
        }
        uint32_t rows = (uint32_t)own.inputs;
        const sb_column *columns[] = {sb_built(names), sb_column_of(TOTALS[1], own.batches, rows), sb_column_of(TOTALS[2], own.rows, rows)};
        sb_give(sb_batch_of(rows, columns, 3));
    }
}
