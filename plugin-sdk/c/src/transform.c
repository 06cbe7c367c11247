/* The calls of the host to a transform. */

#include "describe.h"

typedef sluicebox_stage_batches_own_batch_t handle;

/* What was given in this call; after the last batch, what is still to be handed over. */
static struct {
    handle *list;
    size_t len, room, next;
    bool is_finished;
} given;

void sb_give(sb_batch *batch) {
    if (batch == NULL) {
        if (!sb_failed()) {
            sb_fail(SB_INTERNAL, "NULL was given for a batch");
        }
        return;
    }
    if (given.len == given.room) {
        given.room = given.room * 2 + 4;
        given.list = realloc(given.list, given.room * sizeof(handle));
        if (given.list == NULL) {
            abort();
        }
    }
    given.list[given.len++] = sb_batch_given(batch);
}

static void dropped(void) {
    for (; given.next < given.len; given.next++) {
        sluicebox_stage_batches_batch_drop_own(given.list[given.next]);
    }
    free(given.list);
    memset(&given, 0, sizeof given);
}

void exports_sluicebox_stage_plugin_describe(exports_sluicebox_stage_plugin_description_t *out) {
    sb_call_begins();
    described(out, EXPORTS_SLUICEBOX_STAGE_PLUGIN_KIND_TRANSFORM);
    sb_call_ends();
}

bool exports_sluicebox_stage_transformer_open(exports_sluicebox_stage_transformer_run_context_t *context,
                                              exports_sluicebox_stage_transformer_config_t *config,
                                              exports_sluicebox_stage_transformer_list_input_t *inputs,
                                              exports_sluicebox_stage_transformer_schema_t *ret,
                                              exports_sluicebox_stage_transformer_fault_t *err) {
    sb_call_begins();
    dropped();
    sb_read_options(config);
    const sb_context *of_run = sb_taken_context(context);
    sb_input *known = sb_alloc(inputs->len * sizeof(sb_input));
    for (size_t i = 0; i < inputs->len; i++) {
        known[i] = (sb_input){.name = sb_taken(&inputs->ptr[i].name), .schema = sb_taken_schema(&inputs->ptr[i].schema)};
    }
    size_t len = inputs->len;
    if (len > 0) {
        free(inputs->ptr);
    }
    const sb_schema *schema = sb_failed() ? NULL : sb_transform_open(of_run, known, len);
    if (schema == NULL && !sb_failed()) {
        sb_fail(SB_INTERNAL, "sb_transform_open answered with no schema");
    }
    bool failed = sb_take_fault(err);
    if (!failed) {
        *ret = sb_schema_for_host(schema);
    }
    sb_call_ends();
    return !failed;
}

bool exports_sluicebox_stage_transformer_process(uint32_t input, exports_sluicebox_stage_transformer_own_batch_t batch,
                                                 exports_sluicebox_stage_transformer_list_own_batch_t *ret,
                                                 exports_sluicebox_stage_transformer_fault_t *err) {
    sb_call_begins();
    sb_transform_process(input, sb_batch_came(batch.__handle, false));
    bool failed = sb_take_fault(err);
    if (failed) {
        dropped();
    } else {
        ret->ptr = given.len > 0 ? given.list : (handle *)4;
        ret->len = given.len;
        if (given.len == 0) {
            free(given.list);
        }
        memset(&given, 0, sizeof given); /* the host's now */
    }
    sb_call_ends();
    return !failed;
}

bool exports_sluicebox_stage_transformer_finish(exports_sluicebox_stage_transformer_option_own_batch_t *ret,
                                                exports_sluicebox_stage_transformer_fault_t *err) {
    sb_call_begins();
    if (!given.is_finished) {
        given.is_finished = true;
        if (sb_transform_finish != NULL) {
            sb_transform_finish();
        }
    }
    bool failed = sb_take_fault(err);
    ret->is_some = !failed && given.next < given.len;
    if (ret->is_some) {
        ret->val = given.list[given.next++];
    }
    sb_call_ends();
    return !failed;
}
