// Joins columns of text.

#include <sluicebox.h>

#include <string>
#include <string_view>
#include <vector>

static const int64_t ONE = 1;
static const sb_option OPTIONS[] = {
    {.name = "columns", .type = SB_TEXTS, .description = "The columns, in the order in which they are joined.", .at_least = &ONE},
    {.name = "separator", .type = SB_TEXT, .description = "What stands between them.", .fallback = "\"-\""},
    {.name = "as", .type = SB_TEXT, .description = "The column that is added, or replaced.", .fallback = "\"joined\""},
};

const sb_about sb_stage = {
    .name = "join-text-cpp",
    .summary = "Joins columns of text",
    .stateless = true,
    .options = OPTIONS,
    .options_len = std::size(OPTIONS),
};

// The names of the columns; they live as long as the call.
static std::vector<const char *> names() {
    std::vector<const char *> all;
    for (size_t at = 0; at < sb_option_count("columns"); at++) {
        all.push_back(sb_option_item("columns", at));
    }
    return all;
}

static std::string_view text_at(const sb_column *column, uint32_t row) {
    const sb_text text = sb_text_at(column, row);
    return {text.ptr, text.len};
}

const sb_schema *sb_transform_open(const sb_context *, const sb_input *inputs, size_t) {
    for (const char *name : names()) {
        sb_need_type(inputs[0].schema, name, SB_UTF8);
    }
    return sb_with_field(inputs[0].schema, sb_nullable(sb_option_text("as"), SB_UTF8));
}

void sb_transform_process(uint32_t, sb_batch *batch) {
    std::vector<const sb_column *> columns;
    for (const char *name : names()) {
        columns.push_back(sb_read(batch, name));
    }
    const std::string_view separator = sb_option_text("separator");
    sb_builder *joined = sb_build(sb_nullable(sb_option_text("as"), SB_UTF8));
    std::string text;
    for (uint32_t row = 0; row < sb_rows(batch); row++) {
        text.clear();
        bool is_null = false;
        for (const sb_column *column : columns) {
            is_null = is_null || sb_is_null(column, row);
            if (column != columns.front()) {
                text += separator;
            }
            text += text_at(column, row);
        }
        if (is_null) {
            sb_push_null(joined);
        } else {
            sb_push_text(joined, text.data(), text.size());
        }
    }
    sb_give(sb_with(batch, sb_built(joined)));
}
