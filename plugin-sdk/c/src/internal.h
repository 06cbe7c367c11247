/* What the parts of the SDK know of each other. */
#ifndef SLUICEBOX_INTERNAL_H
#define SLUICEBOX_INTERNAL_H

#include "sluicebox.h"
#include "stage.h"

/* Begins and ends a call: what was made in it is freed, batches that were not given away end. */
void sb_call_begins(void);
void sb_call_ends(void);

/* Answers with the noted fault, copied for the host. False if there is none. */
bool sb_take_fault(sluicebox_stage_types_fault_t *out);

/* Notes the fault that the host answered with, and frees it. */
void sb_note_fault(sluicebox_stage_batches_fault_t *fault);

/* A text of the host as one with NUL behind it, until the call ends; the host's is freed. */
const char *sb_taken(stage_string_t *text);
/* A copy for the host, which frees it. */
stage_string_t sb_for_host(const char *text);

/* Reads the options; they stay until they are read again. */
void sb_read_options(stage_string_t *config);
/* The JSON Schema of the options, allocated for the host. */
char *sb_options_schema(void);

const sb_context *sb_taken_context(sluicebox_stage_types_run_context_t *context);
const sb_schema *sb_taken_schema(sluicebox_stage_types_schema_t *schema);
sluicebox_stage_types_schema_t sb_schema_for_host(const sb_schema *schema);

/* A batch that the host hands over for this call. `lent`: it is not the stage's to keep or to give. */
sb_batch *sb_batch_came(int32_t handle, bool lent);
/* The handle to answer with; the batch is the host's from then on. */
sluicebox_stage_batches_own_batch_t sb_batch_given(sb_batch *batch);
void sb_batches_end(void);

/* Parses JSON, until the call ends; NULL, with a fault, if it is none. */
const sb_json *sb_json_parse(const char *text, size_t len);

typedef enum sb_json_kind { SB_JSON_NULL, SB_JSON_BOOL, SB_JSON_NUMBER, SB_JSON_TEXT, SB_JSON_LIST, SB_JSON_OBJECT } sb_json_kind;

struct sb_json {
    sb_json_kind kind;
    bool truth;
    const char *text; /* of a text, and of a number as it is written */
    size_t text_len;
    const char *key;     /* within an object */
    const sb_json *items; /* of a list and an object: the first */
    const sb_json *next;
    size_t count;
};

const sb_json *sb_json_member(const sb_json *object, const char *key);

/* Grows a text. */
typedef struct sb_out {
    char *text;
    size_t len, room;
} sb_out;
void sb_out_text(sb_out *out, const char *text);
void sb_out_json(sb_out *out, const char *text);

#endif
