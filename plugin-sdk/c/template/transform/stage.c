/* Adds a column that is one column divided by another. */

#include <sluicebox.h>

static const sb_option OPTIONS[] = {
    {.name = "numerator", .type = SB_TEXT, .description = "The column above the line."},
    {.name = "denominator", .type = SB_TEXT, .description = "The column below the line; where it is 0, the ratio is null."},
    {.name = "as", .type = SB_TEXT, .description = "The name of the new column.", .fallback = "\"ratio\""},
};

const sb_about sb_stage = {
    .name = "{{name}}",
    .summary = "Adds the ratio of two columns",
    .stateless = true,
    .options = OPTIONS,
    .options_len = sizeof OPTIONS / sizeof *OPTIONS,
};

/* Called once, also to check a pipeline: find here what does not fit, and answer with the columns that come out. */
const sb_schema *sb_transform_open(const sb_context *context, const sb_input *inputs, size_t len) {
    (void)context, (void)len;
    sb_need_number(inputs[0].schema, sb_option_text("numerator"));
    sb_need_number(inputs[0].schema, sb_option_text("denominator"));
    return sb_with_field(inputs[0].schema, sb_nullable(sb_option_text("as"), SB_FLOAT64));
}

/* Called for each batch. Two columns are copied in and one out; the others stay in the host. */
void sb_transform_process(uint32_t input, sb_batch *batch) {
    (void)input;
    const sb_column *above = sb_read(batch, sb_option_text("numerator"));
    const sb_column *below = sb_read(batch, sb_option_text("denominator"));
    sb_builder *ratios = sb_build(sb_nullable(sb_option_text("as"), SB_FLOAT64));
    uint32_t rows = sb_rows(batch);
    for (uint32_t row = 0; row < rows; row++) {
        double by = sb_number_at(below, row);
        if (sb_is_null(above, row) || sb_is_null(below, row) || by == 0) {
            sb_push_null(ratios);
        } else {
            sb_push_number(ratios, sb_number_at(above, row) / by);
        }
    }
    sb_give(sb_with(batch, sb_built(ratios)));
}
