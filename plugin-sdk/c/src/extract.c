/* The calls of the host to an extract. */

#include "describe.h"

void exports_sluicebox_stage_plugin_describe(exports_sluicebox_stage_plugin_description_t *out) {
    sb_call_begins();
    described(out, EXPORTS_SLUICEBOX_STAGE_PLUGIN_KIND_EXTRACT);
    sb_call_ends();
}

bool exports_sluicebox_stage_extractor_open(exports_sluicebox_stage_extractor_run_context_t *context,
                                            exports_sluicebox_stage_extractor_config_t *config, stage_string_t *maybe_bookmark,
                                            exports_sluicebox_stage_extractor_schema_t *ret,
                                            exports_sluicebox_stage_extractor_fault_t *err) {
    sb_call_begins();
    sb_read_options(config);
    const sb_context *of_run = sb_taken_context(context);
    const char *bookmark = maybe_bookmark == NULL ? NULL : sb_taken(maybe_bookmark);
    const sb_schema *schema = sb_failed() ? NULL : sb_extract_open(of_run, bookmark);
    if (schema == NULL && !sb_failed()) {
        sb_fail(SB_INTERNAL, "sb_extract_open answered with no schema");
    }
    bool failed = sb_take_fault(err);
    if (!failed) {
        *ret = sb_schema_for_host(schema);
    }
    sb_call_ends();
    return !failed;
}

bool exports_sluicebox_stage_extractor_next(exports_sluicebox_stage_extractor_option_page_t *ret,
                                            exports_sluicebox_stage_extractor_fault_t *err) {
    sb_call_begins();
    sb_page page = {.batch = NULL, .bookmark = NULL, .progress = -1};
    sb_extract_next(&page);
    bool failed = sb_take_fault(err);
    ret->is_some = !failed && page.batch != NULL;
    if (ret->is_some) {
        ret->val.bookmark.is_some = page.bookmark != NULL;
        if (page.bookmark != NULL) {
            ret->val.bookmark.val = sb_for_host(page.bookmark);
        }
        ret->val.progress.is_some = page.progress >= 0;
        ret->val.progress.val = (float)page.progress;
        ret->val.batch = sb_batch_given(page.batch);
    }
    sb_call_ends();
    return !failed;
}
