/* A transform that does, by mode, what the SDK offers: test_stage.c looks at what comes. */

#include <errno.h>
#include <sluicebox.h>
#include <string.h>

static const int64_t ONE = 1, TEN = 10;
static const char *const MODES[] = {"options", "copy", "made", "filter", "take", "slice", "select", "zip", "concat", "replace",
                                    "keep", "tell", "faults", "nulls", "missing", "file", NULL};
static const sb_option OPTIONS[] = {
    {.name = "mode", .type = SB_TEXT, .description = "What is done.", .choices = MODES},
    {.name = "text", .type = SB_TEXT, .description = "A text.", .fallback = "\"none\""},
    {.name = "integer", .type = SB_INTEGER, .description = "A number from 1 to 10.", .fallback = "5", .at_least = &ONE, .at_most = &TEN},
    {.name = "big", .type = SB_INTEGER, .description = "Any number of 64 bits.", .fallback = "0"},
    {.name = "number", .type = SB_NUMBER, .description = "A number.", .fallback = "0.5"},
    {.name = "flag", .type = SB_FLAG, .description = "Yes or no.", .fallback = "false"},
    {.name = "texts", .type = SB_TEXTS, .description = "Texts.", .fallback = "[]", .at_most = &TEN},
    {.name = "json", .type = SB_JSON, .description = "Lists of texts.", .fallback = "[]", .schema = "{\"type\":\"array\"}"},
    {.name = "perhaps", .type = SB_TEXT, .description = "It may be left out.", .optional = true},
};

const sb_about sb_stage = {
    .name = "sdk-tests",
    .summary = "What the SDK offers, for its own tests",
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

static sb_batch *kept;

static bool is(const char *mode) { return strcmp(sb_option_text("mode"), mode) == 0; }

static const sb_field MADE[] = {
    {.name = "b", .type = SB_BOOLEAN, .nullable = true}, {.name = "i8", .type = SB_INT8, .nullable = true},
    {.name = "i64", .type = SB_INT64, .nullable = true}, {.name = "f32", .type = SB_FLOAT32, .nullable = true},
    {.name = "t", .type = SB_UTF8, .nullable = true},    {.name = "d", .type = SB_DECIMAL128, .nullable = true, .detail = "10,2"},
    {.name = "over", .type = SB_INT32},
};
static const sb_schema MADE_SCHEMA = {.fields = MADE, .len = 7};
static const sb_field SHOWN[] = {{.name = "shown", .type = SB_UTF8}};
static const sb_schema SHOWN_SCHEMA = {.fields = SHOWN, .len = 1};

const sb_schema *sb_transform_open(const sb_context *context, const sb_input *inputs, size_t len) {
    (void)context, (void)len;
    const sb_schema *in = inputs[0].schema;
    if (is("missing")) {
        sb_need(in, "ż");
        sb_need_number(in, "t");
        return in;
    }
    if (is("select")) {
        sb_field *field = sb_alloc(sizeof *field);
        sb_schema *out = sb_alloc(sizeof *out);
        *field = in->fields[1];
        field->name = "renamed";
        *out = (sb_schema){.fields = field, .len = 1};
        return out;
    }
    if (is("zip")) {
        const sb_schema *both = in;
        for (size_t i = 0; i < in->len; i++) {
            sb_field field = in->fields[i];
            field.name = sb_print("%s_2", in->fields[i].name);
            both = sb_with_field(both, field);
        }
        return both;
    }
    if (is("replace")) {
        return sb_with_field(in, sb_nullable(in->fields[0].name, SB_UTF8));
    }
    return is("options") ? &SHOWN_SCHEMA : is("made") ? &MADE_SCHEMA : in;
}

/* One row with what the options are. */
static sb_batch *options(void) {
    char *shown = sb_print("%s %lld %lld %g %s", sb_option_text("text"), (long long)sb_option_integer("integer"),
                           (long long)sb_option_integer("big"), sb_option_number("number"), sb_option_flag("flag") ? "yes" : "no");
    for (size_t i = 0; i < sb_option_count("texts"); i++) {
        shown = sb_print("%s +%s", shown, sb_option_item("texts", i));
    }
    const sb_json *lists = sb_option_json("json");
    for (size_t i = 0; i < sb_json_count(lists); i++) {
        const sb_json *list = sb_json_item(lists, i);
        shown = sb_print("%s *%zu%s", shown, sb_json_count(list), sb_json_text(sb_json_item(list, 0)));
    }
    shown = sb_print("%s %s", shown, sb_option_given("perhaps") ? sb_option_text("perhaps") : "left out");
    sb_builder *builder = sb_build(SHOWN[0]);
    sb_push_text(builder, shown, strlen(shown));
    const sb_column *column = sb_built(builder);
    return sb_batch_of(1, &column, 1);
}

/* Two rows: one of values, one of nulls. */
static sb_batch *made(void) {
    static const uint8_t CENTS[16] = {0x39, 0x30};
    const sb_column *columns[7];
    for (size_t i = 0; i < 6; i++) {
        sb_builder *builder = sb_build(MADE[i]);
        switch (MADE[i].type) {
        case SB_BOOLEAN: sb_push_bool(builder, true); break;
        case SB_INT8: sb_push_integer(builder, -128); break;
        case SB_INT64: sb_push_integer(builder, INT64_MAX); break;
        case SB_FLOAT32: sb_push_number(builder, 1.5); break;
        case SB_UTF8: sb_push_text(builder, "\xc3\xa4 b", 4); break;
        default: sb_push_bytes(builder, CENTS); break;
        }
        sb_push_null(builder);
        columns[i] = sb_built(builder);
    }
    int32_t *values = sb_alloc(2 * sizeof *values);
    values[0] = 7;
    values[1] = -7;
    columns[6] = sb_column_of(MADE[6], values, 2);
    return sb_batch_of(2, columns, 7);
}

static sb_batch *copied(sb_batch *batch, sb_form form) {
    const sb_schema *schema = sb_schema_of(batch);
    const sb_column **columns = sb_alloc(schema->len * sizeof *columns);
    for (size_t i = 0; i < schema->len; i++) {
        columns[i] = sb_read_as(batch, schema->fields[i].name, form == SB_STRINGS && schema->fields[i].type != SB_UTF8 ? SB_RAW : form);
    }
    return sb_batch_of(sb_rows(batch), columns, schema->len);
}

/* How many rows of all columns are null, in the log. */
static void told_nulls(sb_batch *batch) {
    const sb_schema *schema = sb_schema_of(batch);
    for (size_t i = 0; i < schema->len; i++) {
        const sb_column *column = sb_read(batch, schema->fields[i].name);
        for (uint32_t row = 0; row <= sb_rows(batch); row++) {
            sb_count(schema->fields[i].name, sb_is_null(column, row) ? 1 : 0);
        }
    }
}

void sb_transform_process(uint32_t input, sb_batch *batch) {
    (void)input;
    uint32_t rows = sb_rows(batch);
    const sb_schema *schema = sb_schema_of(batch);
    const char *name = schema->fields[0].name, **from = sb_alloc(schema->len * sizeof *from), **to = sb_alloc(schema->len * sizeof *to);
    for (size_t i = 0; i < schema->len; i++) {
        from[i] = schema->fields[i].name;
        to[i] = sb_print("%s_2", from[i]);
    }
    if (is("options")) {
        sb_give(options());
    } else if (is("copy")) {
        sb_give(copied(copied(copied(batch, SB_TYPED), SB_RAW), SB_STRINGS));
    } else if (is("made")) {
        sb_give(made());
    } else if (is("filter")) {
        uint8_t *mask = sb_mask(rows);
        for (uint32_t row = 0; row < rows; row += 2) {
            sb_mark(mask, row);
        }
        sb_give(sb_filter(batch, mask));
    } else if (is("take")) {
        static const uint32_t ROWS[] = {2, 0, 2};
        sb_give(sb_take(batch, ROWS, 3));
    } else if (is("slice")) {
        sb_give(sb_slice(batch, (uint32_t)sb_option_integer("integer"), 1));
    } else if (is("select")) {
        static const char *const RENAMED[] = {"renamed"};
        sb_give(sb_select(batch, &from[1], RENAMED, 1));
    } else if (is("zip")) {
        sb_give(sb_zip(batch, sb_select(batch, from, to, schema->len)));
    } else if (is("concat")) {
        sb_batch *parts[] = {batch, sb_slice(batch, 0, 1)};
        sb_give(sb_concat(parts, 2));
    } else if (is("replace")) {
        sb_builder *texts = sb_build(sb_nullable(name, SB_UTF8));
        for (uint32_t row = 0; row < rows; row++) {
            const char *text = sb_print("row %u", row);
            sb_push_text(texts, text, strlen(text));
        }
        sb_give(sb_with(batch, sb_built(texts)));
    } else if (is("keep")) {
        kept = sb_keep_batch(batch);
    } else if (is("tell")) {
        sb_log(SB_INFO, "%u rows", rows);
        sb_count("seen", rows);
        sb_count("seen", 1);
        sb_quarantine("here:1", "a,b", "too short");
        sb_give(batch);
    } else if (is("faults")) {
        /* NULL is passed on, and what was noted first counts. */
        sb_fail_at(SB_INVALID_DATA, 1, "row %d is not right", 1);
        sb_fail(SB_INTERNAL, "another");
        sb_give(sb_filter(sb_select(NULL, from, to, 1), NULL));
    } else if (is("nulls")) {
        told_nulls(batch);
        sb_give(batch);
    } else if (is("file")) {
        errno = (int)sb_option_integer("big");
        sb_fail_file("x.csv");
    } else if (is("missing")) {
        sb_give(batch);
    }
}

void sb_transform_finish(void) {
    if (kept != NULL) {
        sb_give(kept);
        kept = NULL;
    }
}
