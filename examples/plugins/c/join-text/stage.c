/* Joins columns of text. */

#include <sluicebox.h>

static const int64_t ONE = 1;
static const sb_option OPTIONS[] = {
    {.name = "columns", .type = SB_TEXTS, .description = "The columns, in the order in which they are joined.", .at_least = &ONE},
    {.name = "separator", .type = SB_TEXT, .description = "What stands between them.", .fallback = "\"-\""},
    {.name = "as", .type = SB_TEXT, .description = "The column that is added, or replaced.", .fallback = "\"joined\""},
};

const sb_about sb_stage = {
    .name = "join-text-c",
    .summary = "Joins columns of text",
    .stateless = true,
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

const sb_schema *sb_transform_open(const sb_context *context, const sb_input *inputs, size_t len) {
    (void)context, (void)len;
    for (size_t i = 0; i < sb_option_count("columns"); i++) {
        sb_need_type(inputs[0].schema, sb_option_item("columns", i), SB_UTF8);
    }
    return sb_with_field(inputs[0].schema, sb_nullable(sb_option_text("as"), SB_UTF8));
}

void sb_transform_process(uint32_t input, sb_batch *batch) {
    (void)input;
    size_t columns = sb_option_count("columns"), longest = 1;
    const sb_column **texts = sb_alloc(columns * sizeof *texts);
    for (size_t i = 0; i < columns; i++) {
        texts[i] = sb_read(batch, sb_option_item("columns", i));
    }
    const char *separator = sb_option_text("separator");
    sb_builder *joined = sb_build(sb_nullable(sb_option_text("as"), SB_UTF8));
    sb_text between = {.ptr = separator, .len = __builtin_strlen(separator)};
    char *text = sb_alloc(longest);
    for (uint32_t row = 0; row < sb_rows(batch); row++) {
        size_t len = 0;
        bool is_null = false;
        for (size_t i = 0; i < columns; i++) {
            len += sb_text_at(texts[i], row).len + between.len;
            is_null |= sb_is_null(texts[i], row);
        }
        if (is_null) {
            sb_push_null(joined);
            continue;
        }
        if (len > longest) {
            text = sb_alloc(longest = len * 2);
        }
        len = 0;
        for (size_t i = 0; i < columns; i++) {
            sb_text parts[] = {i > 0 ? between : (sb_text){.ptr = "", .len = 0}, sb_text_at(texts[i], row)};
            for (int part = 0; part < 2; part++) {
                __builtin_memcpy(text + len, parts[part].ptr, parts[part].len);
                len += parts[part].len;
            }
        }
        sb_push_text(joined, text, len);
    }
    sb_give(sb_with(batch, sb_built(joined)));
}
