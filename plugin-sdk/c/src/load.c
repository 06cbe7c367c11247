/* The calls of the host to a load. */

#include "describe.h"

void exports_sluicebox_stage_plugin_describe(exports_sluicebox_stage_plugin_description_t *out) {
    sb_call_begins();
    described(out, EXPORTS_SLUICEBOX_STAGE_PLUGIN_KIND_LOAD);
    sb_call_ends();
}

static bool call_ended(exports_sluicebox_stage_loader_fault_t *err) {
    bool failed = sb_take_fault(err);
    sb_call_ends();
    return !failed;
}

bool exports_sluicebox_stage_loader_open(exports_sluicebox_stage_loader_run_context_t *context,
                                         exports_sluicebox_stage_loader_config_t *config,
                                         exports_sluicebox_stage_loader_schema_t *input, stage_string_t *load_id, uint32_t part,
                                         exports_sluicebox_stage_loader_fault_t *err) {
    sb_call_begins();
    sb_read_options(config);
    const sb_context *of_run = sb_taken_context(context);
    const sb_schema *schema = sb_taken_schema(input);
    const char *id = sb_taken(load_id);
    if (!sb_failed()) {
        sb_load_open(of_run, schema, id, part);
    }
    return call_ended(err);
}

bool exports_sluicebox_stage_loader_write(exports_sluicebox_stage_loader_own_batch_t batch,
                                          exports_sluicebox_stage_loader_fault_t *err) {
    sb_call_begins();
    sb_load_write(sb_batch_came(batch.__handle, false));
    return call_ended(err);
}

bool exports_sluicebox_stage_loader_prepare(stage_string_t *ret, exports_sluicebox_stage_loader_fault_t *err) {
    sb_call_begins();
    const char *receipt = sb_load_prepare();
    if (!sb_failed()) {
        *ret = sb_for_host(receipt);
    }
    return call_ended(err);
}

typedef void ending(const char *load_id, const char *const *receipts, size_t len);

static bool at_the_end(ending *end, exports_sluicebox_stage_loader_config_t *config, stage_string_t *load_id,
                       stage_list_string_t *receipts, exports_sluicebox_stage_loader_fault_t *err) {
    sb_call_begins();
    sb_read_options(config);
    const char *id = sb_taken(load_id);
    size_t len = receipts->len;
    const char **texts = sb_alloc(len * sizeof *texts);
    for (size_t i = 0; i < len; i++) {
        texts[i] = sb_taken(&receipts->ptr[i]);
    }
    if (len > 0) {
        free(receipts->ptr);
    }
    if (!sb_failed()) {
        end(id, texts, len);
    }
    return call_ended(err);
}

bool exports_sluicebox_stage_loader_commit(exports_sluicebox_stage_loader_config_t *config, stage_string_t *load_id,
                                           stage_list_string_t *receipts, exports_sluicebox_stage_loader_fault_t *err) {
    return at_the_end(sb_load_commit, config, load_id, receipts, err);
}

bool exports_sluicebox_stage_loader_abort(exports_sluicebox_stage_loader_config_t *config, stage_string_t *load_id,
                                          stage_list_string_t *receipts, exports_sluicebox_stage_loader_fault_t *err) {
    return at_the_end(sb_load_abort, config, load_id, receipts, err);
}
