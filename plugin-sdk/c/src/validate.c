/* The calls of the host to a validate. */

#include "describe.h"

typedef exports_sluicebox_stage_validator_rule_t rule;
typedef exports_sluicebox_stage_validator_finding_t finding;
typedef exports_sluicebox_stage_validator_outcome_t outcome;

/* What is gathered in a call; the lists become the host's. */
static struct {
    rule *rules;
    finding *findings;
    outcome *outcomes;
    size_t rules_len, findings_len, outcomes_len;
    uint32_t rows;
} gathered;

static void *longer(void *list, size_t len, size_t size) {
    void *out = realloc(list, (len + 1) * size);
    if (out == NULL) {
        abort();
    }
    memset((char *)out + len * size, 0, size);
    return out;
}

void sb_add_rule(sb_rule added) {
    gathered.rules = longer(gathered.rules, gathered.rules_len, sizeof(rule));
    rule *one = &gathered.rules[gathered.rules_len++];
    one->name = sb_for_host(added.name);
    one->summary = sb_for_host(added.summary);
    one->severity = (uint8_t)added.severity;
    one->at_most.is_some = added.at_most_rows >= 0 || added.at_most_per_cent >= 0;
    if (added.at_most_rows >= 0) {
        one->at_most.val.tag = EXPORTS_SLUICEBOX_STAGE_VALIDATOR_THRESHOLD_ROWS;
        one->at_most.val.val.rows = (uint64_t)added.at_most_rows;
    } else if (added.at_most_per_cent >= 0) {
        one->at_most.val.tag = EXPORTS_SLUICEBOX_STAGE_VALIDATOR_THRESHOLD_PER_CENT;
        one->at_most.val.val.per_cent = added.at_most_per_cent;
    }
}

void sb_breaks(uint32_t number, const uint8_t *mask) {
    size_t bytes = ((size_t)gathered.rows + 7) / 8;
    gathered.findings = longer(gathered.findings, gathered.findings_len, sizeof(finding));
    finding *one = &gathered.findings[gathered.findings_len++];
    one->rule = number;
    one->rows.len = bytes;
    one->rows.ptr = bytes > 0 ? sb_keep(bytes) : (uint8_t *)1;
    if (bytes > 0) {
        memcpy(one->rows.ptr, mask, bytes);
    }
}

void sb_outcome(uint32_t number, bool holds, const char *observed) {
    gathered.outcomes = longer(gathered.outcomes, gathered.outcomes_len, sizeof(outcome));
    gathered.outcomes[gathered.outcomes_len++] = (outcome){.rule = number, .holds = holds, .observed = sb_for_host(observed)};
}

/* What a call that failed has gathered leaks until the instance ends: it ends the run, or soon. */
static void begins(void) {
    sb_call_begins();
    memset(&gathered, 0, sizeof gathered);
}

void exports_sluicebox_stage_plugin_describe(exports_sluicebox_stage_plugin_description_t *out) {
    begins();
    described(out, EXPORTS_SLUICEBOX_STAGE_PLUGIN_KIND_VALIDATE);
    sb_call_ends();
}

bool exports_sluicebox_stage_validator_open(exports_sluicebox_stage_validator_run_context_t *context,
                                            exports_sluicebox_stage_validator_config_t *config,
                                            exports_sluicebox_stage_validator_schema_t *input,
                                            exports_sluicebox_stage_validator_list_rule_t *ret,
                                            exports_sluicebox_stage_validator_fault_t *err) {
    begins();
    sb_read_options(config);
    const sb_context *of_run = sb_taken_context(context);
    const sb_schema *schema = sb_taken_schema(input);
    if (!sb_failed()) {
        sb_validate_open(of_run, schema);
    }
    bool failed = sb_take_fault(err);
    if (!failed) {
        ret->ptr = gathered.rules_len > 0 ? gathered.rules : (rule *)8;
        ret->len = gathered.rules_len;
    }
    sb_call_ends();
    return !failed;
}

bool exports_sluicebox_stage_validator_check(exports_sluicebox_stage_validator_borrow_batch_t batch,
                                             exports_sluicebox_stage_validator_list_finding_t *ret,
                                             exports_sluicebox_stage_validator_fault_t *err) {
    begins();
    sb_batch *lent = sb_batch_came(batch.__handle, true);
    gathered.rows = sb_rows(lent);
    sb_validate_check(lent);
    bool failed = sb_take_fault(err);
    if (!failed) {
        ret->ptr = gathered.findings_len > 0 ? gathered.findings : (finding *)4;
        ret->len = gathered.findings_len;
    }
    sb_call_ends();
    return !failed;
}

bool exports_sluicebox_stage_validator_finish(exports_sluicebox_stage_validator_list_outcome_t *ret,
                                              exports_sluicebox_stage_validator_fault_t *err) {
    begins();
    if (sb_validate_finish != NULL) {
        sb_validate_finish();
    }
    bool failed = sb_take_fault(err);
    if (!failed) {
        ret->ptr = gathered.outcomes_len > 0 ? gathered.outcomes : (outcome *)4;
        ret->len = gathered.outcomes_len;
    }
    sb_call_ends();
    return !failed;
}
