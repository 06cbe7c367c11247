/* What every kind answers to `describe`; included by each. */
#include "internal.h"
#include <stdlib.h>
#include <string.h>

static void described(exports_sluicebox_stage_plugin_description_t *out, uint8_t kind) {
    char *schema = sb_options_schema();
    out->name = sb_for_host(sb_stage.name);
    out->version = sb_for_host(sb_stage.version == NULL ? "0.1.0" : sb_stage.version);
    out->kind = kind;
    out->summary = sb_for_host(sb_stage.summary);
    out->config_schema = sb_for_host(schema);
    free(schema);
    size_t count = 0;
    uint8_t *capabilities = sb_keep(7);
    for (uint8_t one = 0; one < 7; one++) {
        if ((sb_stage.asks >> one & 1) != 0) {
            capabilities[count++] = one;
        }
    }
    out->capabilities.ptr = capabilities;
    out->capabilities.len = count;
    if (count == 0) {
        free(capabilities);
        out->capabilities.ptr = (uint8_t *)1;
    }
    out->stateless = sb_stage.stateless;
}
